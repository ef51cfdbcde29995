//! The access rule of a handler's signature: who takes a [`SignedIn`] is only reached with a live access token. Bearer
//! only: cookies belong to the pages, so that no other site can make a browser act here.

use crate::{
    domain::{
        actor::SignedIn,
        client::Client,
        error::{Error, Refusal, Result},
    },
    services::Services,
};
use axum::{
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header, request::Parts},
};

impl<S> FromRequestParts<S> for SignedIn
where
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let token = bearer(&parts.headers).ok_or(Refusal::NoToken)?;
        authenticate(parts, &Services::from_ref(state), token).await
    }
}

/// Checks the token, and notes for the log and the audit trail whose it is.
pub(in crate::http) async fn authenticate(
    parts: &Parts,
    services: &Services,
    token: &str,
) -> Result<SignedIn> {
    let signed_in = services.authenticate(token).await?;
    let id = signed_in.user.id;
    tracing::Span::current().record("user_id", tracing::field::display(id));
    if let Some(client) = parts.extensions.get::<Client>() {
        client.trace.note_user(id);
    }
    Ok(signed_in)
}

/// For operations that also work for nobody: a token that is refused is still a 401.
impl<S> OptionalFromRequestParts<S> for SignedIn
where
    Services: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Some)
    }
}

/// The token of `Authorization: Bearer`, if that is sent exactly once (RFC 6750, section 2.1).
pub(in crate::http) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn sent(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        headers
    }

    #[test]
    fn only_one_bearer_token_counts() {
        assert_eq!(bearer(&sent(&[b"Bearer abc"])), Some("abc"));
        assert_eq!(bearer(&sent(&[b"bearer  abc "])), Some("abc"));
        let refused: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Basic abc"],
            &[b"Bearer \xff"],
            &[b"Bearer abc", b"Bearer abc"],
        ];
        for values in refused {
            assert_eq!(bearer(&sent(values)), None, "{values:?}");
        }
    }
}
