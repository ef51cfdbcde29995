//! `If-Match` (RFC 9110, section 13.1.1). Our tags are versions; a weak tag, or one that is not ours, matches nothing.

use crate::domain::change::{Expected, ExpectedTag};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use std::convert::Infallible;

/// Which versions the writer has seen.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(expected(&parts.headers)))
    }
}

/// The same for what is named by its bytes.
#[derive(Debug)]
pub struct IfMatchTag(pub ExpectedTag);

impl<S: Send + Sync> FromRequestParts<S> for IfMatchTag {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(expected_tag(&parts.headers)))
    }
}

fn expected_tag(headers: &HeaderMap) -> ExpectedTag {
    let mut seen = Vec::new();
    let mut sent = headers.get_all(header::IF_MATCH).iter().peekable();
    if sent.peek().is_none() {
        return ExpectedTag::Any;
    }
    for list in sent {
        for tag in list.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return ExpectedTag::Present;
            }
            let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            seen.extend(quoted.map(str::to_owned));
        }
    }
    ExpectedTag::OneOf(seen)
}

fn expected(headers: &HeaderMap) -> Expected {
    let mut seen = Vec::new();
    let mut sent = headers.get_all(header::IF_MATCH).iter().peekable();
    if sent.peek().is_none() {
        return Expected::Any;
    }
    for list in sent {
        for tag in list.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Expected::Any;
            }
            let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            seen.extend(quoted.and_then(|version| version.parse::<i64>().ok()));
        }
    }
    Expected::OneOf(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Expected {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        expected(&headers)
    }

    #[test]
    fn tags_of_bytes_are_compared_strongly_and_a_star_needs_something() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(header::IF_MATCH, value.parse().unwrap());
            expected_tag(&headers)
        };
        let (some, none) = (["a-512".to_owned()], []);
        assert!(expected_tag(&HeaderMap::new()).must_be(&none).is_ok());
        for (sent, passes) in [
            ("*", true),
            ("\"b\", \"a-512\"", true),
            ("W/\"a-512\"", false),
            ("a-512", false),
            ("", false),
        ] {
            assert_eq!(of(sent).must_be(&some).is_ok(), passes, "{sent}");
            assert!(of(sent).must_be(&none).is_err(), "{sent}");
        }
    }

    #[test]
    fn versions_are_read_and_other_tags_match_nothing() {
        assert_eq!(of(&[]), Expected::Any);
        assert_eq!(of(&["*"]), Expected::Any);
        assert_eq!(of(&["\"3\""]), Expected::OneOf(vec![3]));
        assert_eq!(of(&["\"3\", \"x\"", "\"4\""]), Expected::OneOf(vec![3, 4]));
        for foreign in ["W/\"3\"", "3", "\"\"", "\"3", ""] {
            assert_eq!(of(&[foreign]), Expected::OneOf(Vec::new()), "{foreign}");
        }
    }
}
