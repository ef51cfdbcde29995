//! What mail clients make links of though nobody marked it as one.

use super::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// Whether a name can stand in a mail without a mail client making a link of it.
pub fn fits_in_mail(name: &str) -> bool {
    // NFKC turns full-width letters and dots into what a linkifier would see; what cannot be seen it may leave out.
    let name: String = name
        .nfkc()
        .filter(|c| !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let name = name.replace('\u{3002}', ".");
    !name.contains("www.")
        && !name.contains(['@', '/', '\\', ':'])
        && !name.split_whitespace().any(looks_like_a_host)
}

/// Two letters or more right after a dot that stands alone and does not begin the word.
fn looks_like_a_host(word: &str) -> bool {
    word.match_indices('.').any(|(at, dot)| {
        let (before, after) = word.split_at(at);
        let label = after.trim_start_matches(dot);
        !before.is_empty()
            && !before.ends_with(dot)
            && label.len() + dot.len() == after.len()
            && label.chars().take(2).filter(|c| c.is_alphabetic()).count() == 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_would_become_links_do_not_fit_in_a_mail() {
        for name in [
            "evil.com",
            "Click https://evil",
            "www.evil",
            "a@b",
            "x/y",
            "Win at t.co now",
            "Ｅvil．com",
            "evil。com",
            "(evil.com)",
            "WWW.x",
            "evil.\u{ad}com",
            "evil.\u{200b}com",
            "evil\u{200d}.com",
            "w\u{2060}ww.x",
            "evil-.com",
            "evil_.com",
            "evi\u{30c}.com",
            "💩.la",
            "mailto:evil",
            "javascript:alert(1)",
            "tel：+31207946095",
        ] {
            assert!(!fits_in_mail(name), "{name}");
        }
    }

    #[test]
    fn names_of_people_fit_in_a_mail() {
        for name in [
            "Ada Lovelace",
            "J. R. R. Tolkien",
            "J.R.R. Tolkien",
            "Dr. No",
            "Martin Luther King Jr.",
            "O'Neil-Smith",
            "René",
            "Wait... what",
            "...and Co",
            "family 👩\u{200d}👧",
            "می\u{200c}خواهم",
            "李小龍",
        ] {
            assert!(fits_in_mail(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_cannot_be_seen_changes_nothing(name in "[a-c.:@\u{200d}\u{ad} -]{0,8}") {
            let seen: String = name.chars().filter(|c| !is_invisible(*c)).collect();
            prop_assert_eq!(fits_in_mail(&name), fits_in_mail(&seen));
        }

        #[test]
        fn any_name_is_judged(name in any::<String>()) {
            let _ = fits_in_mail(&name);
        }
    }
}
