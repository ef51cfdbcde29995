//! Mails that were asked for by address. Who takes requests notes when, so that several nodes never wait for each other and
//! what a dying one has taken comes back by itself; that a request is answered once is settled by who deletes its row.

use super::{
    Tx,
    entity::mail_requests::{self, Column, Entity, Model},
};
use crate::domain::{Result, Timestamp, id::MailRequestId, mail::RequestedMail, secret::Sealed};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

/// A mail that somebody wants.
pub struct MailRequest {
    pub id: MailRequestId,
    pub mail: RequestedMail,
    pub email: Sealed,
    /// What else was said with it.
    pub form: Option<Sealed>,
    /// From where it was asked for.
    pub origin: Sealed,
    /// That of the request over HTTP.
    pub request_id: String,
    pub created_at: Timestamp,
}

/// Keeps a request; it is due at once.
pub async fn insert_request(db: &impl ConnectionTrait, request: MailRequest) -> Result<()> {
    let row = mail_requests::ActiveModel {
        id: Set(request.id.0),
        kind: Set(request.mail.as_str().to_owned()),
        email_sealed: Set(request.email.0),
        form_sealed: Set(request.form.map(|form| form.0)),
        origin_sealed: Set(request.origin.0),
        request_id: Set(request.request_id),
        created_at: Set(request.created_at),
        taken_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Takes up to `limit` requests, oldest first, that nobody has taken after `lapsed`. Those of a kind that only a newer
/// version knows are left to it.
pub async fn take_requests(
    tx: &Tx,
    limit: u64,
    now: Timestamp,
    lapsed: Timestamp,
) -> Result<Vec<MailRequest>> {
    let free = Condition::any()
        .add(Column::TakenAt.is_null())
        .add(Column::TakenAt.lte(lapsed));
    let rows = Entity::find()
        .filter(free)
        .filter(Column::Kind.is_in(RequestedMail::ALL.map(RequestedMail::as_str)))
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
    Ok(rows.into_iter().filter_map(request).collect())
}

/// Ends a request, in the transaction of what came of it; false if somebody else was faster.
pub async fn delete_request(tx: &Tx, id: MailRequestId) -> Result<bool> {
    let done = Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(done.rows_affected > 0)
}

/// How many requests wait.
pub async fn count_requests(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(Entity::find().count(db).await?)
}

fn request(row: Model) -> Option<MailRequest> {
    Some(MailRequest {
        id: MailRequestId(row.id),
        mail: RequestedMail::read(&row.kind)?,
        email: Sealed(row.email_sealed),
        form: row.form_sealed.map(Sealed),
        origin: Sealed(row.origin_sealed),
        request_id: row.request_id,
        created_at: row.created_at,
    })
}
