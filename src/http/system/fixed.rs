//! Bodies that stay the same for a while, with a validator (RFC 9110, section 8.8), so that they are sent once.

use crate::{
    domain::error::Error,
    http::{asyncapi, openapi},
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::{
    io::{self, Read as _},
    sync::{LazyLock, OnceLock},
};

/// A body with its validator.
#[derive(Clone)]
pub struct Document {
    body: Bytes,
    /// Whether the body is packed by gzip (RFC 1952).
    is_packed: bool,
    /// The same unpacked, once somebody has asked for it.
    plain: OnceLock<Bytes>,
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
            is_packed: false,
            plain: OnceLock::new(),
            media_type,
            cache_control,
        }
    }

    /// Packed by gzip, and unpacked for who does not take that. One weak validator stands for both forms.
    pub fn packed(body: Bytes, media_type: &'static str, cache_control: &'static str) -> Self {
        let document = Self::new(body, media_type, cache_control);
        Self {
            is_packed: true,
            etag: format!("W/{}", document.etag),
            ..document
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
            self.content(headers)
        };
        if self.is_packed {
            response
                .headers_mut()
                .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        for (name, value) in validators {
            if let Ok(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn content(&self, headers: &HeaderMap) -> Response {
        let media_type = [(header::CONTENT_TYPE, self.media_type)];
        if !self.is_packed {
            return (media_type, Body::from(self.body.clone())).into_response();
        }
        if takes_gzip(headers) {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            return (media_type, encoding, Body::from(self.body.clone())).into_response();
        }
        match self.plain() {
            Ok(plain) => (media_type, Body::from(plain)).into_response(),
            Err(error) => Error::internal(error).into_response(),
        }
    }

    /// One for all who ask: however slowly they take it, it is there once.
    fn plain(&self) -> io::Result<Bytes> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        let mut plain = Vec::new();
        GzDecoder::new(self.body.as_ref()).read_to_end(&mut plain)?;
        let plain = Bytes::from(plain.into_boxed_slice());
        Ok(self.plain.get_or_init(|| plain).clone())
    }

    /// `If-None-Match` compares weakly.
    fn is_known_by(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || tag == self.etag.trim_start_matches("W/"))
    }
}

/// Whether `Accept-Encoding` names gzip (RFC 9110, section 12.5.3), other than by refusing it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let refused = |weight: &str| weight.trim().trim_end_matches(['0', '.']) == "q=";
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|coding| match coding.split_once(';') {
            Some((_, weight)) if refused(weight) => None,
            Some((name, _)) => Some(name),
            None => Some(coding),
        })
        .any(|name| name.trim().eq_ignore_ascii_case("gzip"))
}

/// Written when somebody first asks: most processes are never asked, and writing takes memory.
pub(super) static DOCUMENTS: LazyLock<Documents> = LazyLock::new(Documents::new);

/// The OpenAPI document in both versions, and the `AsyncAPI` document.
pub(super) struct Documents {
    pub current: Document,
    /// For tools that know 3.0 only.
    pub older: Document,
    pub events: Document,
}

impl Documents {
    fn new() -> Self {
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
            events: fixed(&asyncapi::document()),
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

    fn asked_with(accept_encoding: &str) -> HeaderMap {
        let value = HeaderValue::from_str(accept_encoding).unwrap();
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)])
    }

    #[test]
    fn gzip_is_for_who_names_it_and_does_not_refuse_it() {
        for taken in ["gzip", "GZIP", "br, gzip;q=0.5", "deflate,gzip;q=0.001"] {
            assert!(takes_gzip(&asked_with(taken)), "{taken}");
        }
        for refused in ["", "br", "gzip;q=0", "gzip; q=0.000", "xgzip", "*;q=0"] {
            assert!(!takes_gzip(&asked_with(refused)), "{refused}");
        }
    }

    #[tokio::test]
    async fn who_does_not_take_gzip_gets_the_same_content_plain() {
        let content = b"body { margin: 0 }".repeat(100);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, &content).unwrap();
        let packed = Bytes::from(gzip.finish().unwrap());
        let document = Document::packed(packed.clone(), "text/css", "no-cache");

        for (accepted, encoding, sent) in [
            ("gzip", Some("gzip"), packed.as_ref()),
            ("br", None, content.as_slice()),
        ] {
            let answer = document.answer(&asked_with(accepted));
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
            let named = answer.headers().get(header::CONTENT_ENCODING);
            assert_eq!(
                named.map(HeaderValue::as_bytes),
                encoding.map(str::as_bytes)
            );
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX)
                .await
                .unwrap();
            assert_eq!(body, sent);
        }
    }

    #[tokio::test]
    async fn d9_who_does_not_take_gzip_shares_one_plain_copy() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, b"body { margin: 0 }").unwrap();
        let document = Document::packed(gzip.finish().unwrap().into(), "text/css", "no-cache");
        let asked = async || {
            let answer = document.answer(&HeaderMap::new());
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
            body.unwrap()
        };
        let (first, second) = (asked().await, asked().await);
        assert_eq!(first, "body { margin: 0 }");
        assert_eq!(first.as_ptr(), second.as_ptr());
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
