//! Who has which role, and what each role allows.

use super::entity::{role_permissions, user_roles, users};
use crate::domain::{
    Result, Timestamp,
    id::UserId,
    permission::{Permission, Role, Roles},
    user::UserStatus,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeSet;

/// A person's roles.
pub async fn list_roles_of(db: &impl ConnectionTrait, id: UserId) -> Result<Roles> {
    let rows = user_roles::Entity::find()
        .filter(user_roles::Column::UserId.eq(id.0))
        .all(db)
        .await?;
    Ok(Roles::new(
        rows.iter().filter_map(|row| Role::parse(&row.role)),
    ))
}

/// Gives a person exactly these roles.
pub async fn replace_roles(
    db: &impl ConnectionTrait,
    id: UserId,
    roles: &Roles,
    now: Timestamp,
) -> Result<()> {
    user_roles::Entity::delete_many()
        .filter(user_roles::Column::UserId.eq(id.0))
        .exec(db)
        .await?;
    let rows = roles.iter().map(|role| user_roles::ActiveModel {
        user_id: Set(id.0),
        role: Set(role.as_str().to_owned()),
        granted_at: Set(now),
    });
    user_roles::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What these roles allow together.
pub async fn list_permissions(
    db: &impl ConnectionTrait,
    roles: &Roles,
) -> Result<BTreeSet<Permission>> {
    let rows = role_permissions::Entity::find()
        .filter(role_permissions::Column::Role.is_in(roles.names()))
        .all(db)
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| Permission::parse(&row.permission))
        .collect())
}

/// Whether anybody has this role.
pub async fn is_held(db: &impl ConnectionTrait, role: Role) -> Result<bool> {
    let first = user_roles::Entity::find()
        .filter(user_roles::Column::Role.eq(role.as_str()))
        .select_only()
        .column(user_roles::Column::UserId)
        .limit(1);
    Ok(first.into_tuple::<uuid::Uuid>().one(db).await?.is_some())
}

/// The active people with this role, held until the transaction ends so that two cannot leave at once.
pub async fn lock_active_holders(db: &impl ConnectionTrait, role: Role) -> Result<Vec<UserId>> {
    let held = user_roles::Entity::find()
        .filter(user_roles::Column::Role.eq(role.as_str()))
        .order_by_asc(user_roles::Column::UserId)
        .lock_exclusive()
        .all(db)
        .await?;
    let ids: Vec<uuid::Uuid> = held.iter().map(|row| row.user_id).collect();
    let active = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .filter(users::Column::Id.is_in(ids))
        .filter(users::Column::Status.eq(UserStatus::Active.as_str()));
    Ok(active
        .into_tuple::<uuid::Uuid>()
        .all(db)
        .await?
        .into_iter()
        .map(UserId)
        .collect())
}
