//! Mails waiting to be sent. The courier claims due rows by moving their next attempt ahead, so that several nodes (or
//! one that died while sending) never block each other: a claim lapses by itself.

use super::{
    Tx,
    entity::outbox_mails::{self, Column, Entity, Model},
};
use crate::domain::{
    Result, Timestamp,
    id::{MailId, UserId},
    secret::Sealed,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

/// A mail row.
#[derive(Debug, Clone)]
pub struct StoredMail {
    pub id: MailId,
    pub user_id: UserId,
    pub message: Option<Sealed>,
    pub attempts: i32,
    pub created_at: Timestamp,
    /// The place in the trace in which it was queued.
    pub trace_parent: Option<String>,
}

/// A mail to be queued.
pub struct NewMail {
    pub id: MailId,
    pub user_id: UserId,
    pub template: &'static str,
    pub message: Sealed,
    pub created_at: Timestamp,
    pub trace_parent: Option<String>,
}

/// Queues a mail; it is due at once.
pub async fn insert_mail(db: &impl ConnectionTrait, mail: NewMail) -> Result<()> {
    let row = outbox_mails::ActiveModel {
        id: Set(mail.id.0),
        user_id: Set(mail.user_id.0),
        template: Set(mail.template.to_owned()),
        message_sealed: Set(Some(mail.message.0)),
        status: Set("pending".to_owned()),
        attempts: Set(0),
        created_at: Set(mail.created_at),
        next_attempt_at: Set(mail.created_at),
        sent_at: Set(None),
        last_fault: Set(None),
        trace_parent: Set(mail.trace_parent),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Claims up to `limit` due mails until `claimed_until`, oldest first, and counts the attempt. One that was never tried is
/// due whatever its time: it was queued by a clock that has been set back since.
pub async fn claim_due(
    tx: &Tx,
    limit: u64,
    now: Timestamp,
    claimed_until: Timestamp,
) -> Result<Vec<StoredMail>> {
    let rows = Entity::find()
        .filter(Column::Status.eq("pending"))
        .filter(
            Condition::any()
                .add(Column::NextAttemptAt.lte(now))
                .add(Column::Attempts.eq(0)),
        )
        .order_by_asc(Column::NextAttemptAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::NextAttemptAt, Expr::value(claimed_until))
            .col_expr(
                Column::Attempts,
                sea_orm::ExprTrait::add(Expr::col(Column::Attempts), 1),
            )
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(rows.into_iter().map(mail).collect())
}

/// Notes that a mail was handed over; its text is wiped unless it is to stay readable.
pub async fn mark_sent(
    db: &impl ConnectionTrait,
    id: MailId,
    keep: bool,
    now: Timestamp,
) -> Result<()> {
    let mut row = outbox_mails::ActiveModel {
        status: Set("sent".to_owned()),
        sent_at: Set(Some(now)),
        last_fault: Set(None),
        ..Default::default()
    };
    if !keep {
        row.message_sealed = Set(None);
    }
    Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes a failed attempt and when the next one is due.
pub async fn mark_failed(
    db: &impl ConnectionTrait,
    id: MailId,
    fault: &str,
    next: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(next))
        .col_expr(Column::LastFault, Expr::value(fault))
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives a mail up; its text is wiped.
pub async fn mark_dead(db: &impl ConnectionTrait, id: MailId, fault: &str) -> Result<()> {
    let row = outbox_mails::ActiveModel {
        status: Set("dead".to_owned()),
        message_sealed: Set(None),
        last_fault: Set(Some(fault.to_owned())),
        ..Default::default()
    };
    Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// How many mails of a template were queued for a person after `since`, sent or not.
pub async fn count_queued_since(
    db: &impl ConnectionTrait,
    user: UserId,
    template: &str,
    since: Timestamp,
) -> Result<u64> {
    let queued = Entity::find()
        .filter(Column::UserId.eq(user.0))
        .filter(Column::Template.eq(template))
        .filter(Column::CreatedAt.gt(since));
    Ok(queued.count(db).await?)
}

/// How many mails wait.
pub async fn count_pending(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(Entity::find()
        .filter(Column::Status.eq("pending"))
        .count(db)
        .await?)
}

/// The newest mails that are still readable, for the development mailbox.
pub async fn list_readable(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<StoredMail>> {
    let rows = Entity::find()
        .filter(Column::MessageSealed.is_not_null())
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(mail).collect())
}

fn mail(row: Model) -> StoredMail {
    StoredMail {
        id: MailId(row.id),
        user_id: UserId(row.user_id),
        message: row.message_sealed.map(Sealed),
        attempts: row.attempts,
        created_at: row.created_at,
        trace_parent: row.trace_parent,
    }
}
