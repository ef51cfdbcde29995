//! Refused sign-ins that are not yet on record. They count from the moment they are here (see
//! [`find_guard`](super::credentials::find_guard)); that one is recorded once is settled by who deletes its row.

use super::{
    Tx,
    entity::failed_logins::{self, Column, Entity, Model},
};
use crate::domain::{
    Result, Timestamp,
    failed_login::FailedLogin,
    id::{FailedLoginId, UserId},
    secret::{BlindIndex, Sealed},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

/// A sign-in that was refused.
pub struct StoredFailure {
    pub id: FailedLoginId,
    pub kind: FailedLogin,
    /// Whom it was meant for; an id that nobody has where nobody was.
    pub user_id: UserId,
    /// The device that it counts for, if the person knows it.
    pub device: Option<BlindIndex>,
    /// From where it came.
    pub origin: Sealed,
    /// That of the request over HTTP.
    pub request_id: String,
    pub created_at: Timestamp,
}

/// Keeps a failure; it counts at once.
pub async fn insert_failure(db: &impl ConnectionTrait, failure: StoredFailure) -> Result<()> {
    let row = failed_logins::ActiveModel {
        id: Set(failure.id.0),
        kind: Set(failure.kind.as_str().to_owned()),
        user_id: Set(failure.user_id.0),
        device_index: Set(failure.device.map(|device| device.0.to_vec())),
        origin_sealed: Set(failure.origin.0),
        request_id: Set(failure.request_id),
        created_at: Set(failure.created_at),
        taken_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Takes up to `limit` failures, oldest first, that nobody has taken after `lapsed`. Those of a kind that only a newer
/// version knows are left to it.
pub async fn take_failures(
    tx: &Tx,
    limit: u64,
    now: Timestamp,
    lapsed: Timestamp,
) -> Result<Vec<StoredFailure>> {
    let free = Condition::any()
        .add(Column::TakenAt.is_null())
        .add(Column::TakenAt.lte(lapsed));
    let rows = Entity::find()
        .filter(free)
        .filter(Column::Kind.is_in(FailedLogin::ALL.map(FailedLogin::as_str)))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::TakenAt, Expr::value(now))
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows.into_iter().filter_map(failure).collect())
}

/// Up to `limit` failures of one person, oldest first, whoever has taken them.
pub async fn list_failures_of(
    db: &impl ConnectionTrait,
    user: UserId,
    limit: u64,
) -> Result<Vec<StoredFailure>> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.0))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(failure).collect())
}

/// Takes a failure off the list, in the transaction that puts it on record; false if somebody else was faster.
pub async fn delete_failure(tx: &Tx, id: FailedLoginId) -> Result<bool> {
    let done = Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(done.rows_affected > 0)
}

/// How many failures are not yet on record.
pub async fn count_failures(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(Entity::find().count(db).await?)
}

fn failure(row: Model) -> Option<StoredFailure> {
    let device = row.device_index.map(<[u8; 32]>::try_from).transpose();
    Some(StoredFailure {
        id: FailedLoginId(row.id),
        kind: FailedLogin::read(&row.kind)?,
        user_id: UserId(row.user_id),
        device: device.ok()?.map(BlindIndex),
        origin: Sealed(row.origin_sealed),
        request_id: row.request_id,
        created_at: row.created_at,
    })
}
