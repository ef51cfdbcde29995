//! For operations that answer in several forms: where it was asked, and in which form the answer is to be.

use crate::http::{middleware::negotiate, problem::Problem};
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{StatusCode, Uri, request::Parts},
};
use std::marker::PhantomData;

/// What an operation offers.
pub trait Offers {
    /// Media types, the usual first.
    const FORMS: &'static [&'static str];
    /// Tells whoever takes none of them.
    const REFUSAL: &'static str;
}

/// The request's target as the client wrote it, and the best liked of the forms; 406 if none is.
pub struct Asked<O> {
    pub uri: Uri,
    pub form: &'static str,
    offers: PhantomData<fn() -> O>,
}

impl<S: Send + Sync, O: Offers> FromRequestParts<S> for Asked<O> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refusal = Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", O::REFUSAL);
        let form = negotiate::best(&parts.headers, O::FORMS).ok_or(refusal)?;
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or_else(|| parts.uri.clone(), |original| original.0.clone());
        Ok(Self {
            uri,
            form,
            offers: PhantomData,
        })
    }
}
