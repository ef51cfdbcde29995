//! The signed-in person.

use super::user::UserResponse;
use crate::{domain::actor::SignedIn, services::Services};
use axum::{Json, extract::State};

/// Who am I
///
/// The signed-in person's account.
#[utoipa::path(
    get, path = "/me", tag = "Account", operation_id = "get_me", security(("bearerAuth" = [])),
    responses((status = 200, description = "The account", body = UserResponse))
)]
pub async fn get_me(State(services): State<Services>, who: SignedIn) -> Json<UserResponse> {
    Json(UserResponse::of(who.user, services.now()))
}

/// Who am I
///
/// The signed-in person's account; the same as `/api/v1/users/me`.
#[utoipa::path(
    get, path = "/me", tag = "Account", operation_id = "get_me_auth", security(("bearerAuth" = [])),
    responses((status = 200, description = "The account", body = UserResponse))
)]
pub async fn get_me_auth(state: State<Services>, who: SignedIn) -> Json<UserResponse> {
    get_me(state, who).await
}
