//! The signed-in person.

use super::user::UserResponse;
use crate::{domain::actor::SignedIn, http::versioned::Versioned, services::Services};
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
