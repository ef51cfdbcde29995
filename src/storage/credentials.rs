//! Password hashes, wrong guesses, and the devices that are known to a person.

use super::entity::{credentials, known_devices};
use crate::domain::{Result, Timestamp, id::UserId, password::PasswordHash, secret::BlindIndex};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, Statement,
    sea_query::{Expr, OnConflict},
};

/// A person's password as stored.
pub struct Credential {
    pub hash: PasswordHash,
    /// When the password was set; an upgrade of its hash does not move it.
    pub changed_at: Timestamp,
    /// Since when sign-in by password waits for a reset, except from known devices.
    pub locked_at: Option<Timestamp>,
    /// Since when nobody signs in before a new password is set.
    pub reset_required_at: Option<Timestamp>,
}

impl Credential {
    /// Whether a right password opens nothing.
    pub fn must_be_replaced(&self) -> bool {
        self.reset_required_at.is_some()
    }
}

/// What stands before a guess at a person's password.
pub struct StoredGuard {
    pub credential: Option<Credential>,
    /// Wrong guesses in a row, but for those from known devices.
    pub failures: i64,
    /// Wrong guesses in a row from this device; none if the person does not know it.
    pub device_failures: Option<i64>,
}

#[derive(FromQueryResult)]
struct GuardRow {
    password_hash: Option<String>,
    changed_at: Option<Timestamp>,
    locked_at: Option<Timestamp>,
    reset_required_at: Option<Timestamp>,
    failures: i64,
    device_failures: Option<i64>,
}

/// One statement, so that a failure that goes on record meanwhile counts once; it gives a row for nobody as well.
const GUARD: &str = "SELECT c.password_hash, c.changed_at, c.locked_at, c.reset_required_at, \
    coalesce(c.failures, 0) + (SELECT count(*) FROM failed_logins \
        WHERE user_id = $1 AND device_index IS NULL AND kind = 'wrong_password') AS failures, \
    d.failures + (SELECT count(*) FROM failed_logins \
        WHERE user_id = $1 AND device_index = $2 AND kind = 'wrong_password') AS device_failures \
    FROM (SELECT 1) AS one LEFT JOIN credentials c ON c.user_id = $1 \
    LEFT JOIN known_devices d ON d.user_id = $1 AND d.device_index = $2";

/// Hash, lock and counts by which a guess from this device is judged, failures included that are not yet on record.
pub async fn find_guard(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
) -> Result<StoredGuard> {
    let values = [id.0.into(), device.0.to_vec().into()];
    let query = Statement::from_sql_and_values(db.get_database_backend(), GUARD, values);
    let row = GuardRow::find_by_statement(query).one(db).await?;
    let missing = || crate::domain::Error::internal(anyhow::anyhow!("the guard gave no row"));
    let row = row.ok_or_else(missing)?;
    let credential = row.password_hash.zip(row.changed_at);
    Ok(StoredGuard {
        credential: credential.map(|(hash, changed_at)| Credential {
            hash: PasswordHash::new(hash),
            changed_at,
            locked_at: row.locked_at,
            reset_required_at: row.reset_required_at,
        }),
        failures: row.failures,
        device_failures: row.device_failures,
    })
}

/// Sets the password, replacing any other; wrong guesses, a lock and the demand for another one are forgotten.
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
        reset_required_at: Set(None),
    };
    let replace = OnConflict::column(C::UserId)
        .update_columns([
            C::PasswordHash,
            C::ChangedAt,
            C::Failures,
            C::LockedAt,
            C::ResetRequiredAt,
        ])
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
        reset_required_at: row.reset_required_at,
    }))
}

/// Counts a wrong guess from an unknown device and tells how many there are now; none if sign-in waits for a reset anyway.
pub async fn count_failure(db: &impl ConnectionTrait, id: UserId) -> Result<Option<i32>> {
    let rows = credentials::Entity::update_many()
        .col_expr(
            credentials::Column::Failures,
            Expr::col(credentials::Column::Failures).add(1),
        )
        .filter(credentials::Column::UserId.eq(id.0))
        .exec_with_returning(db)
        .await?;
    let open = rows.first().filter(|row| row.locked_at.is_none());
    Ok(open.map(|row| row.failures))
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

/// Lets nobody sign in before a new password is set.
pub async fn require_reset(db: &impl ConnectionTrait, id: UserId, now: Timestamp) -> Result<()> {
    credentials::Entity::update_many()
        .col_expr(credentials::Column::ResetRequiredAt, Expr::value(now))
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

/// Counts a wrong guess from a known device and tells how many there are now; none if the device is known no longer.
pub async fn count_device_failure(
    db: &impl ConnectionTrait,
    id: UserId,
    device: BlindIndex,
) -> Result<Option<i32>> {
    let rows = known_devices::Entity::update_many()
        .col_expr(
            known_devices::Column::Failures,
            Expr::col(known_devices::Column::Failures).add(1),
        )
        .filter(known_devices::Column::UserId.eq(id.0))
        .filter(known_devices::Column::DeviceIndex.eq(device.0.to_vec()))
        .exec_with_returning(db)
        .await?;
    Ok(rows.first().map(|row| row.failures))
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
