//! No value of a secret setting is ever shown, told or printed, whatever it is and wherever it stands.

use crate::config::{
    Config, Sources,
    setting::{self, Secrecy},
    sources::ConfigFile,
};
use proptest::prelude::*;
use std::fs;
use zeroize::Zeroizing;

const CANARY: &str = "Canary7f3a9c";

/// Everything that can be seen of these sources: errors, or what is shown and printed.
fn seen(sources: &Sources) -> String {
    match Config::load(sources) {
        Ok(config) => {
            let shown: Vec<_> = config
                .shown()
                .iter()
                .map(|shown| (shown.name, &shown.value))
                .collect();
            format!("{config:?}\n{shown:?}")
        }
        Err(error) => format!("{error}\n{error:?}"),
    }
}

fn secrets() -> Vec<&'static str> {
    setting::all()
        .filter(|setting| setting.secrecy == Secrecy::Secret)
        .map(|setting| setting.name)
        .collect()
}

fn around_the_canary() -> impl Strategy<Value = String> {
    ("\\PC{0,40}", "\\PC{0,40}").prop_map(|(before, after)| format!("{before}{CANARY}{after}"))
}

#[test]
fn a_taken_secret_is_shown_as_stars_only() {
    let taken: Vec<(&str, &str)> = vec![
        ("JWT_SECRET_KEY", CANARY),
        ("METRICS_TOKEN", CANARY),
        ("ADMIN_PASSWORD", CANARY),
        (
            "DATABASE_URL",
            "postgresql://u:Canary7f3a9c@db/x?password=Canary7f3a9c",
        ),
        ("SMTP_URL", "smtp://u:Canary7f3a9c@mail.x.io"),
    ];
    let text = seen(&Sources::for_tests(&taken));
    assert!(text.contains(r#"("JWT_SECRET_KEY", Some("***"))"#));
    assert!(text.contains("smtp://u:***@mail.x.io"));
    assert!(!text.contains(CANARY), "{text}");
}

#[test]
fn no_address_of_a_person_is_printed_for_debugging() {
    let config = Config::for_tests(&[("ADMIN_EMAIL", "canary@x.io")]).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_refused_value_is_repeated(value in around_the_canary(), production: bool) {
        for setting in setting::all() {
            let environment = if production { "production" } else { "development" };
            let pairs = [("ENVIRONMENT", environment), (setting.name, value.as_str())];
            if let Err(error) = Config::load(&Sources::for_tests(&pairs)) {
                prop_assert!(!format!("{error}{error:?}").contains(CANARY), "{}", setting.name);
            }
        }
    }

    #[test]
    fn no_secret_is_seen(value in around_the_canary()) {
        for name in secrets() {
            prop_assert!(!seen(&Sources::for_tests(&[(name, &value)])).contains(CANARY), "{}", name);
        }
        for name in ["DATABASE_URL", "SMTP_URL"] {
            for scheme in ["postgresql", "smtp", "sqlite+x"] {
                let url = format!("{scheme}://user:{value}@host/x");
                let error = Config::load(&Sources::for_tests(&[(name, &url)])).err();
                prop_assert!(!format!("{error:?}").contains(CANARY), "{}", name);
            }
        }
    }

    #[test]
    fn no_broken_source_is_quoted(text in around_the_canary(), prefix in "[A-Za-z_]{0,16}[=\\[ '\"]{0,3}") {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{prefix}{text}");
        let path = folder.path().join("usher.toml");
        fs::write(&path, &text).unwrap();
        let dotenv = folder.path().join(".env");
        fs::write(&dotenv, &text).unwrap();
        let mut sources = Sources::for_tests(&[]);
        sources.file = Some(ConfigFile { path, required: true });
        sources.dotenv = Some(dotenv);
        sources.set.push(Zeroizing::new(text));
        if let Err(error) = Config::load(&sources) {
            let seen = error.to_string().replace(&folder.path().display().to_string(), "");
            prop_assert!(!seen.contains(CANARY), "{}", seen);
        }
    }
}
