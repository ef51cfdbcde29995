//! Redis: where it is, if there is one, and how patiently it is asked.

use super::{
    reader::{Reader, is_loopback},
    secrets,
    setting::{Fallback, Setting},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use url::Url;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::url(
        "REDIS_URL",
        Fallback::Unset,
        "Redis, by which nodes share rate limits and tell one another of ended sessions: `redis://user:password@host:6379/0`, `rediss://` with TLS, several hosts separated by commas (or `redis+cluster://`) for a cluster, `redis+sentinel://host:26379,host:26379/master-name` for Sentinel.",
    ),
    Setting::new(
        "REDIS_TIMEOUT_MS",
        Fallback::Fixed("50"),
        "How long Redis is waited for before the node goes on without it.",
    ),
];

/// How Redis is reached; every URL is of one server.
#[derive(Debug, Clone)]
pub enum RedisPlace {
    One(SecretString),
    /// Any of these leads to the others.
    Cluster(Vec<SecretString>),
    /// These know which server of this name is the master; it takes the same user and password.
    Sentinel {
        sentinels: Vec<SecretString>,
        master: String,
    },
}

impl RedisPlace {
    fn urls(&self) -> &[SecretString] {
        match self {
            Self::One(url) => std::slice::from_ref(url),
            Self::Cluster(urls)
            | Self::Sentinel {
                sentinels: urls, ..
            } => urls,
        }
    }
}

/// How to reach and use Redis.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    pub place: Option<RedisPlace>,
    pub timeout: Duration,
}

impl RedisConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let text = reader.raw("REDIS_URL");
        let text = text.as_ref().map(|text| text.trim());
        let place = text.and_then(|text| {
            let place = parse(text);
            if let Some(url) = place.iter().flat_map(RedisPlace::urls).next() {
                secrets::judge_url(reader, "REDIS_URL", url.expose_secret());
            } else {
                reader.refuse(
                    "REDIS_URL",
                    "must be of the form redis://host:6379/0, redis://host:6379,host:6379 or redis+sentinel://host:26379,host:26379/master-name",
                );
            }
            place
        });
        Self {
            place,
            timeout: Duration::from_millis(reader.number("REDIS_TIMEOUT_MS", 5..=5_000)),
        }
    }

    /// Whether what goes to Redis can leave the machine unencrypted.
    pub fn may_be_in_clear(&self) -> bool {
        let urls = self.place.iter().flat_map(RedisPlace::urls);
        let mut urls = urls.filter_map(|url| Url::parse(url.expose_secret()).ok());
        urls.any(|url| url.scheme() == "redis" && !url.host_str().is_some_and(is_loopback))
    }
}

/// `scheme://[user:password@]host[:port][,host[:port]]..[/path]`
fn parse(text: &str) -> Option<RedisPlace> {
    let (scheme, rest) = text.split_once("://")?;
    let (plain, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
    if !matches!(plain, "redis" | "rediss") {
        return None;
    }
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (format!("{login}@"), rest),
        None => (String::new(), rest),
    };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let many = hosts.contains(',');
    let number = if kind.is_empty() && !many { path } else { "" };
    let urls = hosts.split(',').map(|host| {
        let url = format!("{plain}://{login}{}/{number}", host.trim());
        let parsed = Url::parse(&url).ok()?;
        parsed.host_str().filter(|host| !host.is_empty())?;
        Some(SecretString::from(url))
    });
    let mut urls = urls.collect::<Option<Vec<_>>>()?;
    match (kind, path) {
        ("", number) if !many => {
            let is_number = number.is_empty() || number.parse::<u16>().is_ok();
            urls.pop().filter(|_| is_number).map(RedisPlace::One)
        }
        ("" | "cluster", "") => Some(RedisPlace::Cluster(urls)),
        ("sentinel", master) if !master.is_empty() && !master.contains('/') => {
            Some(RedisPlace::Sentinel {
                sentinels: urls,
                master: master.to_owned(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    fn shown(text: &str) -> Option<String> {
        let list = |urls: &[SecretString]| {
            let urls: Vec<_> = urls.iter().map(ExposeSecret::expose_secret).collect();
            urls.join(" ")
        };
        Some(match parse(text)? {
            RedisPlace::One(url) => format!("one {}", url.expose_secret()),
            RedisPlace::Cluster(urls) => format!("cluster {}", list(&urls)),
            RedisPlace::Sentinel { sentinels, master } => {
                format!("{master} by {}", list(&sentinels))
            }
        })
    }

    #[test]
    fn each_form_leads_to_its_servers() {
        for (text, place) in [
            ("redis://h", "one redis://h/"),
            ("rediss://u:p@h:1/3", "one rediss://u:p@h:1/3"),
            ("redis://:p@[::1]:1", "one redis://:p@[::1]:1/"),
            ("redis://a:1,b:2", "cluster redis://a:1/ redis://b:2/"),
            ("rediss+cluster://u:p@a", "cluster rediss://u:p@a/"),
            (
                "redis+sentinel://:p@a:1, b:2/main",
                "main by redis://:p@a:1/ redis://:p@b:2/",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "h:1",
            "http://h",
            "redis://",
            "redis://h/x",
            "redis://h:port",
            "redis://a,b/1",
            "redis://a,,b",
            "redis+cluster://a/1",
            "redis+sentinel://a",
            "redis+sentinel://a/m/0",
            "redis+other://a",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,60}", tail in ".{0,40}") {
            let _ = parse(&text);
            let _ = parse(&format!("redis+sentinel://{tail}"));
        }
    }
}
