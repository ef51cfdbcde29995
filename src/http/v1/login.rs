//! Sign-in.

use super::user::UserResponse;
use crate::{
    domain::{
        Result,
        email::EmailAddress,
        error::{Fault, Violation},
        password::Password,
        username::Username,
    },
    http::extract::{Caller, Check, Field, Json},
    services::{Services, login::Identifier, tokens::Tokens},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address (or a username) and the password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "email": "user@example.com", "password": "SecurePass123" }))]
pub struct LoginRequest {
    /// The address; a username is taken here, too.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    /// Instead of `email`.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*[._-]?$")]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
}

/// A session's tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    #[schema(
        max_length = 4096,
        example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"
    )]
    access_token: String,
    /// For `refresh`, once.
    #[schema(
        max_length = 43,
        example = "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8"
    )]
    refresh_token: String,
    #[schema(max_length = 6, example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(minimum = 0, example = 1800)]
    expires_in: u64,
    user: UserResponse,
}

impl TokenResponse {
    /// The pair at this time.
    pub fn of(services: &Services, tokens: Tokens) -> axum::Json<Self> {
        axum::Json(Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token.reveal(),
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            user: UserResponse::own(tokens.user, services.now()),
        })
    }
}

/// Sign in
///
/// One answer for an unknown person, a wrong password and a terminated account; what else bars the way is told only
/// after the right password.
#[utoipa::path(
    post, path = "/login", tag = "Authentication", request_body = LoginRequest, operation_id = "login",
    responses(
        (status = 200, description = "The session's first tokens", body = TokenResponse),
        (status = 401, description = "`invalid_credentials`"),
        (status = 403, description = "`email_not_verified` (with `SIGNUP_PRIVACY=strict` 401 instead), `account_deactivated`, `password_change_required`"),
    )
)]
pub async fn login(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<LoginRequest>,
) -> Result<axum::Json<TokenResponse>> {
    let (who, password) = body.parse()?;
    let tokens = services.login(&who, password, &client).await?;
    Ok(TokenResponse::of(&services, tokens))
}

impl LoginRequest {
    fn parse(self) -> Result<(Identifier, Password)> {
        let mut check = Check::new();
        let password = check.text("password", self.password, Password::parse);
        let email = check.optional_text("email", self.email, identifier);
        let username = check.optional_text("username", self.username, |text| {
            Username::parse(text).map(Identifier::Username)
        });
        if matches!((email.value(), username.value()), (Some(None), Some(None))) {
            check.report([Violation::required("email")]);
        }
        let (email, username, password) = check.done((email, username, password))?;
        let who = email
            .or(username)
            .ok_or_else(|| crate::domain::Error::Invalid(vec![Violation::required("email")]))?;
        Ok((who, password))
    }
}

/// An address has an `@`; a username never has.
fn identifier(text: &str) -> std::result::Result<Identifier, Fault> {
    if text.contains('@') {
        return EmailAddress::parse(text).map(Identifier::Email);
    }
    Username::parse(text.trim()).map(Identifier::Username)
}
