//! What an operation answers that has nothing to give back but that it was done.

use super::user::UserResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// A sentence for people.
#[derive(Serialize, ToSchema)]
pub struct MessageResponse {
    #[schema(
        max_length = 200,
        example = "If there is an account with this address, a mail is on its way."
    )]
    message: &'static str,
}

impl MessageResponse {
    /// Says it.
    pub fn new(message: &'static str) -> axum::Json<Self> {
        axum::Json(Self { message })
    }
}

/// A sentence for people, and the account as it is now.
#[derive(Serialize, ToSchema)]
pub struct UserMessageResponse {
    #[schema(max_length = 200, example = "Your e-mail address is confirmed.")]
    pub message: &'static str,
    pub user: UserResponse,
}
