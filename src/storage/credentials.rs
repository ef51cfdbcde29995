//! Password hashes, wrong guesses, and the devices that are known to a person.

use super::entity::{credentials, known_devices};
use crate::domain::{Result, Timestamp, id::UserId, password::PasswordHash, secret::BlindIndex};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

/// A person's password as stored.
pub struct Credential {
    pub hash: PasswordHash,
    /// When the password was set; an upgrade of its hash does not move it.
    pub changed_at: Timestamp,
    /// Since when sign-in by password waits for a reset, except from known devices.
    pub locked_at: Option<Timestamp>,
    /// Wrong guesses in a row, but for those from known devices.
    pub failures: i32,
}

/// Where somebody signs in from, as far as a person's account knows it.
#[derive(Debug, Clone, Copy)]
pub struct KnownDevice {
    /// Wrong guesses in a row from this device.
    pub failures: i32,
}

/// Sets the password, replacing any other; wrong guesses and a lock are forgotten.
pub async fn set_password(
    db: &impl ConnectionTrait,
    id: UserId,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<()> {
    use credentials::Column as C;
    let row = credentials::ActiveModel {
        user_id: Set(id.0),
        password_hash: Set(hash.as_str().to_owned()),
        changed_at: Set(now),
        failures: Set(0),
        locked_at: Set(None),
    };
    let replace = OnConflict::column(C::UserId)
        .update_columns([C::PasswordHash, C::ChangedAt, C::Failures, C::LockedAt])
        .to_owned();
    credentials::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(db)
        .await?;
    known_devices::Entity::update_many()
        .col_expr(known_devices::Column::Failures, Expr::value(0))
        .filter(known_devices::Column::UserId.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Replaces only the hash of an unchanged password (stronger parameters), unless the password changed meanwhile.
pub async fn upgrade_hash(
    db: &impl ConnectionTrait,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<()> {
    credentials::Entity::update_many()
        .col_expr(credentials::Column::PasswordHash, Expr::value(new.as_str()))
        .filter(credentials::Column::UserId.eq(id.0))
        .filter(credentials::Column::PasswordHash.eq(old.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// A person's password; none for an invited person.
pub async fn find_credential(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Credential>> {
    let row = credentials::Entity::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| Credential {
        hash: PasswordHash::new(row.password_hash),
        changed_at: row.changed_at,
        locked_at: row.locked_at,
        failures: row.failures,
    }))
}

/// Counts a wrong guess from an unknown device and tells how many there are now.
pub async fn count_failure(db: &impl ConnectionTrait, id: UserId) -> Result<i32> {
    let rows = credentials::Entity::update_many()
        .col_expr(
            credentials::Column::Failures,
            Expr::col(credentials::Column::Failures).add(1),
        )
        .filter(credentials::Column::UserId.eq(id.0))
        .exec_with_returning(db)
        .await?;
    Ok(rows.first().map_or(0, |row| row.failures))
}

/// Makes sign-in by password from unknown devices wait for a reset.
pub async fn lock(db: &impl ConnectionTrait, id: UserId, now: Timestamp) -> Result<()> {
    credentials::Entity::update_many()
        .col_expr(credentials::Column::LockedAt, Expr::value(now))
        .filter(credentials::Column::UserId.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets wrong guesses after a right one.
pub async fn forget_failures(db: &impl ConnectionTrait, id: UserId) -> Result<()> {
    credentials::Entity::update_many()
        .col_expr(credentials::Column::Failures, Expr::value(0))
        .filter(credentials::Column::UserId.eq(id.0))
        .filter(credentials::Column::Failures.gt(0))
        .filter(credentials::Column::LockedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// The device, if the person has signed in from it before.
pub async fn find_device(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
) -> Result<Option<KnownDevice>> {
    let row = known_devices::Entity::find_by_id((id.0, device.0.to_vec()))
        .one(db)
        .await?;
    Ok(row.map(|row| KnownDevice {
        failures: row.failures,
    }))
}

/// Counts a wrong guess from a known device.
pub async fn count_device_failure(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
) -> Result<()> {
    known_devices::Entity::update_many()
        .col_expr(
            known_devices::Column::Failures,
            Expr::col(known_devices::Column::Failures).add(1),
        )
        .filter(known_devices::Column::UserId.eq(id.0))
        .filter(known_devices::Column::DeviceIndex.eq(device.0.to_vec()))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets wrong guesses from a known device after a right one.
pub async fn forget_device_failures(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
) -> Result<()> {
    known_devices::Entity::update_many()
        .col_expr(known_devices::Column::Failures, Expr::value(0))
        .filter(known_devices::Column::UserId.eq(id.0))
        .filter(known_devices::Column::DeviceIndex.eq(device.0.to_vec()))
        .exec(db)
        .await?;
    Ok(())
}

/// How many devices the person has signed in from.
pub async fn count_devices(db: &impl ConnectionTrait, id: UserId) -> Result<u64> {
    let devices = known_devices::Entity::find().filter(known_devices::Column::UserId.eq(id.0));
    Ok(devices.count(db).await?)
}

/// Remembers the device of a successful sign-in.
pub async fn remember_device(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
    now: Timestamp,
) -> Result<()> {
    use known_devices::Column as C;
    let row = known_devices::ActiveModel {
        user_id: Set(id.0),
        device_index: Set(device.0.to_vec()),
        failures: Set(0),
        first_seen_at: Set(now),
        last_seen_at: Set(now),
    };
    let again = OnConflict::columns([C::UserId, C::DeviceIndex])
        .update_columns([C::Failures, C::LastSeenAt])
        .to_owned();
    known_devices::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Forgets all devices of a person.
pub async fn forget_devices(db: &impl ConnectionTrait, id: UserId) -> Result<()> {
    let devices =
        known_devices::Entity::delete_many().filter(known_devices::Column::UserId.eq(id.0));
    devices.exec(db).await?;
    Ok(())
}
