//! Names to sign in by. They are shown as typed and unique by [`Username::key`]; the alphabet keeps them apart from
//! e-mail addresses, so the sign-in form can take either.

use super::error::Fault;

const MIN: usize = 3;
const MAX: usize = 32;

/// 3 to 32 of `A-Z a-z 0-9 . _ -`, as the person typed it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Reads a name; it begins with a letter or digit, and no two separators stand side by side.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX {
            return Err(Fault::new(
                "too_long",
                "A username has at most 32 characters.",
            ));
        }
        if text.len() < MIN {
            return Err(Fault::new(
                "too_short",
                "A username has at least 3 characters.",
            ));
        }
        let mut after_separator = true;
        for c in text.chars() {
            let separator = matches!(c, '.' | '_' | '-');
            if !(c.is_ascii_alphanumeric() || separator && !after_separator) {
                return Err(Fault::new(
                    "format",
                    "A username consists of letters, digits and single . _ - between them.",
                ));
            }
            after_separator = separator;
        }
        Ok(Self(text.to_owned()))
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lower case: what no two accounts share.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl std::fmt::Debug for Username {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Username(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_the_alphabet_are_read() {
        for name in ["abc", "a.b", "A_b-c.d", "007", &"x".repeat(32)] {
            assert_eq!(Username::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_text_is_refused_with_its_reason() {
        for (name, code) in [
            ("", "too_short"),
            ("ab", "too_short"),
            (&"x".repeat(33), "too_long"),
            (".abc", "format"),
            ("-abc", "format"),
            ("a..b", "format"),
            ("a._b", "format"),
            ("a@b.io", "format"),
            ("a bc", "format"),
            (" abc", "format"),
            ("abc\n", "format"),
            ("ünal", "format"),
            ("ab\0c", "format"),
        ] {
            assert_eq!(Username::parse(name).unwrap_err().code, code, "{name:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_share_their_key() {
        let key = |name| Username::parse(name).unwrap().key();
        assert_eq!(key("Ada.L"), key("aDA.l"));
    }

    proptest! {
        #[test]
        fn a_name_reads_as_itself_or_not_at_all(text in any::<String>()) {
            if let Ok(name) = Username::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }

        #[test]
        fn no_name_is_an_address(text in "[a-zA-Z0-9._@-]{0,40}") {
            if let Ok(name) = Username::parse(&text) {
                prop_assert!(!name.as_str().contains('@'));
                prop_assert_eq!(Username::parse(&name.key()).unwrap().key(), name.key());
            }
        }
    }
}
