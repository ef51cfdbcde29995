//! What a check of an access token reads, in one statement. The person's data key is not joined: its table may stand in
//! another database.

use super::{
    Db,
    entity::{tokens, user_sessions, users},
    sessions::session,
    users::{StoredUser, user},
};
use crate::domain::{
    Result,
    id::{AccessTokenId, SessionId, UserId},
    permission::{Permission, Role, Roles},
    session::Session,
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult as _, JoinType, QueryFilter, QuerySelect, QueryTrait,
    RelationDef,
    sea_query::{Expr, Query},
};
use std::collections::BTreeSet;

/// The roles of the person in the same row, and what these allow together.
const ROLES: &str =
    "(SELECT string_agg(held.role, ' ') FROM user_roles held WHERE held.user_id = users.id)";
const PERMISSIONS: &str = "(SELECT string_agg(allowed.permission, ' ') FROM user_roles held \
     JOIN role_permissions allowed ON allowed.role = held.role WHERE held.user_id = users.id)";

/// A person with one of their sessions and one of their tokens.
pub struct Check {
    pub user: StoredUser,
    pub session: Session,
    pub is_revoked: bool,
    pub permissions: BTreeSet<Permission>,
}

/// What is known of a token; none if the session is not there or somebody else's.
pub async fn find_check(
    db: &impl Db,
    (owner, of_session): (UserId, SessionId),
    token: AccessTokenId,
) -> Result<Option<Check>> {
    let to_owner: RelationDef = user_sessions::Entity::belongs_to(users::Entity)
        .from(user_sessions::Column::UserId)
        .to(users::Column::Id)
        .into();
    let revoked = Query::select()
        .expr(Expr::value(1))
        .from(tokens::Entity)
        .and_where(tokens::Column::Jti.eq(token.0))
        .to_owned();
    let select = user_sessions::Entity::find_by_id(of_session.0)
        .filter(user_sessions::Column::UserId.eq(owner.0))
        .join(JoinType::InnerJoin, to_owner)
        .select_also(users::Entity)
        .expr_as(Expr::cust(ROLES), "roles")
        .expr_as(Expr::cust(PERMISSIONS), "permissions")
        .expr_as(Expr::exists(revoked), "is_revoked");
    let found = db
        .query_one_raw(select.build(db.get_database_backend()))
        .await?;
    let Some(row) = found else { return Ok(None) };
    let roles: Option<String> = row.try_get("", "roles")?;
    let permissions: Option<String> = row.try_get("", "permissions")?;
    let (roles, permissions) = (roles.unwrap_or_default(), permissions.unwrap_or_default());
    let roles = Roles::new(roles.split(' ').filter_map(Role::parse));
    Ok(Some(Check {
        session: session(user_sessions::Model::from_query_result(&row, "A_")?),
        user: user(users::Model::from_query_result(&row, "B_")?, roles)?,
        is_revoked: row.try_get("", "is_revoked")?,
        permissions: permissions
            .split(' ')
            .filter_map(Permission::parse)
            .collect(),
    }))
}
