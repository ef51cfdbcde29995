//! `If-None-Match` (RFC 9110, section 13.1.2), by weak comparison: which forms of a thing the client has already.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use std::convert::Infallible;

/// What the client has.
#[derive(Debug)]
pub struct IfNoneMatch {
    any: bool,
    tags: Vec<String>,
}

impl IfNoneMatch {
    /// Whether the client has the form with this tag; the tag without its quotes.
    pub fn has(&self, tag: &str) -> bool {
        self.any || self.tags.iter().any(|sent| sent == tag)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(sent(&parts.headers))
    }
}

fn sent(headers: &HeaderMap) -> IfNoneMatch {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let all: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect();
    let tag = |text: &&str| {
        let strong = text.strip_prefix("W/").unwrap_or(text);
        let bare = strong.strip_prefix('"')?.strip_suffix('"')?;
        Some(bare.to_owned())
    };
    IfNoneMatch {
        any: all.contains(&"*"),
        tags: all.iter().filter_map(tag).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(values: &[&'static str], tag: &str) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
        }
        sent(&headers).has(tag)
    }

    #[test]
    fn a_tag_is_found_in_any_list_weak_or_strong() {
        assert!(has(&["\"a\""], "a"));
        assert!(has(&["\"b\", W/\"a\""], "a"));
        assert!(has(&["\"b\"", "\"a\""], "a"));
        assert!(has(&["*"], "a"));
    }

    #[test]
    fn what_is_no_such_tag_matches_nothing() {
        assert!(!has(&[], "a"));
        for other in ["\"b\"", "a", "\"a", "\"\"", "", "W/a", "\"a-b\""] {
            assert!(!has(&[other], "a"), "{other}");
        }
    }
}
