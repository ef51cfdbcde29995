//! The one place where a failure of the service gains a status code. `Internal` is logged here, once, inside the
//! request's span; the client gets its request id and nothing else. A refusal travels in the response's extensions, too,
//! for `middleware::refusals`.

use super::problem::{FieldProblem, Problem};
use crate::domain::{
    audit::Refused,
    error::{Error, Part, Refusal, Violation},
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// How long a client waits before it asks a full hasher again.
const HASHER_PAUSE: Duration = Duration::from_secs(1);
/// How long a client waits before it sends a picture again.
const IMAGES_PAUSE: Duration = Duration::from_secs(2);
/// How long a client waits before it asks a database again that did not answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(2);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(error = format!("{cause:#}"), "a request failed");
        }
        let headers = [
            (header::WWW_AUTHENTICATE, challenge(&self)),
            (header::RETRY_AFTER, pause(&self).map(retry_after)),
        ];
        let refused = Refused::of(&self);
        let mut response = Problem::from(self).into_response();
        if let Some(refused) = refused {
            response.extensions_mut().insert(refused);
        }
        for (name, value) in headers {
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::new(status(&error), error.code(), detail(&error));
        match error {
            Error::Invalid(violations) => {
                problem.with_errors(violations.into_iter().map(FieldProblem::from).collect())
            }
            _ => problem,
        }
    }
}

impl From<Violation> for FieldProblem {
    fn from(violation: Violation) -> Self {
        Self {
            field: violation.field,
            code: violation.code,
            message: violation.message,
        }
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) | Error::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Error::BadToken => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Stale => StatusCode::PRECONDITION_FAILED,
        Error::UnsupportedKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Gone(_) => StatusCode::GONE,
        Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the client reads: never the cause of an `Internal`.
fn detail(error: &Error) -> String {
    match error {
        Error::Invalid(_) => "Some fields are not valid; errors lists all of them.".to_owned(),
        Error::BadToken => "The token is unknown or malformed.".to_owned(),
        Error::NotFound(_) => {
            "There is no such thing, or it is not for the one who asks.".to_owned()
        }
        Error::Stale => {
            "It was changed since you read it; read it again, then change it.".to_owned()
        }
        Error::KeyReused => {
            "This Idempotency-Key came with another request before; choose a new one.".to_owned()
        }
        Error::UnsupportedKind => {
            "The body is in a form that this operation does not take.".to_owned()
        }
        Error::TooLarge => "The body is larger than this operation takes.".to_owned(),
        Error::TooMany { .. } => "Too many requests; wait before trying again.".to_owned(),
        Error::Internal(_) => {
            "Something went wrong here; the request id helps us find it.".to_owned()
        }
        Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::Conflict(_)
        | Error::Gone(_)
        | Error::Unavailable(_) => error.to_string(),
    }
}

/// `WWW-Authenticate` of a 401 (RFC 6750, section 3): says so when it was a bearer token that was refused.
fn challenge(error: &Error) -> Option<HeaderValue> {
    let Error::Unauthenticated(refusal) = error else {
        return None;
    };
    Some(HeaderValue::from_static(match refusal {
        Refusal::NoToken | Refusal::InvalidCredentials => "Bearer",
        Refusal::TokenInvalid
        | Refusal::TokenExpired
        | Refusal::TokenReused
        | Refusal::SessionEnded => "Bearer error=\"invalid_token\"",
    }))
}

fn pause(error: &Error) -> Option<Duration> {
    match error {
        Error::TooMany { retry_after } => Some(*retry_after),
        Error::Unavailable(Part::Hasher) => Some(HASHER_PAUSE),
        Error::Unavailable(Part::Images) => Some(IMAGES_PAUSE),
        Error::Unavailable(Part::Database) => Some(DATABASE_PAUSE),
        _ => None,
    }
}

/// `Retry-After` in whole seconds, at least one.
pub fn retry_after(pause: Duration) -> HeaderValue {
    HeaderValue::from(whole_seconds(pause).max(1))
}

/// Whole seconds, rounded up: who waits so long does not come too early.
pub fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::error::{Barrier, Clash, Spent},
        http::problem_kinds,
    };

    #[test]
    fn every_failure_is_a_known_kind_with_its_status() {
        let mut all = vec![
            Error::Invalid(Vec::new()),
            Error::BadToken,
            Error::NotFound("thing"),
            Error::Stale,
            Error::KeyReused,
            Error::UnsupportedKind,
            Error::TooLarge,
            Error::TooMany {
                retry_after: Duration::ZERO,
            },
            Error::internal(anyhow::anyhow!("cause")),
        ];
        all.extend(
            [
                Refusal::InvalidCredentials,
                Refusal::NoToken,
                Refusal::TokenInvalid,
                Refusal::TokenExpired,
                Refusal::TokenReused,
                Refusal::SessionEnded,
            ]
            .map(Error::from),
        );
        all.extend(
            [
                Barrier::EmailNotVerified,
                Barrier::AccountDeactivated,
                Barrier::ReauthenticationRequired,
                Barrier::Permission,
                Barrier::PremiumRequired,
                Barrier::EntitlementRequired,
                Barrier::WrongPassword,
            ]
            .map(Error::from),
        );
        all.extend(
            [
                Clash::EmailTaken,
                Clash::UsernameTaken,
                Clash::LastAdmin,
                Clash::InFlight,
                Clash::OutcomeUnknown,
                Clash::State,
            ]
            .map(Error::from),
        );
        all.extend([Spent::Expired, Spent::Used, Spent::Cursor].map(Error::from));
        all.extend([Part::Hasher, Part::Images, Part::Database].map(Error::from));
        for error in all {
            let kind = problem_kinds::find(error.code()).unwrap();
            let status = status(&error).as_u16();
            assert!(
                kind.status == status || kind.also == Some(status),
                "{} with {status}",
                kind.code
            );
        }
    }

    #[test]
    fn a_wait_is_rounded_up_to_at_least_a_second() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
            assert_eq!(retry_after(Duration::from_millis(millis)), seconds);
        }
    }
}
