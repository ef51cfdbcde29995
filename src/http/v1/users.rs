//! The signed-in person, and others by id.

use super::user::UserResponse;
use crate::{
    domain::{Result, actor::SignedIn, id::UserId},
    http::{
        extract::{Caller, Path},
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;

/// Who am I
///
/// The signed-in person's account.
#[utoipa::path(
    get, path = "/me", tag = "Account", operation_id = "get_me", security(("bearerAuth" = [])),
    responses((status = 200, description = "The account", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))))
)]
pub async fn get_me(State(services): State<Services>, who: SignedIn) -> Versioned<UserResponse> {
    Versioned(
        who.user.version,
        UserResponse::own(who.user, services.now()),
    )
}

/// Who am I
///
/// The signed-in person's account; the same as `/api/v1/users/me`.
#[utoipa::path(
    get, path = "/me", tag = "Account", operation_id = "get_me_auth", security(("bearerAuth" = [])),
    responses((status = 200, description = "The account", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))))
)]
pub async fn get_me_auth(state: State<Services>, who: SignedIn) -> Versioned<UserResponse> {
    get_me(state, who).await
}

/// Read a person's account
///
/// For staff, and for everybody their own.
#[utoipa::path(
    get, path = "/{id}", tag = "Users", operation_id = "get_user", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 200, description = "The account", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`premium_required`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn get_user(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Versioned<UserResponse>> {
    let user = services.get_user(&who, id, &client).await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}
