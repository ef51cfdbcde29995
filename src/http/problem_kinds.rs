//! The kinds of problem that clients may meet, one row each: API.md's "Codes" with their statuses and meaning.
//! A code never changes its meaning; `GET /problems/{code}` and the OpenAPI document read this table.

use super::problem::Problem;
use serde_json::{Value, json};

/// A stable code, the status it comes with, and what it means.
pub struct Kind {
    pub code: &'static str,
    pub status: u16,
    /// Another status that it may come with.
    pub also: Option<u16>,
    pub meaning: &'static str,
}

macro_rules! kinds {
    ($($status:literal $(or $also:literal)? $code:literal $meaning:literal;)+) => {
        &[$(Kind { code: $code, status: $status, also: kinds!(@ $($also)?), meaning: $meaning }),+]
    };
    (@) => { None };
    (@ $also:literal) => { Some($also) };
}

/// All kinds, by status.
pub const KINDS: &[Kind] = kinds! {
    400 "malformed" "The request could not be read: broken JSON, a body that is not an object, a field named twice.";
    400 "https_required" "The request reached the proxy by http; use https.";
    400 or 401 "token_invalid" "The mailed token (400) or the bearer token (401) is not one of ours.";
    401 "unauthenticated" "No access token came along.";
    401 "invalid_credentials" "The e-mail address (or username) and the password do not match an account that may sign in.";
    401 "token_reused" "The refresh token was used before; its session has been ended.";
    401 "session_ended" "The session of this access token is over; sign in again.";
    403 "email_not_verified" "The password is right, but the e-mail address is not confirmed yet.";
    403 "account_deactivated" "The password is right, but an admin has deactivated the account.";
    403 "password_change_required" "The password is right, but an admin has asked for another one: it is chosen by a reset link.";
    403 "reauthentication_required" "This needs a recent proof of the password: reauthenticate, then try again.";
    403 "forbidden" "The role does not allow this.";
    403 "premium_required" "Seeing other people needs a premium account.";
    403 "entitlement_required" "Only an admin can change the subscription.";
    403 "wrong_password" "The current password that came along is wrong.";
    404 "not_found" "There is no such thing, or it is not for the one who asks.";
    405 "method_not_allowed" "The path exists, but not with this method; Allow names those it has.";
    406 "not_acceptable" "The operation cannot answer in any of the media types of Accept.";
    409 "email_taken" "Another account has this e-mail address.";
    409 "username_taken" "Another account has this username.";
    409 "last_admin" "The last active admin cannot be removed.";
    409 "idempotency_in_flight" "The same request, with this Idempotency-Key, is still running; ask again shortly.";
    409 "idempotency_outcome_unknown" "The same request, with this Idempotency-Key, was carried out, but its answer was lost; look at what is there before you use a new key.";
    409 "webhook_limit" "There are as many webhooks as there may be; delete one first.";
    409 "conflict" "The current state does not allow this.";
    410 or 401 "token_expired" "The link is past its time or void (410); the bearer token has expired (401).";
    410 "token_used" "The link was used before.";
    410 "cursor_expired" "Events after this cursor (or, backward, at it) were deleted by age, unread; begin again without a cursor.";
    412 "stale" "It was changed since the version that If-Match names; read it again.";
    413 "payload_too_large" "The body is larger than the operation takes.";
    414 "uri_too_long" "The path and query are longer than the service takes.";
    415 "unsupported_media_type" "The body is in a form that the operation does not take.";
    422 "validation_failed" "Fields break rules; errors lists all of them.";
    422 "idempotency_conflict" "This Idempotency-Key came with another request before; choose a new one.";
    429 "rate_limited" "Too many requests; Retry-After says in how many seconds to try again.";
    431 "headers_too_large" "The header fields are larger than the service takes.";
    500 "internal" "Our fault. The request id leads us to the cause.";
    503 "busy" "Too many passwords are being checked, or pictures worked on, at this moment; try again shortly.";
    503 "unavailable" "A part of the service cannot answer just now; try again shortly.";
    503 "timeout" "The answer took too long; it is not known whether the request took effect.";
};

/// `type` of RFC 9457: a reference relative to the service.
pub fn uri(code: &str) -> String {
    format!("/problems/{code}")
}

/// The kind in words: `email_taken` is `Email taken`.
pub fn title(code: &str) -> String {
    let words = code.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The kind with this code.
pub fn find(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

/// A problem as clients of this API see it.
pub fn example(status: u16, code: &'static str) -> Value {
    let meaning = find(code).map_or("", |kind| kind.meaning);
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    let problem = Problem::new(status, code, meaning)
        .of_request("/api/v1/auth/login", "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d");
    let mut body = json!(problem.body());
    if code == "validation_failed"
        && let Some(body) = body.as_object_mut()
    {
        let errors =
            json!([{"field": "email", "code": "required", "message": "This field is required."}]);
        body.insert("errors".to_owned(), errors);
    }
    body
}
