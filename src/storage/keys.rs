//! Keys at rest: wrapped data keys of users and of the service, and sealed signing keys.

use super::entity::{signing_keys, user_keys, vault_keys};
use crate::domain::{
    Result, Timestamp,
    id::UserId,
    secret::{Sealed, WrappedKey},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

/// A signing key as it is stored.
pub struct StoredSigningKey {
    pub kid: String,
    pub algorithm: String,
    pub private: Sealed,
    pub created_at: Timestamp,
    pub active_from: Timestamp,
    pub retired_at: Option<Timestamp>,
}

/// Keeps a new user's wrapped data key.
pub async fn insert_user_key(
    db: &impl ConnectionTrait,
    id: UserId,
    key: WrappedKey,
    now: Timestamp,
) -> Result<()> {
    let row = user_keys::ActiveModel {
        user_id: Set(id.0),
        master_key_id: Set(key.master_key_id),
        wrapped: Set(key.bytes),
        created_at: Set(now),
    };
    user_keys::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Destroys a user's data key: what it sealed can be read by nobody any more.
pub async fn delete_user_key(db: &impl ConnectionTrait, id: UserId) -> Result<()> {
    user_keys::Entity::delete_by_id(id.0).exec(db).await?;
    Ok(())
}

/// A user's wrapped data key; none after erasure.
pub async fn find_user_key(db: &impl ConnectionTrait, id: UserId) -> Result<Option<WrappedKey>> {
    let row = user_keys::Entity::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| WrappedKey {
        master_key_id: row.master_key_id,
        bytes: row.wrapped,
    }))
}

/// The wrapped data keys of those among these people who still have one.
pub async fn list_user_keys(
    db: &impl ConnectionTrait,
    ids: Vec<UserId>,
) -> Result<Vec<(UserId, WrappedKey)>> {
    let rows = user_keys::Entity::find()
        .filter(user_keys::Column::UserId.is_in(ids.into_iter().map(|id| id.0)))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(owned).collect())
}

/// Up to `limit` users whose keys another master key wraps.
pub async fn list_user_keys_not_under(
    db: &impl ConnectionTrait,
    master_key_id: &str,
    limit: u64,
) -> Result<Vec<(UserId, WrappedKey)>> {
    let rows = user_keys::Entity::find()
        .filter(user_keys::Column::MasterKeyId.ne(master_key_id))
        .order_by_asc(user_keys::Column::UserId)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(owned).collect())
}

fn owned(row: user_keys::Model) -> (UserId, WrappedKey) {
    let key = WrappedKey {
        master_key_id: row.master_key_id,
        bytes: row.wrapped,
    };
    (UserId(row.user_id), key)
}

/// How many users' keys another master key wraps.
pub async fn count_user_keys_not_under(
    db: &impl ConnectionTrait,
    master_key_id: &str,
) -> Result<u64> {
    let others = user_keys::Entity::find().filter(user_keys::Column::MasterKeyId.ne(master_key_id));
    Ok(others.count(db).await?)
}

/// Replaces the wrapping of a user's key, unless somebody else did so meanwhile.
pub async fn update_user_key(
    db: &impl ConnectionTrait,
    id: UserId,
    old: &WrappedKey,
    new: WrappedKey,
) -> Result<()> {
    user_keys::Entity::update_many()
        .set(user_keys::ActiveModel {
            master_key_id: Set(new.master_key_id),
            wrapped: Set(new.bytes),
            ..Default::default()
        })
        .filter(user_keys::Column::UserId.eq(id.0))
        .filter(user_keys::Column::MasterKeyId.eq(old.master_key_id.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// Keeps one of the service's own data keys, unless another node was first.
pub async fn insert_vault_key(
    db: &impl ConnectionTrait,
    name: &str,
    key: WrappedKey,
    now: Timestamp,
) -> Result<()> {
    let row = vault_keys::ActiveModel {
        name: Set(name.to_owned()),
        master_key_id: Set(key.master_key_id),
        wrapped: Set(key.bytes),
        created_at: Set(now),
    };
    vault_keys::Entity::insert(row)
        .on_conflict(
            OnConflict::column(vault_keys::Column::Name)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// One of the service's own data keys.
pub async fn find_vault_key(db: &impl ConnectionTrait, name: &str) -> Result<Option<WrappedKey>> {
    let row = vault_keys::Entity::find_by_id(name.to_owned())
        .one(db)
        .await?;
    Ok(row.map(|row| WrappedKey {
        master_key_id: row.master_key_id,
        bytes: row.wrapped,
    }))
}

/// Holds one of the service's own data keys until the transaction ends: the lock of what nodes must do one by one.
pub async fn lock_vault_key(db: &impl ConnectionTrait, name: &str) -> Result<()> {
    let held = vault_keys::Entity::find_by_id(name.to_owned()).lock_exclusive();
    held.one(db).await?;
    Ok(())
}

/// Replaces the wrapping of one of the service's own keys.
pub async fn update_vault_key(
    db: &impl ConnectionTrait,
    name: &str,
    new: WrappedKey,
) -> Result<()> {
    vault_keys::Entity::update_many()
        .set(vault_keys::ActiveModel {
            master_key_id: Set(new.master_key_id),
            wrapped: Set(new.bytes),
            ..Default::default()
        })
        .filter(vault_keys::Column::Name.eq(name))
        .exec(db)
        .await?;
    Ok(())
}

/// The ids of all master keys that wrap something.
pub async fn list_master_key_ids(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let users = user_keys::Entity::find()
        .select_only()
        .column(user_keys::Column::MasterKeyId)
        .distinct();
    let vault = vault_keys::Entity::find()
        .select_only()
        .column(vault_keys::Column::MasterKeyId)
        .distinct();
    let mut ids: Vec<String> = users.into_tuple().all(db).await?;
    ids.extend(vault.into_tuple::<String>().all(db).await?);
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Keeps a new signing key.
pub async fn insert_signing_key(db: &impl ConnectionTrait, key: StoredSigningKey) -> Result<()> {
    let row = signing_keys::ActiveModel {
        kid: Set(key.kid),
        algorithm: Set(key.algorithm),
        private_sealed: Set(key.private.0),
        created_at: Set(key.created_at),
        active_from: Set(key.active_from),
        retired_at: Set(key.retired_at),
    };
    signing_keys::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All signing keys, newest first.
pub async fn list_signing_keys(db: &impl ConnectionTrait) -> Result<Vec<StoredSigningKey>> {
    let rows = signing_keys::Entity::find()
        .order_by_desc(signing_keys::Column::ActiveFrom)
        .all(db)
        .await?;
    let key = |row: signing_keys::Model| StoredSigningKey {
        kid: row.kid,
        algorithm: row.algorithm,
        private: Sealed(row.private_sealed),
        created_at: row.created_at,
        active_from: row.active_from,
        retired_at: row.retired_at,
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Retires all signing keys but this one at `at`; those already retired keep their time.
pub async fn retire_signing_keys_but(
    db: &impl ConnectionTrait,
    kid: &str,
    at: Timestamp,
) -> Result<()> {
    signing_keys::Entity::update_many()
        .set(signing_keys::ActiveModel {
            retired_at: Set(Some(at)),
            ..Default::default()
        })
        .filter(signing_keys::Column::Kid.ne(kid))
        .filter(signing_keys::Column::RetiredAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Retires every other key now, also those that were to retire later.
pub async fn revoke_signing_keys_but(
    db: &impl ConnectionTrait,
    kid: &str,
    now: Timestamp,
) -> Result<()> {
    signing_keys::Entity::update_many()
        .set(signing_keys::ActiveModel {
            retired_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(signing_keys::Column::Kid.ne(kid))
        .filter(
            Condition::any()
                .add(signing_keys::Column::RetiredAt.is_null())
                .add(signing_keys::Column::RetiredAt.gt(now)),
        )
        .exec(db)
        .await?;
    Ok(())
}
