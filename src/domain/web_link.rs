//! Addresses of web pages that people give: `http` and `https` only, so that no page that shows one runs a script by it.

use super::error::Fault;
use url::Url;

/// As long as the browsers and servers of the world agree on.
const MAX_BYTES: usize = 2000;

/// A web address in the form that the URL standard gives it; without user and password.
pub fn web_link(text: &str) -> Result<String, Fault> {
    const FORMAT: Fault = Fault::new(
        "format",
        "This is not a web address such as https://example.com.",
    );
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return Err(Fault::new("too_long", "This address is too long."));
    }
    // A parser of URLs mends what it reads; what needs mending here is not what the person sees.
    let has_scheme = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    });
    if !has_scheme || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(FORMAT);
    }
    let url = Url::parse(text).map_err(|_| FORMAT)?;
    if !url.has_host() || !url.username().is_empty() || url.password().is_some() {
        return Err(FORMAT);
    }
    if url.as_str().len() > MAX_BYTES {
        return Err(Fault::new("too_long", "This address is too long."));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_web_address_gets_its_standard_form() {
        for (text, link) in [
            (" https://Example.com ", "https://example.com/"),
            (
                "HTTP://example.com:80/a b".trim_end_matches(" b"),
                "http://example.com/a",
            ),
            (
                "https://bücher.example/é?q=ü#x",
                "https://xn--bcher-kva.example/%C3%A9?q=%C3%BC#x",
            ),
            ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ] {
            assert_eq!(web_link(text).as_deref(), Ok(link), "{text}");
        }
    }

    #[test]
    fn anything_that_a_browser_would_run_or_mend_is_refused() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "https:example.com",
            "https:/example.com",
            "https://",
            "https:///",
            "javascript:alert(1)",
            " javascript://https://x%0aalert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://example.com",
            "mailto:a@example.com",
            "https://user@example.com",
            "https://user:secret@example.com",
            "https://:secret@example.com",
            "https://example.com\\@evil.example",
            "https://exa\tmple.com",
            "https://example.com/a b",
            "https://exa%00mple.com",
        ] {
            assert_eq!(web_link(text).unwrap_err().code, "format", "{text:?}");
        }
        let long = format!("https://example.com/{}", "ü".repeat(400));
        assert_eq!(web_link(&long).unwrap_err().code, "too_long");
    }

    proptest! {
        #[test]
        fn a_link_reads_as_itself(text in "(https?://)?\\PC{0,30}|https://[a-z.:/?#@%0-9]{0,30}") {
            if let Ok(link) = web_link(&text) {
                prop_assert!(link.starts_with("http"));
                prop_assert_eq!(web_link(&link), Ok(link));
            }
        }
    }
}
