//! Forms as browsers send them. A form from another site is refused: browsers say where a form comes from.

use super::WebState;
use crate::domain::client::Client;
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

/// The fields of a form that this service's own page sent.
pub struct OwnForm<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for OwnForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Response> {
        if !is_own(request.headers(), &state.origin) {
            return Err(StatusCode::FORBIDDEN.into_response());
        }
        match Form::<T>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(rejection.status().into_response()),
        }
    }
}

/// Fetch metadata (ASVS 3.5.8), or else the origin that older browsers name. `null` passes: that is what they name for our
/// own pages, which send no referrer. What sends neither is not a browser that another site could make act.
fn is_own(headers: &HeaderMap, own: &str) -> bool {
    let sent = |name: &str| {
        let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
        (values.next(), values.next())
    };
    match sent("sec-fetch-site") {
        (Some(b"same-origin" | b"none"), None) => true,
        (None, None) => match sent("origin") {
            (Some(origin), None) => origin == own.as_bytes() || origin == b"null",
            (origin, _) => origin.is_none(),
        },
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    #[test]
    fn only_what_could_come_from_another_site_is_refused() {
        let own = |sent: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                let name = HeaderName::from_static(name);
                headers.append(name, HeaderValue::from_static(value));
            }
            is_own(&headers, "https://id.example.com")
        };
        for sent in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://id.example.com")],
            &[("origin", "null")],
        ] {
            assert!(own(sent), "{sent:?}");
        }
        for sent in [
            &[("sec-fetch-site", "cross-site")][..],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://id.example.com"),
            ],
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://id.example.com")],
            &[("origin", "https://id.example.com:8443")],
            &[("origin", "https://id.example.com.evil.example")],
            &[("origin", "null"), ("origin", "https://evil.example")],
            &[("origin", "")],
        ] {
            assert!(!own(sent), "{sent:?}");
        }
    }
}
