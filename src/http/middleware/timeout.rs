//! No request takes longer than the configured time. 503 and not 408: the client has sent all it had to, the service
//! is what was slow, and it may be asked again (RFC 9110, section 15.6.4). Pictures on their way and all that is kept of a
//! person may take longer.

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

/// The least that is granted to the ends of paths below.
const FOR_MUCH: Duration = Duration::from_mins(1);
const MUCH: [&str; 2] = ["/me/avatar", "/me/export"];

/// Answers in time, with or without the handler.
pub async fn limit(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let usual = frame.settings.request_timeout;
    let path = request.uri().path().trim_end_matches('/');
    let most = if MUCH.iter().any(|end| path.ends_with(end)) {
        usual.max(FOR_MUCH)
    } else {
        usual
    };
    tokio::time::timeout(most, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let detail = "The answer took too long; it may have taken effect all the same.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail);
            ([(header::RETRY_AFTER, retry_after(PAUSE))], problem).into_response()
        })
}
