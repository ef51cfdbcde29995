//! Making and changing other people's accounts. Who asks is looked at before what is asked for.

use super::{account::UpdateUserRequest, roles::parse_roles, user::UserResponse};
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        email::EmailAddress,
        error::{Fault, Violation},
        id::UserId,
        permission::{Permission, Roles},
        user::UserStatus,
    },
    http::{
        extract::{Caller, Check, Field, IfMatch, Json, Path},
        versioned::Versioned,
    },
    services::{Services, account::UserUpdate, invitation::NewUser},
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use utoipa::ToSchema;

/// A new account for somebody, who alone chooses its password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "email": "user@example.com", "full_name": "Test User", "roles": ["user"] }))]
pub struct CreateUserRequest {
    #[schema(value_type = String, required = true, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    /// `user` by default; others need the right to assign roles.
    #[schema(value_type = Option<Vec<super::user::RoleName>>, max_items = 3)]
    #[serde(default)]
    roles: Field<Vec<String>>,
    #[serde(flatten)]
    basic: UpdateUserRequest,
}

/// A change of somebody else's account: a field that is left out stays, `null` empties it where it may be empty.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "full_name": "Ada Lovelace", "status": "active" }))]
pub struct ChangeUserRequest {
    /// In place of the old one at once; unconfirmed until the mail to it is answered. For admins, and never one's own: that
    /// is changed by `change-email`.
    #[schema(value_type = Option<String>, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    /// `active` or `deactivated`; another one only where it is the account's own already.
    #[schema(value_type = Option<String>, max_length = 20, pattern = "^(pending|active|deactivated|terminated)$", example = "active", nullable = false)]
    #[serde(default)]
    status: Field<String>,
    #[serde(flatten)]
    basic: UpdateUserRequest,
}

impl CreateUserRequest {
    fn parse(self) -> Result<NewUser> {
        let mut check = Check::new();
        let email = check.text("email", self.email, EmailAddress::parse);
        let roles = check.optional("roles", self.roles, |names| parse_roles(&names));
        let changes = self.basic.check(&mut check);
        let (email, roles, changes) = check.done((email, roles, changes))?;
        Ok(NewUser {
            email,
            roles: roles.unwrap_or_else(|| Roles::new([])),
            changes,
        })
    }
}

impl ChangeUserRequest {
    fn parse(self) -> Result<UserUpdate> {
        let mut check = Check::new();
        for (field, is_null) in [
            ("email", matches!(self.email, Field::Null)),
            ("status", matches!(self.status, Field::Null)),
        ] {
            check.report(is_null.then(|| Violation::required(field)));
        }
        let email = check.optional_text("email", self.email, EmailAddress::parse);
        let status = check.optional_text("status", self.status, status);
        let changes = self.basic.check(&mut check);
        let (email, status, changes) = check.done((email, status, changes))?;
        Ok(UserUpdate {
            changes,
            status,
            email,
        })
    }
}

fn status(name: &str) -> Result<UserStatus, Fault> {
    UserStatus::parse(name).ok_or(Fault::new("unknown_value", "There is no such status."))
}

/// Make an account for somebody
///
/// The person gets an invitation mail and chooses the password; nobody else ever does.
#[utoipa::path(
    post, path = "/", tag = "Users", request_body = CreateUserRequest, operation_id = "create_user", security(("bearerAuth" = [])),
    responses(
        (status = 201, description = "The new account", body = UserResponse, headers(
            ("ETag" = String, description = "The version, for `If-Match`"),
            ("Location" = String, description = "Where the account is"),
        )),
        (status = 403, description = "`forbidden`, `reauthentication_required`"),
        (status = 409, description = "`email_taken`, `username_taken`"),
    )
)]
pub async fn create_user(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<CreateUserRequest>,
) -> Result<impl IntoResponse> {
    who.must(Permission::CreateUsers)?;
    let new = body.parse()?;
    let user = services.create_user((&who).into(), new, &client).await?;
    let place = [(header::LOCATION, format!("/api/v1/users/{}", user.id))];
    let shown = UserResponse::answer(&who, user, services.now());
    Ok((StatusCode::CREATED, place, shown))
}

/// Change a person's account
///
/// As one's own, and `status`; for admins `email` as well. A password is never set here.
#[utoipa::path(
    patch, path = "/{id}", tag = "Users", request_body = ChangeUserRequest, operation_id = "update_user", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`, `reauthentication_required`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`email_taken`, `username_taken`, `last_admin`, `conflict`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_user(
    State(services): State<Services>,
    Caller(client): Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
    Json(body): Json<ChangeUserRequest>,
) -> Result<Versioned<UserResponse>> {
    let (who, Path(id), IfMatch(expected)) = whom;
    who.must(Permission::UpdateUsers)?;
    let update = body.parse()?;
    let user = services
        .update_user((&who).into(), (id, update), &expected, &client)
        .await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}

/// Change a person's account
///
/// The same as `PATCH`.
#[utoipa::path(
    put, path = "/{id}", tag = "Users", request_body = ChangeUserRequest, operation_id = "update_user_put", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`, `reauthentication_required`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`email_taken`, `username_taken`, `last_admin`, `conflict`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_user_put(
    state: State<Services>,
    caller: Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
    body: Json<ChangeUserRequest>,
) -> Result<Versioned<UserResponse>> {
    update_user(state, caller, whom, body).await
}
