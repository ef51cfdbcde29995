//! Roles: what each may do, and who has which.

use super::user::{RoleName, UserResponse};
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        error::Fault,
        id::UserId,
        permission::{Permission, Role, Roles},
    },
    http::{
        collection::{Collection, CollectionResponse, PageQuery},
        extract::{Caller, Check, Field, IfMatch, Json, Path, Query},
        versioned::Versioned,
    },
    services::{
        Services,
        roles::{ORDER, RoleView},
    },
};
use axum::extract::{OriginalUri, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleResponse {
    #[schema(value_type = RoleName, example = "manager")]
    name: &'static str,
    #[schema(
        max_length = 200,
        example = "Support staff; sees everyone and acts on people of role user."
    )]
    description: String,
    /// What it allows.
    #[schema(max_items = 100, example = json!(["users:read", "users:update"]))]
    permissions: Vec<&'static str>,
}

impl From<RoleView> for RoleResponse {
    fn from(role: RoleView) -> Self {
        Self {
            name: role.role.as_str(),
            description: role.description,
            permissions: role.permissions,
        }
    }
}

/// All roles that the person is to have.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "roles": ["manager"] }))]
pub struct SetRolesRequest {
    #[schema(value_type = Vec<RoleName>, required = true, min_items = 1, max_items = 3)]
    #[serde(default)]
    roles: Field<Vec<String>>,
}

/// Reads names of roles; one at least.
pub fn parse_roles(names: &[String]) -> Result<Roles, Fault> {
    if names.is_empty() {
        return Err(Fault::new("too_short", "Name one role at least."));
    }
    if names.len() > Role::ALL.len() {
        return Err(Fault::new("too_long", "There are not so many roles."));
    }
    let roles: Option<Vec<Role>> = names.iter().map(|name| Role::parse(name)).collect();
    let roles = roles.ok_or(Fault::new("unknown_value", "There is no such role."))?;
    Ok(Roles::new(roles))
}

/// List the roles
///
/// The roles, weakest first, and what each may do.
#[utoipa::path(
    get, path = "/", tag = "Users", operation_id = "list_roles", security(("bearerAuth" = [])), params(PageQuery),
    responses(
        (status = 200, description = "The roles", body = CollectionResponse<RoleResponse>),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn list_roles(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Collection<RoleResponse>> {
    who.must(Permission::ReadRoles)?;
    let request = query.check(ORDER)?;
    let page = services.list_roles((&who).into(), &request).await?;
    Ok(Collection::of(page.map(RoleResponse::from), &uri))
}

/// Set a person's roles
///
/// Access changes at once; sessions stay. Nobody can add to their own roles, but anybody can step down to weaker ones; an
/// active admin is always left.
#[utoipa::path(
    put, path = "/{id}/roles", tag = "Users", request_body = SetRolesRequest, operation_id = "set_roles", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`, `reauthentication_required`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`last_admin`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn set_roles(
    State(services): State<Services>,
    Caller(client): Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
    Json(body): Json<SetRolesRequest>,
) -> Result<Versioned<UserResponse>> {
    let (who, Path(id), IfMatch(expected)) = whom;
    who.must(Permission::AssignRoles)?;
    let mut check = Check::new();
    let roles = check.required("roles", body.roles, |names| parse_roles(&names));
    let roles = check.done(roles)?;
    let user = services
        .set_roles((&who).into(), (id, roles), &expected, &client)
        .await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}
