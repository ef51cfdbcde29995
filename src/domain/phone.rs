//! Telephone numbers in international form (ITU-T E.164): `+31612345678`.

use super::error::Fault;

/// Longer than any number with all the marks that people put into it.
const MAX_BYTES: usize = 40;

/// A number with its country code, as people write it; gives the E.164 form.
pub fn phone(text: &str) -> Result<String, Fault> {
    const FAULT: Fault = Fault::new(
        "format",
        "This is not a telephone number with its country code such as +31 6 12345678.",
    );
    let text = text.trim();
    let is_lawful =
        |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}');
    let Some(rest) = text.strip_prefix('+') else {
        return Err(FAULT);
    };
    // No country code begins with 0.
    let is_national = rest
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .starts_with('0');
    if text.len() > MAX_BYTES || is_national || !rest.chars().all(is_lawful) {
        return Err(FAULT);
    }
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '/' | '\u{a0}'))
        .collect();
    phonelib::normalize_phone_number(&plain).ok_or(FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_gets_its_international_form() {
        for (text, number) in [
            ("+31612345678", "+31612345678"),
            (" +31 6 1234 5678 ", "+31612345678"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("+1 (202) 555-0173", "+12025550173"),
            ("+1.202.555.0173", "+12025550173"),
            ("+49 30/123456", "+4930123456"),
        ] {
            assert_eq!(phone(text).as_deref(), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for text in [
            "",
            "+",
            "0612345678",
            "0031612345678",
            "31612345678",
            "+0612345678",
            "+31",
            "+311",
            "+31612345678901234",
            "+99999999999",
            "+31 6 1234 567x",
            "+31 6 1234 5678 ext. 5",
            "+31;phone-context=x",
            "+31612345678,1",
            "++31612345678",
            "+٣١٦١٢٣٤٥٦٧٨",
            &format!("+{}", "1".repeat(100_000)),
        ] {
            assert_eq!(phone(text).unwrap_err().code, "format", "{text:.30}");
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_as_itself(text in "\\+[0-9 ()./-]{1,20}|\\PC{0,20}") {
            if let Ok(number) = phone(&text) {
                prop_assert!(number.len() <= 16 && number.starts_with('+'));
                prop_assert_eq!(phone(&number), Ok(number));
            }
        }
    }
}
