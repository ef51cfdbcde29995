//! From where a request came, for the audit trail and the limits; `middleware::origin` found it out.

use crate::domain::{client::Client, error::Error};
use axum::{extract::FromRequestParts, http::request::Parts};

/// The one at the other end.
#[derive(Debug)]
pub struct Caller(pub Client);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts
            .extensions
            .get::<Client>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("the route lies outside of the frame")))
    }
}
