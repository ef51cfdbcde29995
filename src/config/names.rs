//! Which names are settings, what an unknown one probably meant, and which may be repeated in an error: a name that
//! looks like no name can be a piece of a secret that slipped into the wrong place.

use super::setting::{self, Setting};

/// Below this likeness a hint confuses more than it helps.
const LIKE_ENOUGH: f64 = 0.84;

/// Longer than every name of ours.
const LONGEST: usize = 48;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    /// The value itself.
    Value(&'static Setting),
    /// A file that holds the value.
    File(&'static Setting),
}

/// Reads a name as it is written in the environment.
pub(super) fn resolve(name: &str) -> Option<Named> {
    if let Some(setting) = setting::find(name) {
        return Some(Named::Value(setting));
    }
    let setting = setting::find(name.strip_suffix("_FILE")?)?;
    setting.may_come_from_file().then_some(Named::File(setting))
}

/// Says that a name is unknown, and which was probably meant.
pub(super) fn unknown(place: &str, name: &str, lower_case: bool) -> String {
    let written = |name: &str| {
        if lower_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    };
    let subject = if is_presentable(name, lower_case) {
        format!("{place}: there is no setting {name}")
    } else {
        format!("{place}: a name is not that of a setting")
    };
    match nearest(name) {
        Some(near) => format!("{subject}; did you mean {}?", written(near)),
        None => subject,
    }
}

fn is_presentable(name: &str, lower_case: bool) -> bool {
    name.len() <= LONGEST
        && name.bytes().all(|byte| {
            byte == b'_'
                || byte.is_ascii_digit()
                || (if lower_case {
                    byte.is_ascii_lowercase()
                } else {
                    byte.is_ascii_uppercase()
                })
        })
}

fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST {
        return None;
    }
    let upper = name.to_uppercase();
    let upper = upper.strip_prefix("USHER_").unwrap_or(&upper);
    let upper = upper.strip_suffix("_FILE").unwrap_or(upper);
    setting::all()
        .map(|setting| (strsim::jaro_winkler(upper, setting.name), setting.name))
        .filter(|(likeness, _)| *likeness >= LIKE_ENOUGH)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Whether Kubernetes put the variable there because a service is called `usher` or `usher-...`: such a variable is
/// nobody's mistake.
pub(super) fn is_service_link(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("USHER_") else {
        return false;
    };
    let rest = format!("_{rest}");
    rest.contains("_SERVICE_HOST")
        || rest.contains("_SERVICE_PORT")
        || rest.ends_with("_PORT")
        || rest.split("_PORT_").skip(1).any(|after| {
            after
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_hold_a_secret_may_come_from_a_file() {
        assert!(matches!(
            resolve("JWT_SECRET_KEY_FILE"),
            Some(Named::File(_))
        ));
        assert!(matches!(resolve("DATABASE_URL_FILE"), Some(Named::File(_))));
        assert!(resolve("LISTEN_FILE").is_none());
        assert!(matches!(resolve("SMTP_CA_FILE"), Some(Named::Value(_))));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_known_one() {
        assert_eq!(
            unknown(".env", "DATABSE_URL", false),
            ".env: there is no setting DATABSE_URL; did you mean DATABASE_URL?"
        );
        assert_eq!(
            unknown("environment", "USHER_LISTEN", false),
            "environment: there is no setting USHER_LISTEN; did you mean LISTEN?"
        );
        assert_eq!(
            unknown("usher.toml", "rate_limit_logins", true),
            "usher.toml: there is no setting rate_limit_logins; did you mean rate_limit_login?"
        );
        assert_eq!(
            unknown("--set", "ZZZ", false),
            "--set: there is no setting ZZZ"
        );
    }

    #[test]
    fn a_name_that_looks_like_none_is_not_repeated() {
        let text = unknown(".env", "aGVsbG8gd29ybGQhISEhISEhISE", false);
        assert!(!text.contains("aGVsbG8"));
        assert!(!unknown("--set", &"A".repeat(100), false).contains("AAA"));
    }

    #[test]
    fn variables_that_kubernetes_makes_are_nobodys_mistake() {
        for name in [
            "USHER_SERVICE_HOST",
            "USHER_SERVICE_PORT_HTTP",
            "USHER_PORT",
            "USHER_PORT_8001_TCP_ADDR",
            "USHER_ADMIN_PORT_9001_TCP",
        ] {
            assert!(is_service_link(name), "{name}");
        }
        for name in [
            "USHER_LISTEN",
            "USHER_PORTAL",
            "LISTEN_PORT",
            "USHER_PORT_NAME",
        ] {
            assert!(!is_service_link(name), "{name}");
        }
    }
}
