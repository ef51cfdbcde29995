//! Every path that the requirement documents name beside the canonical one, through the same handler. The document
//! lists each with its canonical operation's id and a suffix.

use super::v1::{
    email_verification, login, password_change, password_reset, sessions, signup, termination,
    tokens, users,
};
use super::{openapi::also_at, v1};
use crate::services::Services;
use axum::{
    Router,
    routing::{get, post},
};
use utoipa::openapi::{HttpMethod, OpenApi};

/// Where the users of the API are mounted a second time.
const USERS: (&str, &str) = ("/api/v1/users", "/users");

/// Alias, canonical path, suffix of the operation's id. The methods are those of the canonical path.
const ALSO_AT: &[(&str, &str, &str)] = &[
    ("/auth/register", "/api/v1/auth/register", "_auth"),
    ("/login", "/api/v1/auth/login", "_root"),
    ("/auth/login", "/api/v1/auth/login", "_auth"),
    ("/auth/refresh", "/api/v1/auth/refresh", "_auth"),
    ("/logout", "/api/v1/auth/logout", "_root"),
    ("/auth/logout", "/api/v1/auth/logout", "_auth"),
    (
        "/password-reset-request",
        "/api/v1/auth/password-reset-request",
        "_root",
    ),
    (
        "/auth/request-password-reset",
        "/api/v1/auth/password-reset-request",
        "_auth",
    ),
    (
        "/password-reset",
        "/api/v1/auth/password-reset-confirm",
        "_root",
    ),
    (
        "/auth/reset-password",
        "/api/v1/auth/password-reset-confirm",
        "_auth",
    ),
    (
        "/auth/resend-verification",
        "/api/v1/auth/verify-email-request",
        "_auth",
    ),
    ("/auth/verify-email", "/verify-email", "_auth"),
    ("/auth/me", "/api/v1/auth/me", "_root"),
    (
        "/auth/change-password",
        "/api/v1/auth/change-password",
        "_auth",
    ),
    ("/terminate", "/api/v1/users/me/terminate", "_root"),
];

/// The routes of the table. `GET /verify-email` and its twin are left to the wiring, which chooses between API and page.
pub fn routes() -> Router<Services> {
    Router::new()
        .nest(USERS.1, v1::user_routes())
        .route("/signup", post(signup::signup))
        .route("/auth/register", post(signup::register))
        .route("/login", post(login::login))
        .route("/auth/login", post(login::login))
        .route("/auth/refresh", post(tokens::refresh))
        .route("/logout", post(sessions::logout))
        .route("/auth/logout", post(sessions::logout))
        .route(
            "/password-reset-request",
            post(password_reset::request_password_reset),
        )
        .route(
            "/auth/request-password-reset",
            post(password_reset::request_password_reset),
        )
        .route(
            "/password-reset",
            post(password_reset::confirm_password_reset),
        )
        .route(
            "/auth/reset-password",
            post(password_reset::confirm_password_reset),
        )
        .route(
            "/auth/resend-verification",
            post(email_verification::request_email_verification),
        )
        .route("/auth/me", get(users::get_me))
        .route(
            "/auth/change-password",
            post(password_change::change_password),
        )
        .route("/terminate", post(termination::terminate_account))
}

const METHODS: [HttpMethod; 5] = [
    HttpMethod::Get,
    HttpMethod::Post,
    HttpMethod::Put,
    HttpMethod::Patch,
    HttpMethod::Delete,
];

/// What tells the ids of one use case's operations apart.
const SUFFIXES: [&str; 6] = ["_auth", "_get", "_put", "_root", "_signup", "_at_users"];

/// The use case's verb phrase in an operation's id.
pub fn use_case(mut operation_id: &str) -> &str {
    while let Some(rest) = SUFFIXES
        .iter()
        .find_map(|suffix| operation_id.strip_suffix(suffix))
    {
        operation_id = rest;
    }
    operation_id
}

/// Writes the aliases into the document.
pub fn describe(document: &mut OpenApi) {
    let (canonical, mount) = USERS;
    let mounted = document.paths.paths.keys().filter_map(|path| {
        let rest = path.strip_prefix(canonical)?;
        Some((format!("{mount}{rest}"), path.clone(), "_at_users"))
    });
    let mounted: Vec<_> = mounted.collect();
    let named = ALSO_AT
        .iter()
        .map(|(alias, path, suffix)| ((*alias).to_owned(), (*path).to_owned(), *suffix));
    for (alias, path, suffix) in mounted.into_iter().chain(named) {
        for method in METHODS {
            also_at(document, &alias, (method, &path), suffix);
        }
    }
}
