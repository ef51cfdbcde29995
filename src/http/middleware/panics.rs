//! The last resort: a panic costs one request, not the process. Its message may quote data, so it is not logged here.

use crate::http::problem::Problem;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::any::Any;

/// The answer in place of the handler that panicked.
pub fn answer(_message: Box<dyn Any + Send>) -> Response {
    let detail = "Something went wrong here; the request id helps us find it.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
}
