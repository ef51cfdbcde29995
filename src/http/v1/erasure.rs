//! Erasing people.

use crate::{
    domain::{Result, actor::SignedIn, id::UserId},
    http::extract::{Caller, IfMatch, Path},
    services::Services,
};
use axum::{extract::State, http::StatusCode};

/// Erase a person
///
/// Deletes the account with all that is theirs and destroys the key of their sealed data. There is no way back. Needs an
/// access token whose password was proven recently (`reauthenticate`).
#[utoipa::path(
    delete, path = "/{id}", tag = "Users", operation_id = "erase_user", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the account that was read", max_length = 1000),
    ),
    responses(
        (status = 204, description = "The person is erased"),
        (status = 403, description = "`forbidden`, `reauthentication_required`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`last_admin`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn erase_user(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode> {
    services
        .erase_user((&who).into(), id, &expected, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
