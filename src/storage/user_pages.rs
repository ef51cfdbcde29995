//! All people along their ids with what an export needs of each, a few queries a page.

use super::{
    Db,
    entity::{credentials, user_keys, users},
    roles,
    users::{StoredUser, user},
};
use crate::domain::{Result, id::UserId, permission::Roles, secret::WrappedKey};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

/// A person, the key of what is sealed, and the stored hash of the password.
pub struct KeyedUser {
    pub user: StoredUser,
    pub key: WrappedKey,
    pub password_hash: Option<String>,
}

/// How many people there are.
pub async fn count_users(db: &impl Db) -> Result<u64> {
    Ok(users::Entity::find().count(db).await?)
}

/// Up to `limit` people after this one, by id.
pub async fn list_users_after(
    db: &impl Db,
    after: Option<UserId>,
    limit: u64,
) -> Result<Vec<KeyedUser>> {
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let rows = users::Entity::find()
        .filter(users::Column::Id.gt(after))
        .order_by_asc(users::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut keys: HashMap<Uuid, user_keys::Model> = user_keys::Entity::find()
        .filter(user_keys::Column::UserId.is_in(ids.clone()))
        .all(db)
        .await?
        .into_iter()
        .map(|key| (key.user_id, key))
        .collect();
    let mut hashes: HashMap<Uuid, String> = credentials::Entity::find()
        .filter(credentials::Column::UserId.is_in(ids.clone()))
        .all(db)
        .await?
        .into_iter()
        .map(|credential| (credential.user_id, credential.password_hash))
        .collect();
    let ids: Vec<UserId> = ids.into_iter().map(UserId).collect();
    let mut roles = roles::list_roles_of_all(db, &ids).await?;
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        // Who has no key was erased between the queries.
        let Some(key) = keys.remove(&id) else {
            continue;
        };
        people.push(KeyedUser {
            user: user(
                row,
                roles.remove(&UserId(id)).unwrap_or_else(|| Roles::new([])),
            )?,
            key: WrappedKey {
                master_key_id: key.master_key_id,
                bytes: key.wrapped,
            },
            password_hash: hashes.remove(&id),
        });
    }
    Ok(people)
}
