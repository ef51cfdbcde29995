//! Path parameters. An id that cannot be one of ours names nothing: the same 404 as for one that is not there.

use crate::domain::{error::Error, id::UserId};
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

/// The path's parameters.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Error::NotFound("thing"))
    }
}

/// The id of a person in the path. One that is malformed is answered as one that nobody has.
#[derive(Debug)]
pub struct PersonId(pub UserId);

impl<S: Send + Sync> FromRequestParts<S> for PersonId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(id)| Self(id))
            .map_err(|_| Error::NotFound("user"))
    }
}
