//! Addresses, filters and pauses of webhooks.

use super::*;
use proptest::prelude::*;

fn refused(text: &str) -> &'static str {
    Endpoint::parse(text, false).unwrap_err().code
}

#[test]
fn x5_a_private_network_is_refused_however_it_is_spelt() {
    for text in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://１２７.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://0/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://10.0.0.1:8443/hook",
    ] {
        assert_eq!(refused(text), "private_address", "{text}");
        assert!(Endpoint::parse(text, true).is_ok(), "{text}");
    }
}

#[test]
fn x5_only_web_addresses_are_taken() {
    for text in [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com/#fragment",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[fe80::1%25eth0]/",
        "//example.com/",
        "https://exa mple.com/",
        "",
    ] {
        assert_eq!(refused(text), "format", "{text}");
        assert!(Endpoint::parse(text, true).is_err(), "{text}");
    }
    assert_eq!(refused("http://example.com/"), "https_required");
    assert!(Endpoint::parse("http://example.com/", true).is_ok());
    let long = format!("https://example.com/{}", "a".repeat(2000));
    assert_eq!(refused(&long), "too_long");
}

#[test]
fn an_address_keeps_its_path_and_query_and_does_not_print() {
    let endpoint = Endpoint::parse("https://Example.com/in?token=abc", false).unwrap();
    assert_eq!(endpoint.url().as_str(), "https://example.com/in?token=abc");
    assert_eq!(endpoint.host(), "example.com");
    assert!(!format!("{endpoint:?}").contains("abc"));
}

#[test]
fn a_filter_takes_what_it_names() {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let some = EventFilter::parse(&names(&["user.deleted", "user.created", "user.deleted"]));
    let some = some.unwrap();
    assert_eq!(some.names(), ["user.created", "user.deleted"]);
    assert!(some.takes("user.created") && !some.takes("user.updated"));
    assert!(!some.takes("user.unheard_of"));
    assert_eq!(EventFilter::read(&some.to_text()), some);
    let all = EventFilter::parse(&names(&["user.created", "*"])).unwrap();
    assert!(all.takes("user.updated") && all.takes("user.unheard_of"));
    assert_eq!(EventFilter::read(&all.to_text()), EventFilter::All);
    for (wrong, code) in [
        (names(&[]), "too_short"),
        (names(&["user.unheard_of"]), "unknown_value"),
        (names(&["USER.CREATED"]), "unknown_value"),
        (vec!["*".to_owned(); 51], "too_long"),
    ] {
        assert_eq!(EventFilter::parse(&wrong).unwrap_err().code, code);
    }
}

#[test]
fn a_delivery_is_tried_ten_times_over_a_little_more_than_three_days() {
    let pauses: Vec<Duration> = (1..).map_while(pause_after).collect();
    assert_eq!(pauses.len(), 9);
    assert!(pauses.is_sorted());
    let whole: Duration = pauses.iter().sum();
    assert!(whole > PATIENCE && whole < PATIENCE + Duration::from_hours(4));
    assert_eq!(pause_after(0), None);
}

proptest! {
    #[test]
    fn x5_no_text_becomes_a_private_address(text in "https://[0-9a-fx.:\\[\\]]{1,30}/?|https?://\\PC{0,30}") {
        if let Ok(endpoint) = Endpoint::parse(&text, false) {
            prop_assert!(endpoint.literal().is_none_or(is_public));
            prop_assert_eq!(Endpoint::parse(endpoint.url().as_str(), false), Ok(endpoint));
        }
    }

    #[test]
    fn no_list_of_names_breaks_the_reading(names in proptest::collection::vec("\\PC{0,20}", 0..5)) {
        if let Ok(filter) = EventFilter::parse(&names) {
            prop_assert_eq!(EventFilter::read(&filter.to_text()), filter);
        }
    }
}
