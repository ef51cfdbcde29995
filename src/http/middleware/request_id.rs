//! `X-Request-Id`: the client's own if it is sane, else a new one. It goes into logs and the audit trail as it is, so
//! nothing but harmless characters may pass.

use axum::http::{HeaderMap, HeaderName};

/// The header's name.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 128;

/// The id that the client sent, if it is 1 to 128 of `[A-Za-z0-9._-]`.
pub fn sent(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let is_sane = (1..=MAX_LENGTH).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    is_sane.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn taken(value: &[u8]) -> Option<String> {
        let value = HeaderValue::from_bytes(value).unwrap();
        sent(&HeaderMap::from_iter([(X_REQUEST_ID, value)]))
    }

    #[test]
    fn only_a_sane_id_is_taken() {
        assert_eq!(taken(b"Ab9._-").as_deref(), Some("Ab9._-"));
        assert_eq!(
            taken("a".repeat(128).as_bytes()).map(|id| id.len()),
            Some(128)
        );
        for insane in [
            &b""[..],
            b"a b",
            b"a\"b",
            b"a/b",
            b"\xc3\xa9",
            "a".repeat(129).as_bytes(),
        ] {
            assert_eq!(taken(insane), None);
        }
        assert_eq!(sent(&HeaderMap::new()), None);
    }
}
