//! Forms as browsers send them. A form from another site is refused: browsers say where a form comes from.

use crate::domain::client::Client;
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

/// The fields of a form that this service's own page sent.
pub struct OwnForm<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OwnForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_own(request.headers()) {
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        match Form::<T>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(rejection.status().into_response()),
        }
    }
}

/// Fetch metadata (ASVS 3.5.8); what does not send it is not a browser that another site could make act.
fn is_own(headers: &HeaderMap) -> bool {
    let site = headers
        .get("sec-fetch-site")
        .map(axum::http::HeaderValue::as_bytes);
    matches!(site, None | Some(b"same-origin" | b"none"))
}

/// The one at the other end; the frame around the pages found it out.
pub struct Visitor(pub Client);

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let client = parts.extensions.get::<Client>().cloned();
        client
            .map(Self)
            .ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// A form with a mailed token alone.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct TokenForm {
    pub token: String,
}

/// A form with an address alone.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct EmailForm {
    pub email: String,
}

/// A form with a mailed token and a new password.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PasswordForm {
    pub token: String,
    pub new_password: String,
    pub confirm_password: String,
}
