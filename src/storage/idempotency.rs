//! Requests that may come again. Which of several runs is settled by unique indexes and by the run's id: whoever changes
//! a row names the run that it has seen. What a run commits marks its row in the same transaction, so that it takes effect
//! once or not at all.

use super::entity::{
    idempotency_keys::{self, Column, Entity},
    users,
};
use crate::domain::{
    Result, Timestamp,
    error::Clash,
    id::{RunId, UserId},
    secret::{BlindIndex, Sealed},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

/// On whose behalf transactions commit.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub id: RunId,
    /// With whom its row goes.
    pub owner: Option<UserId>,
}

tokio::task_local! {
    static RUN: Run;
}

/// Does this work on behalf of a run: each transaction that begins in it, and does not stand [`aside`](super::Tx::aside),
/// commits only while the request is the run's, and marks it. Tasks that it spawns are not part of it.
pub async fn on_behalf_of<T>(run: Run, work: impl Future<Output = T>) -> T {
    RUN.scope(run, work).await
}

/// The run that this task works for.
pub(super) fn present_run() -> Option<Run> {
    RUN.try_with(|run| *run).ok()
}

/// A request about to be run.
pub struct NewAttempt {
    pub id: Uuid,
    pub owner: Option<UserId>,
    /// Everything that makes it this request.
    pub request: BlindIndex,
    /// The key, and where and by whom it was used.
    pub place: BlindIndex,
    pub run: RunId,
    pub leased_until: Timestamp,
    pub created_at: Timestamp,
}

/// A request that came before.
pub struct StoredAttempt {
    /// Whether it is the same and not only under the same key.
    pub is_same: bool,
    pub run: RunId,
    pub leased_until: Timestamp,
    /// Whether something that the run did was committed.
    pub took_effect: bool,
    /// None while it runs.
    pub answer: Option<Sealed>,
    pub created_at: Timestamp,
}

/// Notes a request; false if the same or another under its key is there.
pub async fn insert_attempt(db: &impl ConnectionTrait, attempt: NewAttempt) -> Result<bool> {
    let row = idempotency_keys::ActiveModel {
        id: Set(attempt.id),
        user_id: Set(attempt.owner.map(|owner| owner.0)),
        request: Set(attempt.request.0.to_vec()),
        place: Set(attempt.place.0.to_vec()),
        run_id: Set(attempt.run.0),
        leased_until: Set(attempt.leased_until),
        took_effect: Set(false),
        answer_sealed: Set(None),
        created_at: Set(attempt.created_at),
    };
    let inserted = Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(inserted > 0)
}

/// The same request, or else another under its key.
pub async fn find_attempt(
    db: &impl ConnectionTrait,
    request: BlindIndex,
    place: BlindIndex,
) -> Result<Option<StoredAttempt>> {
    let either = Condition::any()
        .add(Column::Request.eq(request.0.to_vec()))
        .add(Column::Place.eq(place.0.to_vec()));
    let rows = Entity::find().filter(either).all(db).await?;
    let found = rows.into_iter().map(|row| StoredAttempt {
        is_same: row.request == request.0,
        run: RunId(row.run_id),
        leased_until: row.leased_until,
        took_effect: row.took_effect,
        answer: row.answer_sealed.map(Sealed),
        created_at: row.created_at,
    });
    Ok(found.max_by_key(|attempt| attempt.is_same))
}

/// Gives a request whose run has died before it took effect to another run; false if somebody was faster.
pub async fn take_over(
    db: &impl ConnectionTrait,
    seen: RunId,
    (run, leased_until): (RunId, Timestamp),
) -> Result<bool> {
    let done = Entity::update_many()
        .col_expr(Column::RunId, Expr::value(run.0))
        .col_expr(Column::LeasedUntil, Expr::value(leased_until))
        .filter(Column::RunId.eq(seen.0))
        .filter(Column::AnswerSealed.is_null())
        .filter(Column::TookEffect.eq(false))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Marks the run's request in a transaction that is about to commit, as its last lock; refused if the request has gone to
/// another run.
pub(super) async fn mark_effect(db: &impl ConnectionTrait, run: Run) -> Result<()> {
    let marked = Entity::update_many()
        .col_expr(Column::TookEffect, Expr::value(true))
        .filter(Column::RunId.eq(run.id.0))
        .exec(db)
        .await?;
    if marked.rows_affected > 0 {
        return Ok(());
    }
    // Whoever erases the one who asks takes the row along: then there is nobody left who could ask again.
    if let Some(owner) = run.owner
        && users::Entity::find_by_id(owner.0).count(db).await? == 0
    {
        return Ok(());
    }
    Err(Clash::InFlight.into())
}

/// Keeps the answer of a run, unless another has taken its place.
pub async fn update_answer(db: &impl ConnectionTrait, run: RunId, answer: Sealed) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::AnswerSealed, Expr::value(answer.0))
        .filter(Column::RunId.eq(run.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a run that has no answer: its request is forgotten, or kept without a lease if it took effect.
pub async fn end_run(db: &impl ConnectionTrait, run: RunId, now: Timestamp) -> Result<()> {
    let forgotten = Entity::delete_many()
        .filter(Column::RunId.eq(run.0))
        .filter(Column::TookEffect.eq(false))
        .exec(db)
        .await?;
    if forgotten.rows_affected == 0 {
        Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(now))
            .filter(Column::RunId.eq(run.0))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Forgets a request as this run left it.
pub async fn delete_attempt(db: &impl ConnectionTrait, run: RunId) -> Result<()> {
    Entity::delete_many()
        .filter(Column::RunId.eq(run.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets up to `batch` requests that came before this time; how many went.
pub async fn delete_old_attempts(
    db: &impl ConnectionTrait,
    before: Timestamp,
    batch: i64,
) -> Result<u64> {
    let rule = "DELETE FROM idempotency_keys WHERE id IN \
                (SELECT id FROM idempotency_keys WHERE created_at <= $1 LIMIT $2)";
    let values = [before.into(), batch.into()];
    let delete = Statement::from_sql_and_values(db.get_database_backend(), rule, values);
    Ok(db.execute_raw(delete).await?.rows_affected())
}
