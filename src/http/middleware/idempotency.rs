//! `Idempotency-Key` on every POST of the API (draft-ietf-httpapi-idempotency-key-header): the same request under the
//! same key is answered with its first answer. Who brings no key is not concerned.

use super::Origin;
use crate::{
    domain::{
        client::Client,
        error::{Error, Result},
    },
    http::{extract::bearer, problem::Problem},
    services::{
        Services,
        idempotency::{Attempt, RUN_LIMIT, Repeatable, Turn},
    },
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest as _, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument as _;

/// The request's header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const MAX_KEY: usize = 255;
/// A longer answer, or one that is no text, is not kept.
const MAX_ANSWER: usize = 256 * 1024;

/// Runs a request that brings a key once; a `route_layer` around the handlers.
pub async fn once(State(services): State<Services>, request: Request, next: Next) -> Response {
    if *request.method() != Method::POST || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match key(request.headers()) {
        // What has no effect can be repeated as it is, and must not fill the table of answers.
        Ok(_) if is_past_limit(&request) => next.run(request).await,
        Ok(key) => run_once(services, key, request, next)
            .await
            .unwrap_or_else(|refused| refused),
        Err(error) => error.into_response(),
    }
}

fn is_past_limit(request: &Request) -> bool {
    let client = request.extensions().get::<Client>();
    client.is_some_and(|client| client.trace.is_past_limit())
}

/// The key: 1 to 255 printable ASCII characters, sent once.
fn key(headers: &HeaderMap) -> Result<String> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = sent.next().and_then(|value| value.to_str().ok());
    let is_sane = |key: &&str| {
        let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (1..=MAX_KEY).contains(&key.len()) && printable
    };
    match (key.map(str::trim).filter(is_sane), sent.next()) {
        (Some(key), None) => Ok(key.to_owned()),
        _ => Err(Error::invalid(
            "Idempotency-Key",
            "format",
            "Send one key of 1 to 255 printable ASCII characters.",
        )),
    }
}

async fn run_once(
    services: Services,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &())
        .await
        .map_err(IntoResponse::into_response)?;
    let turn = take_turn(services, key, (parts, body), next);
    // In a task of its own, from the row on: who hangs up and asks again gets the answer of this run.
    match tokio::spawn(turn.in_current_span()).await {
        Ok(answered) => answered,
        Err(died) if died.is_panic() => std::panic::resume_unwind(died.into_panic()),
        Err(died) => Err(Error::internal(died).into_response()),
    }
}

async fn take_turn(
    services: Services,
    key: String,
    (parts, body): (Parts, Bytes),
    next: Next,
) -> Result<Response, Response> {
    let kind = parts.headers.get(CONTENT_TYPE);
    let origin = parts.extensions.get::<Origin>();
    let target = parts.uri.path_and_query();
    let repeatable = Repeatable {
        key: &key,
        bearer: bearer(&parts.headers),
        origin: &origin.map_or_else(|| "unknown".to_owned(), Origin::limit_key),
        target: target.map_or("/", |target| target.as_str()),
        kind: kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default(),
        body: &body,
    };
    let turn = services.begin_attempt(&repeatable).await;
    match turn.map_err(IntoResponse::into_response)? {
        Turn::Again(answer) => again(&answer, parts.uri.path(), parts.extensions.get())
            .map_err(|broken| Error::internal(broken).into_response()),
        Turn::First(attempt) => {
            let request = Request::from_parts(parts, Body::from(body));
            Ok(first(services, attempt, request, next).await)
        }
    }
}

/// Runs the request; its attempt ends with it, even by a panic.
async fn first(services: Services, attempt: Attempt, request: Request, next: Next) -> Response {
    let run = run(services.clone(), attempt.clone(), request, next);
    match tokio::spawn(run.in_current_span()).await {
        Ok(response) => response,
        Err(died) => {
            if let Err(error) = services.give_up_attempt(&attempt).await {
                tracing::warn!(error = ?error, "a repeatable request that died was not given up");
            }
            if died.is_panic() {
                std::panic::resume_unwind(died.into_panic());
            }
            Error::internal(died).into_response()
        }
    }
}

async fn run(services: Services, attempt: Attempt, request: Request, next: Next) -> Response {
    let work = services.run_attempt(&attempt, next.run(request));
    let response = tokio::time::timeout(RUN_LIMIT, work).await;
    let response = response.unwrap_or_else(|_| {
        let detail = "The answer took too long; it may have taken effect all the same.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).into_response()
    });
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Error::internal(anyhow::anyhow!("an answer broke off")).into_response();
    };
    let kept = match std::str::from_utf8(&body) {
        Ok(text) if is_final(parts.status) && text.len() <= MAX_ANSWER => {
            let answer = Answer::of(parts.status, &parts.headers, text);
            let answer = serde_json::to_vec(&answer).unwrap_or_default();
            services.keep_answer(&attempt, &answer).await
        }
        _ => services.give_up_attempt(&attempt).await,
    };
    if let Err(error) = kept {
        // A repetition before the lease is over is told to wait, one after it that what was done has no answer.
        tracing::warn!(error = ?error, "the answer to a repeatable request was not kept");
    }
    Response::from_parts(parts, Body::from(body))
}

/// Whether asking again would end the same way: not after trouble of ours or a limit, and not where nobody was let in.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::TOO_MANY_REQUESTS
        )
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn of(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let fields = headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self {
            status: status.as_u16(),
            headers: fields.filter_map(text).collect(),
            body: body.to_owned(),
        }
    }
}

/// The kept answer for the request that asks now: a problem names this one.
fn again(kept: &[u8], path: &str, client: Option<&Client>) -> anyhow::Result<Response> {
    let answer: Answer = serde_json::from_slice(kept)?;
    let status = StatusCode::from_u16(answer.status)?;
    let mut body = answer.body;
    if status.is_client_error()
        && let Ok(Value::Object(mut problem)) = serde_json::from_str(&body)
    {
        let request_id = client.map_or("", |client| client.request_id.as_str());
        problem.insert("instance".to_owned(), path.into());
        problem.insert("request_id".to_owned(), request_id.into());
        body = Value::Object(problem).to_string();
    }
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in answer.headers {
        headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
        }
        key(&headers).ok()
    }

    #[test]
    fn a_key_is_up_to_255_printable_characters_sent_once() {
        assert_eq!(sent(&[b"a"]).as_deref(), Some("a"));
        assert_eq!(
            sent(&[b" \"8e03 978e\" "]).as_deref(),
            Some("\"8e03 978e\"")
        );
        assert!(sent(&[&[b'x'; 255]]).is_some());
        let refused: [&[&[u8]]; 7] = [
            &[b""],
            &[b" "],
            &[b"\t"],
            &[b"a\tb"],
            &[b"\xc3\xa9"],
            &[&[b'x'; 256]],
            &[b"a", b"a"],
        ];
        for values in refused {
            assert_eq!(sent(values), None, "{values:?}");
        }
    }

    #[test]
    fn what_a_repetition_could_change_is_not_final() {
        for (status, kept) in [
            (200, true),
            (204, true),
            (400, true),
            (403, true),
            (409, true),
            (422, true),
            (401, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            assert_eq!(
                is_final(StatusCode::from_u16(status).unwrap()),
                kept,
                "{status}"
            );
        }
    }
}
