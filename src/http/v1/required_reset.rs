//! Asking a person for another password.

use crate::{
    domain::{Result, actor::SignedIn, id::UserId},
    http::extract::{Caller, Path},
    services::Services,
};
use axum::{extract::State, http::StatusCode};

/// Require a new password
///
/// For a password that may be known to others: all sessions of the person end, a link to choose another password is
/// mailed, and until that is done signing in with the old one answers `password_change_required`.
#[utoipa::path(
    post, path = "/{id}/require-password-reset", tag = "Users", operation_id = "require_password_reset", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 204, description = "All sessions have ended, and the link is on its way"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`conflict`: oneself, a person without a password, or an account that is not in use"),
    )
)]
pub async fn require_password_reset(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<StatusCode> {
    services
        .require_password_reset((&who).into(), id, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
