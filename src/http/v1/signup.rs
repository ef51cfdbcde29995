//! Sign-up: `POST /register`, and `POST /signup`, which always asks for name, country and state as well.

use super::{message::MessageResponse, user::UserResponse};
use crate::{
    domain::{
        Result, country,
        email::EmailAddress,
        error::{Fault, Violation},
        password::{Context, Password},
        policy::SignupField,
        text,
        username::Username,
    },
    http::extract::{Caller, Check, Checked, Field, Json},
    services::{
        Services,
        signup::{SignUp, SignedUp},
    },
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A new account. Which of the optional fields are required is a setting (`SIGNUP_REQUIRED_FIELDS`).
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "email": "user@example.com", "username": "testuser", "full_name": "Test User",
    "password": "SecurePass123", "confirm_password": "SecurePass123"
}))]
pub struct RegisterRequest {
    #[schema(value_type = String, required = true, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    /// Its rules are at `/api/v1/auth/password-policy`.
    #[schema(value_type = String, required = true, min_length = 8, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
    /// Must equal `password` if it is there.
    #[schema(value_type = Option<String>, max_length = 256)]
    #[serde(default)]
    confirm_password: Field<String>,
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*[._-]?$")]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    full_name: Field<String>,
    /// ISO 3166-1 alpha-2, alpha-3 or English name.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "NL")]
    #[serde(default)]
    country: Field<String>,
    /// Free text, but not a subdivision of another country.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Utrecht")]
    #[serde(default)]
    state_province: Field<String>,
    /// BCP 47.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "nl-NL")]
    #[serde(default)]
    locale: Field<String>,
}

/// A new account with everything that the sign-up form of the product plan asks for.
#[derive(ToSchema)]
#[schema(example = json!({
    "email": "user@example.com", "password": "SecurePass123", "full_name": "Test User",
    "country": "NL", "state_province": "Utrecht"
}))]
#[expect(
    dead_code,
    reason = "only the document names it: it is read as a RegisterRequest"
)]
pub struct SignupRequest {
    #[schema(format = "email", min_length = 3, max_length = 254)]
    email: String,
    #[schema(min_length = 8, max_length = 256)]
    password: String,
    #[schema(max_length = 256)]
    confirm_password: Option<String>,
    #[schema(
        min_length = 3,
        max_length = 32,
        pattern = "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*[._-]?$"
    )]
    username: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    full_name: String,
    #[schema(min_length = 2, max_length = 100)]
    country: String,
    #[schema(min_length = 1, max_length = 100)]
    state_province: String,
    #[schema(min_length = 2, max_length = 35)]
    locale: Option<String>,
}

/// Sign up
///
/// Makes a pending account and mails a link that confirms its address. With `SIGNUP_PRIVACY=strict` the answer is 202
/// whether or not address and username are free, and the username is the account's once the address is confirmed, if nobody
/// has it by then.
#[utoipa::path(
    post, path = "/register", tag = "Authentication", request_body = RegisterRequest, operation_id = "register",
    responses(
        (status = 201, description = "The new account", body = UserResponse),
        (status = 202, description = "`SIGNUP_PRIVACY=strict`: a mail is on its way", body = MessageResponse),
        (status = 409, description = "`email_taken`, `username_taken`"),
    )
)]
pub async fn register(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<RegisterRequest>,
) -> Result<Response> {
    let form = body.parse(&services, &services.policy.signup_required)?;
    Ok(answer(&services, services.register(form, &client).await?))
}

/// Sign up with name, country and state
///
/// As `register`, but `full_name`, `country` and `state_province` are always required.
#[utoipa::path(
    post, path = "/signup", tag = "Authentication", request_body = SignupRequest, operation_id = "register_signup",
    responses(
        (status = 201, description = "The new account", body = UserResponse),
        (status = 202, description = "`SIGNUP_PRIVACY=strict`: a mail is on its way", body = MessageResponse),
        (status = 409, description = "`email_taken`, `username_taken`"),
    )
)]
pub async fn signup(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<RegisterRequest>,
) -> Result<Response> {
    let mut required = services.policy.signup_required.clone();
    required.extend([
        SignupField::FullName,
        SignupField::Country,
        SignupField::StateProvince,
    ]);
    let form = body.parse(&services, &required)?;
    Ok(answer(&services, services.register(form, &client).await?))
}

fn answer(services: &Services, signed_up: SignedUp) -> Response {
    match signed_up {
        SignedUp::Created(user) => (
            StatusCode::CREATED,
            axum::Json(UserResponse::not_signed_in(*user, services.now())),
        )
            .into_response(),
        SignedUp::Accepted => (
            StatusCode::ACCEPTED,
            MessageResponse::new("Check your mail to go on."),
        )
            .into_response(),
    }
}

impl RegisterRequest {
    fn parse(self, services: &Services, required: &BTreeSet<SignupField>) -> Result<SignUp> {
        use SignupField as F;
        let mut check = Check::new();
        let mut pick = Pick {
            check: &mut check,
            required,
        };
        let repeated = pick.field(F::ConfirmPassword, self.confirm_password, Password::parse);
        let username = pick.field(F::Username, self.username, Username::parse);
        let full_name = pick.field(F::FullName, self.full_name, |name| text::line(100, name));
        let country = pick.field(F::Country, self.country, country::country);
        let of = country.value().and_then(Option::as_deref);
        let state = pick.field(F::StateProvince, self.state_province, |state| {
            country::state_province(of, state)
        });
        let locale = pick.field(F::Locale, self.locale, text::locale);
        let email = check.text("email", self.email, EmailAddress::parse);
        let password = check.text("password", self.password, Password::parse);
        if let Some(password) = password.value() {
            let context = Context {
                email: email.value(),
                username: username
                    .value()
                    .and_then(Option::as_ref)
                    .map(Username::as_str),
                full_name: full_name.value().and_then(Option::as_deref),
            };
            check.report(services.password_violations("password", password, &context));
            check.report(mismatch(
                password,
                repeated.value().and_then(Option::as_ref),
            ));
        }
        let fields = (email, password, username, full_name, country, state, locale);
        let (email, password, username, full_name, country, state_province, locale) =
            check.done(fields)?;
        Ok(SignUp {
            email,
            password,
            username,
            full_name,
            country,
            state_province,
            locale,
        })
    }
}

/// Checks fields that the settings may require.
struct Pick<'a> {
    check: &'a mut Check,
    required: &'a BTreeSet<SignupField>,
}

impl Pick<'_> {
    fn field<T>(
        &mut self,
        field: SignupField,
        value: Field<String>,
        parse: impl FnOnce(&str) -> std::result::Result<T, Fault>,
    ) -> Checked<Option<T>> {
        if self.required.contains(&field) {
            return self.check.text(field.as_str(), value, parse).map(Some);
        }
        self.check.optional_text(field.as_str(), value, parse)
    }
}

/// The repetition of a password, if there is one, must equal it.
pub(super) fn mismatch(password: &Password, repeated: Option<&Password>) -> Option<Violation> {
    let differs = repeated.is_some_and(|repeated| repeated.expose() != password.expose());
    differs.then(|| Violation::new("confirm_password", "mismatch", "The two passwords differ."))
}
