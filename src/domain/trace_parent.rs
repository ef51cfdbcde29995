//! `traceparent` of W3C Trace Context, version 00: by it one trace goes from caller to callee, and on with events and mails.

use std::fmt;

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    pub trace: u128,
    pub span: u64,
    /// Whether the caller records the trace.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads `00-{32 hex}-{16 hex}-{2 hex}` in lower case, neither id zero; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let parsed = Self {
            trace: hex(trace, 32)?,
            span: u64::try_from(hex(span, 16)?).ok()?,
            is_sampled: hex(flags, 2)? & 1 == 1,
        };
        (parsed.trace != 0 && parsed.span != 0).then_some(parsed)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.is_sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }
}

/// A number of exactly so many digits in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_sane = text.len() == digits
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    is_sane.then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SANE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_the_form_of_the_standard_is_read() {
        let sane = TraceParent::parse(SANE).unwrap();
        assert!(sane.is_sampled);
        assert_eq!(sane.to_string(), SANE);
        assert!(
            !TraceParent::parse(&SANE.replace("-01", "-00"))
                .unwrap()
                .is_sampled
        );
        for insane in [
            String::new(),
            SANE.to_uppercase(),
            format!("{SANE}-00"),
            format!(" {SANE}"),
            SANE.replacen("00", "ff", 1),
            SANE.replacen("00", "01", 1),
            SANE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            SANE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            SANE.replace("00f067aa0ba902b7", "+0f067aa0ba902b7"),
            SANE.replace("-01", "-1"),
        ] {
            assert_eq!(TraceParent::parse(&insane), None, "{insane}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(trace in 1_u128.., span in 1_u64.., is_sampled: bool) {
            let parent = TraceParent { trace, span, is_sampled };
            prop_assert_eq!(TraceParent::parse(&parent.to_string()), Some(parent));
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".*") {
            let read = TraceParent::parse(&text).map(|parent| parent.trace != 0);
            prop_assert_ne!(read, Some(false));
        }
    }
}
