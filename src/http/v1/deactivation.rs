//! Putting accounts aside and taking them up again.

use super::user::UserResponse;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        error::{Fault, Violation},
        id::UserId,
        permission::Permission,
    },
    http::{
        extract::{Caller, Check, Field, IfMatch, Json, Path},
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MOST: usize = 100;

/// One person or many.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "uuids": ["01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f"] }))]
pub struct SoftDeleteRequest {
    #[schema(value_type = Option<Uuid>)]
    #[serde(default)]
    uuid: Field<String>,
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 100)]
    #[serde(default)]
    uuids: Field<Vec<String>>,
}

impl SoftDeleteRequest {
    fn parse(self) -> Result<Vec<UserId>> {
        let mut check = Check::new();
        let is_empty = matches!(
            (&self.uuid, &self.uuids),
            (Field::Absent | Field::Null, Field::Absent | Field::Null)
        );
        check.report(is_empty.then(|| Violation::required("uuid")));
        let one = check.optional_text("uuid", self.uuid, id);
        let many = check.optional("uuids", self.uuids, |ids| list(&ids));
        let (one, many) = check.done((one, many))?;
        Ok(one.into_iter().chain(many.unwrap_or_default()).collect())
    }
}

fn id(text: &str) -> Result<UserId, Fault> {
    text.parse()
        .map_err(|_| Fault::new("format", "This is not a UUID."))
}

fn list(texts: &[String]) -> Result<Vec<UserId>, Fault> {
    match texts.len() {
        0 => Err(Fault::new("too_short", "Name one person at least.")),
        1..=MOST => texts.iter().map(|text| id(text)).collect(),
        _ => Err(Fault::new("too_long", "Name 100 people at most.")),
    }
}

/// The accounts that were put aside.
#[derive(Serialize, ToSchema)]
pub struct SoftDeletedResponse {
    #[schema(max_items = 101)]
    items: Vec<UserResponse>,
}

/// Deactivate an account
///
/// The person is signed out everywhere and cannot sign in; the data stays.
#[utoipa::path(
    post, path = "/{id}/deactivate", tag = "Users", operation_id = "deactivate_user", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`last_admin`, `conflict`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn deactivate_user(
    State(services): State<Services>,
    Caller(client): Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
) -> Result<Versioned<UserResponse>> {
    let (who, Path(id), IfMatch(expected)) = whom;
    let user = services
        .deactivate_user((&who).into(), id, &expected, &client)
        .await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}

/// Reactivate an account
///
/// Takes up an account that was deactivated or, for admins, ended by its owner.
#[utoipa::path(
    post, path = "/{id}/reactivate", tag = "Users", operation_id = "reactivate_user", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`conflict`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn reactivate_user(
    State(services): State<Services>,
    Caller(client): Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
) -> Result<Versioned<UserResponse>> {
    let (who, Path(id), IfMatch(expected)) = whom;
    let user = services
        .reactivate_user((&who).into(), id, &expected, &client)
        .await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}

/// Deactivate one account or many
///
/// All of them or, if one is refused, none.
#[utoipa::path(
    post, path = "/soft_delete", tag = "Users", request_body = SoftDeleteRequest, operation_id = "soft_delete_users", security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "The accounts as they are now", body = SoftDeletedResponse),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`last_admin`, `conflict`"),
    )
)]
pub async fn soft_delete_users(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<SoftDeleteRequest>,
) -> Result<axum::Json<SoftDeletedResponse>> {
    who.must(Permission::DeactivateUsers)?;
    let ids = body.parse()?;
    let people = services
        .soft_delete_users((&who).into(), ids, &client)
        .await?;
    let now = services.now();
    let shown = people
        .into_iter()
        .map(|user| UserResponse::seen_by(&who, user, now));
    Ok(axum::Json(SoftDeletedResponse {
        items: shown.collect(),
    }))
}
