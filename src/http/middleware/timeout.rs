//! No request takes longer than the configured time. 503 and not 408: the client has sent all it had to, the service
//! is what was slow, and it may be asked again (RFC 9110, section 15.6.4).

use super::Frame;
use crate::http::{error::retry_after, problem::Problem};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(1);

/// Answers in time, with or without the handler.
pub async fn limit(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    tokio::time::timeout(frame.settings.request_timeout, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let detail = "The answer took too long; it may have taken effect all the same.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail);
            ([(header::RETRY_AFTER, retry_after(PAUSE))], problem).into_response()
        })
}
