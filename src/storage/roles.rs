//! Who has which role, and what each role allows.

use super::{
    Tx,
    entity::{role_permissions, roles, user_roles, users},
};
use crate::domain::{
    Result, Timestamp,
    id::UserId,
    permission::{Permission, Role, Roles},
    user::UserStatus,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use std::collections::HashMap;

/// A role as it stands in the database.
pub struct StoredRole {
    pub role: Role,
    pub description: String,
    pub permissions: Vec<Permission>,
}

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

/// The roles of many people in one query; who is not there is left out.
pub async fn list_roles_of_all(
    db: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<HashMap<UserId, Roles>> {
    let rows = user_roles::Entity::find()
        .filter(user_roles::Column::UserId.is_in(ids.iter().map(|id| id.0)))
        .all(db)
        .await?;
    let mut held: HashMap<UserId, Vec<Role>> = HashMap::new();
    for row in rows {
        let roles = held.entry(UserId(row.user_id)).or_default();
        roles.extend(Role::parse(&row.role));
    }
    let all = held.into_iter();
    Ok(all.map(|(id, roles)| (id, Roles::new(roles))).collect())
}

/// Gives a person exactly these roles; one that stays keeps its row and the time of its grant.
pub async fn replace_roles(tx: &Tx, id: UserId, roles: &Roles, now: Timestamp) -> Result<()> {
    let db = tx.changing(id);
    user_roles::Entity::delete_many()
        .filter(user_roles::Column::UserId.eq(id.0))
        .filter(user_roles::Column::Role.is_not_in(roles.names()))
        .exec(&db)
        .await?;
    let rows = roles.iter().map(|role| user_roles::ActiveModel {
        user_id: Set(id.0),
        role: Set(role.as_str().to_owned()),
        granted_at: Set(now),
    });
    let kept = OnConflict::columns([user_roles::Column::UserId, user_roles::Column::Role])
        .do_nothing()
        .to_owned();
    user_roles::Entity::insert_many(rows)
        .on_conflict(kept)
        .exec_without_returning(&db)
        .await?;
    Ok(())
}

/// All roles, weakest first.
pub async fn list_roles(db: &impl ConnectionTrait) -> Result<Vec<StoredRole>> {
    let described = roles::Entity::find().all(db).await?;
    let allowed = role_permissions::Entity::find()
        .order_by_asc(role_permissions::Column::Permission)
        .all(db)
        .await?;
    let stored = |role: Role| {
        let row = described.iter().find(|row| row.name == role.as_str())?;
        let own = allowed.iter().filter(|allowed| allowed.role == row.name);
        Some(StoredRole {
            role,
            description: row.description.clone(),
            permissions: own
                .filter_map(|allowed| Permission::parse(&allowed.permission))
                .collect(),
        })
    };
    Ok(Role::ALL.into_iter().filter_map(stored).collect())
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

/// The active people with this role. Whoever counts them takes turns until the transaction ends, so that two cannot leave
/// at once; the role's own row is the lock, because new holders' rows could not be locked before they are there.
pub async fn lock_active_holders(db: &impl ConnectionTrait, role: Role) -> Result<Vec<UserId>> {
    let turn = roles::Entity::find_by_id(role.as_str().to_owned()).lock_exclusive();
    turn.one(db).await?;
    let held = user_roles::Entity::find()
        .select_only()
        .column(user_roles::Column::UserId)
        .filter(user_roles::Column::Role.eq(role.as_str()));
    let ids = held.into_tuple::<uuid::Uuid>().all(db).await?;
    let active = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .filter(users::Column::Id.is_in(ids))
        .filter(users::Column::Status.eq(UserStatus::Active.as_str()));
    let active = active.into_tuple::<uuid::Uuid>().all(db).await?;
    Ok(active.into_iter().map(UserId).collect())
}
