//! A file that is sent as the body itself or in a form (`multipart/form-data`, field `file`); read in full, in bounds,
//! and only when the handler asks for it. Its name is never looked at.

use crate::domain::error::{Error, Result};
use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::MultipartError},
    http::{HeaderMap, StatusCode, header},
};
use std::convert::Infallible;

/// What the parts of a form take beside the file.
const FORM_ROOM: usize = 16 * 1024;

/// A body that has not been read yet.
pub struct Upload(Request);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

impl Upload {
    /// The file, if it is of one of these media types and at most `limit` bytes long.
    pub async fn read(self, types: &[&str], limit: usize) -> Result<Bytes> {
        let mut request = self.0;
        let headers = request.headers();
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Error::UnsupportedKind);
        }
        let kind = declared(headers)?;
        let is_form = kind == "multipart/form-data";
        if !is_form && !types.contains(&kind.as_str()) {
            return Err(Error::UnsupportedKind);
        }
        let room = if is_form { limit + FORM_ROOM } else { limit };
        if announced(headers).is_some_and(|length| length > room as u64) {
            return Err(Error::TooLarge);
        }
        DefaultBodyLimit::max(room).apply(&mut request);
        let file = if is_form {
            form_file(request, types, limit).await?
        } else {
            whole(request).await?
        };
        if file.is_empty() {
            return Err(Error::invalid(
                "file",
                "required",
                "This field is required.",
            ));
        }
        Ok(file)
    }
}

/// The media type without parameters, in lower case; it must be there once.
fn declared(headers: &HeaderMap) -> Result<String> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next().map(|value| value.to_str()), types.next()) {
        (Some(Ok(text)), None) => Ok(essence(text)),
        _ => Err(Error::UnsupportedKind),
    }
}

fn essence(media_type: &str) -> String {
    let end = media_type.find(';').unwrap_or(media_type.len());
    let (essence, _) = media_type.split_at(end);
    essence.trim().to_ascii_lowercase()
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

async fn whole(request: Request) -> Result<Bytes> {
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return Error::TooLarge;
            }
            broken()
        })
}

/// The first field of this name; a browser gives its file a type, others may leave it out or say that they do not know.
async fn form_file(request: Request, types: &[&str], limit: usize) -> Result<Bytes> {
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| broken())?;
    while let Some(mut field) = form.next_field().await.map_err(|error| refused(&error))? {
        if field.name() != Some("file") {
            continue;
        }
        let kind = field.content_type().map(essence);
        let is_taken = |kind: &str| types.contains(&kind) || kind == "application/octet-stream";
        if !kind.as_deref().is_none_or(is_taken) {
            return Err(Error::UnsupportedKind);
        }
        let mut file = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| refused(&error))? {
            if file.len() + chunk.len() > limit {
                return Err(Error::TooLarge);
            }
            file.extend_from_slice(&chunk);
        }
        return Ok(file.into());
    }
    Err(Error::invalid(
        "file",
        "required",
        "This field is required.",
    ))
}

fn refused(error: &MultipartError) -> Error {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Error::TooLarge;
    }
    broken()
}

fn broken() -> Error {
    Error::invalid("file", "format", "The body could not be read to its end.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_compared_without_its_parameters() {
        assert_eq!(essence("Image/PNG"), "image/png");
        assert_eq!(essence("image/png; charset=binary"), "image/png");
        assert_eq!(essence(";image/png"), "");
    }
}
