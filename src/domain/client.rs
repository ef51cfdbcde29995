//! Who is on the other end of the wire: address, user agent and request id. All but the id is personal, so it does not
//! print; what the user agent says is for people to read and for telling devices apart, never for a decision of trust.

use super::id::UserId;
use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use woothee::{parser::Parser, woothee::VALUE_UNKNOWN};

const MAX_USER_AGENT_BYTES: usize = 512;

/// Programs that woothee does not know, by the beginning of their user agent.
const PROGRAMS: [(&str, &str); 9] = [
    ("curl/", "curl"),
    ("wget/", "Wget"),
    ("python-requests/", "python-requests"),
    ("python-httpx/", "python-httpx"),
    ("okhttp/", "okhttp"),
    ("postmanruntime/", "Postman"),
    ("dart/", "Dart"),
    ("go-http-client/", "Go"),
    ("node", "Node.js"),
];

/// Where a request came from.
#[derive(Clone)]
pub struct Client {
    /// Address of the peer, as far as trusted proxies tell.
    pub ip: Option<IpAddr>,
    /// At most 512 bytes without control characters; made by [`Client::new`].
    pub user_agent: Option<String>,
    /// Ties log lines, audit rows and the answer together.
    pub request_id: String,
    pub trace: Trace,
}

/// What has come of one request so far; clones share it, so that whoever sees the answer leave knows it, too.
#[derive(Clone, Default)]
pub struct Trace(Arc<Traced>);

#[derive(Default)]
struct Traced {
    is_audited: AtomicBool,
    is_past_limit: AtomicBool,
    user: OnceLock<UserId>,
}

impl Trace {
    /// The audit trail tells of the request.
    pub fn note_audited(&self) {
        self.0.is_audited.store(true, Ordering::Relaxed);
    }

    /// Whether the audit trail tells of the request.
    pub fn is_audited(&self) -> bool {
        self.0.is_audited.load(Ordering::Relaxed)
    }

    /// Its source has asked for too many mails: it gets the usual answer, and no mail.
    pub fn note_past_limit(&self) {
        self.0.is_past_limit.store(true, Ordering::Relaxed);
    }

    /// Whether it is to get nothing but its answer.
    pub fn is_past_limit(&self) -> bool {
        self.0.is_past_limit.load(Ordering::Relaxed)
    }

    /// The request was made by this person; only the first word counts.
    pub fn note_user(&self, id: UserId) {
        self.0.user.get_or_init(|| id);
    }

    /// Who made the request, as far as it has turned out.
    pub fn user(&self) -> Option<UserId> {
        self.0.user.get().copied()
    }
}

/// The device of a session, in words.
#[expect(
    clippy::struct_field_names,
    reason = "the names on the wire of a session"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// `Firefox on Linux`, `curl`, `Unknown device`.
    pub device: String,
    pub browser: Option<String>,
    pub os: Option<String>,
}

impl Client {
    /// Of a request; the user agent is cut and cleaned.
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&str>, request_id: String) -> Self {
        let user_agent = user_agent.map(clean).filter(|text| !text.is_empty());
        Self {
            ip,
            user_agent,
            request_id,
            trace: Trace::default(),
        }
    }

    /// The command line or a job: no address, no user agent.
    pub fn local(request_id: impl Into<String>) -> Self {
        Self::new(None, None, request_id.into())
    }

    /// Browser and system by the user agent.
    pub fn device(&self) -> Device {
        let (browser, os) = self.user_agent.as_deref().map_or((None, None), recognise);
        let device = match (&browser, &os) {
            (Some(browser), Some(os)) => format!("{browser} on {os}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => "Unknown device".to_owned(),
        };
        Device {
            device,
            browser,
            os,
        }
    }

    /// The neighbourhood of the address: its /24, or /48 for IPv6.
    pub fn network(&self) -> Option<String> {
        Some(match self.ip?.to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                let prefix = std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
                format!("{prefix}/48")
            }
        })
    }

    /// `browser|os|network`, by which a device is known again; versions do not count.
    pub fn device_key(&self) -> String {
        let Device { browser, os, .. } = self.device();
        format!(
            "{}|{}|{}",
            browser.unwrap_or_default(),
            os.unwrap_or_default(),
            self.network().unwrap_or_default()
        )
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

fn clean(user_agent: &str) -> String {
    let end = user_agent.floor_char_boundary(MAX_USER_AGENT_BYTES);
    let (kept, _) = user_agent.split_at(end);
    let kept: String = kept
        .chars()
        // One byte for each: the cut at 512 bytes holds.
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    kept.trim().to_owned()
}

fn recognise(user_agent: &str) -> (Option<String>, Option<String>) {
    let lower = user_agent.to_ascii_lowercase();
    if let Some((_, name)) = PROGRAMS.iter().find(|(start, _)| lower.starts_with(start)) {
        return (Some((*name).to_owned()), None);
    }
    let Some(found) = Parser::new().parse(user_agent) else {
        return (None, None);
    };
    let known = |name: &str| {
        let known = !name.is_empty() && name != VALUE_UNKNOWN;
        known.then(|| name.to_owned())
    };
    (known(found.name), known(system(found.os)))
}

/// woothee names each release of Windows; people know the family.
fn system(os: &str) -> &str {
    match os {
        "Mac OSX" => "macOS",
        "iPhone" | "iPad" | "iPod" | "iOS" => os,
        _ if os.starts_with("Windows") && !os.contains("Phone") => "Windows",
        _ => os,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(ip: &str, user_agent: &str) -> Client {
        Client::new(ip.parse().ok(), Some(user_agent), "r1".to_owned())
    }

    #[test]
    fn a_device_is_named_as_people_know_it() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32.3", "python-requests"),
            ("okhttp/4.12.0", "okhttp"),
            ("PostmanRuntime/7.39.0", "Postman"),
            ("Dart/3.4 (dart:io)", "Dart"),
            ("something else", "Unknown device"),
            ("", "Unknown device"),
        ] {
            assert_eq!(client("", user_agent).device().device, name, "{user_agent}");
        }
    }

    #[test]
    fn neighbours_share_a_network() {
        assert_eq!(
            client("203.0.113.9", "").network().unwrap(),
            "203.0.113.0/24"
        );
        assert_eq!(
            client("::ffff:203.0.113.9", "").network().unwrap(),
            "203.0.113.0/24"
        );
        assert_eq!(
            client("2001:db8:7:1::5", "").network().unwrap(),
            "2001:db8:7::/48"
        );
        assert_eq!(Client::local("r1").network(), None);
    }

    #[test]
    fn a_new_browser_version_is_the_same_device_and_another_network_is_not() {
        let firefox = |version| {
            format!(
                "Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
            )
        };
        let key = |ip, version| client(ip, &firefox(version)).device_key();
        assert_eq!(key("203.0.113.9", 127), key("203.0.113.200", 128));
        assert_ne!(key("203.0.113.9", 127), key("203.0.114.9", 127));
        assert_eq!(key("203.0.113.9", 127), "Firefox|Linux|203.0.113.0/24");
    }

    #[test]
    fn a_client_prints_neither_address_nor_user_agent() {
        let printed = format!("{:?}", client("203.0.113.9", "curl/8.5.0"));
        assert!(
            !printed.contains("203") && !printed.contains("curl"),
            "{printed}"
        );
    }

    proptest! {
        #[test]
        fn any_user_agent_is_cut_cleaned_and_named(text in "(Mozilla/5.0 |Windows NT |[\\x00-\\x20])?(.|\n){0,700}") {
            let client = client("203.0.113.9", &text);
            if let Some(kept) = &client.user_agent {
                prop_assert!(kept.len() <= 512);
                prop_assert!(!kept.contains(char::is_control));
                let again = Client::new(None, Some(kept), String::new());
                prop_assert_eq!(again.user_agent.as_ref(), Some(kept));
            }
            prop_assert!(!client.device().device.is_empty());
        }
    }
}
