//! Every path that the requirement documents name beside the canonical one, through the same handler. The document
//! lists each with its canonical operation's id and a suffix.

use super::v1::{
    email_verification, login, password_change, password_reset, sessions, signup, termination, tokens, users,
};
use crate::services::Services;
use axum::{
    Router,
    routing::{get, post},
};

/// Where the users of the API are mounted a second time.
pub const USERS: (&str, &str) = ("/api/v1/users", "/users");

/// Alias, canonical path, suffix of the operation's id. The methods are those of the canonical path.
pub const ALSO_AT: &[(&str, &str, &str)] = &[
    ("/auth/register", "/api/v1/auth/register", "_auth"),
    ("/login", "/api/v1/auth/login", "_root"),
    ("/auth/login", "/api/v1/auth/login", "_auth"),
    ("/auth/refresh", "/api/v1/auth/refresh", "_auth"),
    ("/logout", "/api/v1/auth/logout", "_root"),
    ("/auth/logout", "/api/v1/auth/logout", "_auth"),
    ("/password-reset-request", "/api/v1/auth/password-reset-request", "_root"),
    ("/auth/request-password-reset", "/api/v1/auth/password-reset-request", "_auth"),
    ("/password-reset", "/api/v1/auth/password-reset-confirm", "_root"),
    ("/auth/reset-password", "/api/v1/auth/password-reset-confirm", "_auth"),
    ("/auth/resend-verification", "/api/v1/auth/verify-email-request", "_auth"),
    ("/auth/verify-email", "/verify-email", "_auth"),
    ("/auth/me", "/api/v1/auth/me", "_root"),
    ("/auth/change-password", "/api/v1/auth/change-password", "_auth"),
    ("/terminate", "/api/v1/users/me/terminate", "_root"),
];

/// The routes of the table. `GET /verify-email` and its twin are left to the wiring, which chooses between API and page.
pub fn routes() -> Router<Services> {
    Router::new()
        .route("/auth/register", post(signup::register))
        .route("/login", post(login::login))
        .route("/auth/login", post(login::login))
        .route("/auth/refresh", post(tokens::refresh))
        .route("/logout", post(sessions::logout))
        .route("/auth/logout", post(sessions::logout))
        .route("/password-reset-request", post(password_reset::request_password_reset))
        .route("/auth/request-password-reset", post(password_reset::request_password_reset))
        .route("/password-reset", post(password_reset::confirm_password_reset))
        .route("/auth/reset-password", post(password_reset::confirm_password_reset))
        .route("/auth/resend-verification", post(email_verification::request_email_verification))
        .route("/auth/me", get(users::get_me))
        .route("/auth/change-password", post(password_change::change_password))
        .route("/terminate", post(termination::terminate_account))
}
