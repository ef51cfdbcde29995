//! Changing one's password, and the rules that passwords must keep.

use super::signup::mismatch;
use crate::{
    domain::{Result, actor::SignedIn, password::Password},
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The current password and the new one.
#[derive(Deserialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "the names that the requirements fix"
)]
#[schema(example = json!({ "current_password": "SecurePass123", "new_password": "AnotherPass456" }))]
pub struct ChangePasswordRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    current_password: Field<String>,
    /// Its rules are at `/api/v1/auth/password-policy`.
    #[schema(value_type = String, required = true, min_length = 8, max_length = 256)]
    #[serde(default)]
    new_password: Field<String>,
    /// Must equal `new_password` if it is there.
    #[schema(value_type = Option<String>, max_length = 256)]
    #[serde(default)]
    confirm_password: Field<String>,
}

/// The rules in force.
#[expect(clippy::struct_excessive_bools, reason = "one line in a form for each")]
#[derive(Serialize, ToSchema)]
pub struct PasswordPolicyResponse {
    /// `tiered`, `requirement`, `asvs` or `nist`.
    #[schema(max_length = 20, example = "tiered")]
    profile: &'static str,
    /// In code points.
    #[schema(minimum = 1, maximum = 256, example = 8)]
    min_length: usize,
    /// In code points.
    #[schema(minimum = 64, maximum = 256, example = 256)]
    max_length: usize,
    /// From this length on no kinds of characters are asked for; null if they always (or never) are.
    #[schema(minimum = 1, maximum = 256, example = 15)]
    composition_until: Option<usize>,
    requires_uppercase: bool,
    requires_lowercase: bool,
    requires_digit: bool,
    /// Common and leaked passwords are refused.
    blocklist: bool,
    /// So are one's own name and address, and the product's name.
    context_words: bool,
}

/// Change one's password
///
/// Ends the other sessions and tells the person by mail.
#[utoipa::path(
    post, path = "/change-password", tag = "Account", request_body = ChangePasswordRequest,
    operation_id = "change_password", security(("bearerAuth" = [])),
    responses(
        (status = 204, description = "The password is changed"),
        (status = 403, description = "`wrong_password`"),
    )
)]
pub async fn change_password(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<StatusCode> {
    let mut check = Check::new();
    let current = check.text("current_password", body.current_password, Password::parse);
    let new = check.text("new_password", body.new_password, Password::parse);
    let repeated = check.optional_text("confirm_password", body.confirm_password, Password::parse);
    if let Some(new) = new.value() {
        check.report(mismatch(new, repeated.value().and_then(Option::as_ref)));
    }
    let (current, new) = check.done((current, new))?;
    services
        .change_password(&who, current, new, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The password rules
///
/// For forms that want to tell before they send.
#[utoipa::path(
    get, path = "/password-policy", tag = "Authentication", operation_id = "get_password_policy",
    responses((status = 200, description = "The rules in force", body = PasswordPolicyResponse))
)]
pub async fn get_password_policy(
    State(services): State<Services>,
) -> axum::Json<PasswordPolicyResponse> {
    let rules = services.password_policy();
    axum::Json(PasswordPolicyResponse {
        profile: rules.profile,
        min_length: rules.min_length,
        max_length: rules.max_length,
        composition_until: rules.composition_until,
        requires_uppercase: rules.requires_uppercase,
        requires_lowercase: rules.requires_lowercase,
        requires_digit: rules.requires_digit,
        blocklist: rules.blocklist,
        context_words: rules.context_words,
    })
}
