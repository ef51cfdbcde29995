//! JSON bodies: `application/json` (or `+json`) only, so that no form of another site can send one; at most as long as
//! the route's body limit.

use super::{field, strict};
use crate::http::problem::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, OptionalFromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

/// A JSON body, in or out. `Option<Json<T>>` for operations that work without a body, too.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = read(request, state).await?;
        parse(&bytes)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let declared = must_be_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        declared?;
        parse(&bytes).map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection: BytesRejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "payload_too_large",
                    "The body is larger than this operation takes.",
                );
            }
            Problem::malformed("The body could not be read to its end.")
        })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Json<T>, Problem> {
    field::read(strict::object(bytes)?)
        .map(Json)
        .map_err(|_| Problem::malformed("The body does not have the form of this operation."))
}

/// Refuses a body that is declared as anything but JSON, or not at all.
pub(in crate::http) fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Err(Problem::unsupported_media_type(
            "Send the body without a content encoding.",
        ));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next().map(|value| value.to_str()), types.next()) {
        (Some(Ok(media_type)), None) if is_json(media_type) => Ok(()),
        _ => Err(Problem::unsupported_media_type(
            "Send JSON with Content-Type: application/json.",
        )),
    }
}

/// Whether the media type is JSON in UTF-8; parameters other than `charset` are ignored (RFC 8259, section 11).
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_utf8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    let is_json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    is_json && is_utf8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/merge-patch+json",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/json",
            "application/jsonx",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
