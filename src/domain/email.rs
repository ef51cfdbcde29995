//! E-mail addresses in their one canonical form: NFC, lower case, domain in ASCII (IDNA). Uniqueness, blind index and
//! rate limits all rest on that form, so a change here needs a migration of every stored address.

use super::{error::Fault, text};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
/// Composing and lower-casing shrink a text by less than this factor, so nothing longer can be a lawful address.
const MAX_INPUT_BYTES: usize = 4 * MAX_BYTES;

const FORMAT: Fault = Fault::new("format", "This is not an e-mail address.");
const TOO_LONG: Fault = Fault::new(
    "too_long",
    "The e-mail address is too long (at most 254 bytes, 64 before the @).",
);

/// An address (RFC 5321, RFC 6531 local part); equal when it is the same mailbox for us.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address as people type it; quoted local parts and IP literals are refused.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let address = Self::kept(text)?;
        // Mail programs would read an encoded word (RFC 2047) as the text that it stands for: another address.
        if address.local().contains("=?") {
            return Err(FORMAT);
        }
        Ok(address)
    }

    /// Reads an address that was taken before, perhaps when more was lawful.
    pub fn kept(text: &str) -> Result<Self, Fault> {
        // A line break or tab is no slip of the finger, but perhaps the beginning of another header field.
        let text = text.trim_matches(|c: char| c.is_whitespace() && !c.is_control());
        if text.len() > MAX_INPUT_BYTES {
            return Err(TOO_LONG);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(FORMAT)?;
        let local = canonical_local(local)?;
        let domain = canonical_domain(domain)?;
        if local.len() > MAX_LOCAL_BYTES || local.len() + 1 + domain.len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    /// The domain in ASCII.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// For people who may not see all of it: `a***@x.io`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.parts();
        let first: String = local.chars().take(1).collect();
        format!("{first}***@{domain}")
    }

    fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('@').unwrap_or((&self.0, ""))
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

/// A dot-atom whose atoms are RFC 5321 `atext`, letters, digits and the marks that belong to them.
fn canonical_local(local: &str) -> Result<String, Fault> {
    let composed: String = local.nfc().collect();
    let local: String = composed.to_lowercase().nfc().collect();
    if local.split('.').all(is_atom) {
        Ok(local)
    } else {
        Err(FORMAT)
    }
}

fn is_atom(atom: &str) -> bool {
    let mut base = '\0';
    for c in atom.chars() {
        let lawful = if c.is_ascii() {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
        } else if text::is_invisible(c) {
            false
        } else if is_combining_mark(c) {
            // A mark on an ASCII letter that does not compose with it only serves to imitate another address.
            !base.is_ascii()
        } else {
            c.is_alphanumeric()
        };
        if !lawful {
            return false;
        }
        base = c;
    }
    !atom.is_empty()
}

fn canonical_domain(domain: &str) -> Result<String, Fault> {
    let composed: String = domain.nfc().collect();
    let ascii = idna::domain_to_ascii_strict(&composed).map_err(|_| fault_of(&composed))?;
    let top_level = ascii.rsplit_once('.').map(|(_, last)| last);
    match top_level {
        Some(last) if !last.bytes().all(|b| b.is_ascii_digit()) => Ok(ascii),
        _ => Err(FORMAT),
    }
}

/// Why a domain cannot be read: all that may be wrong with it is its length, or that of a label (RFC 1035).
fn fault_of(domain: &str) -> Fault {
    let Ok(ascii) = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3) else {
        return FORMAT;
    };
    let is_long = ascii.len() > 253 || ascii.split('.').any(|label| label.len() > 63);
    if is_long && !ascii.split('.').any(str::is_empty) {
        TOO_LONG
    } else {
        FORMAT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn code(text: &str) -> &'static str {
        EmailAddress::parse(text).unwrap_err().code
    }

    #[test]
    fn spellings_of_one_mailbox_are_equal() {
        for spelling in ["A@x.io", "a@X.IO", " a@x.io ", "a@\u{ff58}.io"] {
            assert_eq!(parsed(spelling), parsed("a@x.io"), "{spelling}");
        }
        assert_eq!(parsed("jose\u{301}@x.io"), parsed("JOSÉ@x.io"));
        assert_eq!(parsed("a@bücher.de").as_str(), "a@xn--bcher-kva.de");
        assert_eq!(parsed("a@BÜCHER.de"), parsed("a@xn--bcher-kva.de"));
    }

    #[test]
    fn different_mailboxes_stay_different() {
        assert_ne!(parsed("a+tag@x.io"), parsed("a@x.io"));
        assert_ne!(parsed("m\u{131}ke@x.io"), parsed("mike@x.io"));
        assert_ne!(parsed("a.b@x.io"), parsed("ab@x.io"));
        assert_ne!(parsed("\u{430}@x.io"), parsed("a@x.io"));
    }

    #[test]
    fn text_that_is_no_dot_atom_at_a_domain_is_refused() {
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@x.io",
            "a@b",
            "a@b@x.io",
            "a..b@x.io",
            ".a@x.io",
            "a.@x.io",
            "\"a b\"@x.io",
            "a b@x.io",
            "a@x.io\r\nBcc: b@x.io",
            "a\0@x.io",
            "a\u{7}@x.io",
            "a@x.io\n",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@x.1",
            "a@x..io",
            "a@x.io.",
            "a@-x.io",
            "a@x_y.io",
            "a@x io",
            "a<b>@x.io",
            "a,b@x.io",
            "a\u{200b}b@x.io",
            "a\u{202e}b@x.io",
            "i\u{307}@x.io",
            "\u{130}@x.io",
            "a@xn--a.io",
            "a%@x.io@",
            "a\u{3164}@x.io",
            "=?utf-8?q?a=2cevil=40evil.example=3c?=@x.io",
            "=?UTF-8?B?YWRtaW4=?=@x.io",
            "a.=?us-ascii?q?b?=@x.io",
        ] {
            assert_eq!(code(text), "format", "{text:?}");
        }
        parsed("a=b?c=d@x.io");
    }

    #[test]
    fn an_address_that_was_taken_before_stays_readable() {
        let old = "=?utf-8?q?admin?=@x.io";
        assert_eq!(EmailAddress::kept(old).unwrap().as_str(), old);
    }

    #[test]
    fn the_lengths_of_the_standard_are_kept_to() {
        let local = "a".repeat(64);
        let domain = format!("{0}.{0}.{1}.io", "b".repeat(63), "c".repeat(57));
        assert_eq!(parsed(&format!("{local}@{domain}")).as_str().len(), 253);
        assert_eq!(code(&format!("{local}@c{domain}x")), "too_long");
        assert_eq!(code(&format!("a{local}@x.io")), "too_long");
        let full = format!("{0}.{0}.{0}.{1}.io", "b".repeat(63), "c".repeat(55));
        assert_eq!(code(&format!("abcd@{full}")), "too_long");
    }

    #[test]
    fn an_address_that_is_only_too_long_is_told_so() {
        let labels = |count: usize| format!("{}io", "abcdefgh.".repeat(count));
        parsed(&format!("a@{}", labels(27)));
        for domain in [
            labels(28),
            labels(29),
            labels(60),
            format!("{}.io", "x".repeat(64)),
        ] {
            assert_eq!(code(&format!("a@{domain}")), "too_long", "{domain}");
        }
        parsed(&format!("a@{}.io", "x".repeat(63)));
        assert_eq!(code(&format!("a@{}..io", "x".repeat(300))), "format");
        assert_eq!(code(&format!("a@{}_.io", "x".repeat(300))), "format");
    }

    #[test]
    fn white_space_around_is_no_part_of_the_address() {
        for typed in [
            "\u{a0}a@x.io",
            "a@x.io\u{3000}",
            "\u{2003} a@x.io \u{2009}",
            "a@x.io\u{2028}",
        ] {
            assert_eq!(parsed(typed), parsed("a@x.io"), "{typed:?}");
        }
    }

    #[test]
    fn scripts_that_need_marks_are_read() {
        for text in ["क्षमा@x.io", "ผู้ใช้@x.io", "用户@例子.广告"] {
            parsed(text);
        }
    }

    #[test]
    fn an_oversized_address_is_refused_by_its_length_whatever_it_is() {
        let labels = format!("a@{}io", "x.".repeat(10_000));
        assert_eq!(code(&labels), "too_long");
        assert_eq!(code(&format!("{}@x.io", "a".repeat(1_000_000))), "too_long");
        assert_eq!(code(&"@".repeat(1_000_000)), "too_long");
    }

    #[test]
    fn an_address_prints_masked() {
        assert_eq!(parsed("ada@x.io").masked(), "a***@x.io");
        assert_eq!(
            format!("{:?}", parsed("ada@x.io")),
            "EmailAddress(a***@x.io)"
        );
    }

    proptest! {
        #[test]
        fn the_canonical_form_reads_as_itself(
            text in "(\\PC{0,12}|[A-Za-z0-9.+À-ÿΑ-ωא-ת\u{300}-\u{345}İßſK]{1,9})@(\\PC{0,8}|[a-zA-Zß-ÿα-ω-]{1,9})\\.[a-zÀ-ÿ]{2,4}"
        ) {
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email));
            }
        }
    }
}
