//! Bodies that stay the same for a while, with a validator (RFC 9110, section 8.8), so that they are sent once.

use crate::http::openapi;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A body with its validator.
#[derive(Clone)]
pub struct Document {
    body: Bytes,
    etag: String,
    media_type: &'static str,
    cache_control: &'static str,
}

impl Document {
    /// The validator is made of the content.
    pub fn new(body: Bytes, media_type: &'static str, cache_control: &'static str) -> Self {
        let digest = Sha256::digest(&body);
        let short = digest.get(..16).unwrap_or_default();
        Self {
            etag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(short)),
            body,
            media_type,
            cache_control,
        }
    }

    /// The body, or 304 if the client has it.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let validators = [
            (header::ETAG, HeaderValue::from_str(&self.etag)),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_str(self.cache_control),
            ),
        ];
        let mut response = if self.is_known_by(headers) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            (
                [(header::CONTENT_TYPE, self.media_type)],
                Body::from(self.body.clone()),
            )
                .into_response()
        };
        for (name, value) in validators {
            if let Ok(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// `If-None-Match` compares weakly.
    fn is_known_by(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || tag == self.etag)
    }
}

/// The OpenAPI document in both versions.
#[derive(Clone)]
pub struct Documents {
    pub current: Document,
    /// For tools that know 3.0 only.
    pub older: Document,
}

impl Documents {
    /// Writes them once.
    pub fn new() -> Self {
        let document = openapi::document();
        let fixed = |value: &serde_json::Value| {
            Document::new(
                Bytes::from(value.to_string()),
                "application/json",
                "no-cache",
            )
        };
        Self {
            older: fixed(&openapi::as_3_0(document.clone())),
            current: fixed(&document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: Option<&str>) -> StatusCode {
        let document = Document::new(Bytes::from_static(b"{}"), "application/json", "no-cache");
        let value = if_none_match.map(|tags| tags.replace('E', &document.etag));
        let headers =
            value.map(|tags| (header::IF_NONE_MATCH, HeaderValue::from_str(&tags).unwrap()));
        document.answer(&headers.into_iter().collect()).status()
    }

    #[test]
    fn who_has_the_document_is_not_sent_it_again() {
        for known in ["E", "W/E", "\"other\", E", "*"] {
            assert_eq!(status(Some(known)), StatusCode::NOT_MODIFIED, "{known}");
        }
        for unknown in [None, Some("\"other\""), Some("")] {
            assert_eq!(status(unknown), StatusCode::OK, "{unknown:?}");
        }
    }
}
