//! Changes of address: waiting for the new address to confirm, done, or undone by the old one.

use super::entity::email_changes::{ActiveModel, Column, Entity, Model};
use crate::domain::{
    Result, Timestamp,
    id::{LinkId, UserId},
    secret::{BlindIndex, Digest, Sealed},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};

/// A change of address as stored.
#[derive(Debug, Clone)]
pub struct EmailChange {
    pub id: LinkId,
    pub user_id: UserId,
    pub new_email: Sealed,
    pub new_index: BlindIndex,
    pub old_email: Sealed,
    pub old_index: BlindIndex,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub voided_at: Option<Timestamp>,
    pub undo_expires_at: Option<Timestamp>,
    pub undone_at: Option<Timestamp>,
}

/// Keeps a wished change; every earlier one that still waits becomes void.
pub async fn replace_change(
    db: &impl ConnectionTrait,
    change: &EmailChange,
    digest: Digest,
    now: Timestamp,
) -> Result<()> {
    void_changes(db, change.user_id, now).await?;
    let row = ActiveModel {
        id: Set(change.id.0),
        user_id: Set(change.user_id.0),
        new_email_sealed: Set(change.new_email.0.clone()),
        new_email_index: Set(change.new_index.0.to_vec()),
        old_email_sealed: Set(change.old_email.0.clone()),
        old_email_index: Set(change.old_index.0.to_vec()),
        digest: Set(digest.0.to_vec()),
        undo_digest: Set(None),
        created_at: Set(now),
        expires_at: Set(change.expires_at),
        used_at: Set(None),
        voided_at: Set(None),
        undo_expires_at: Set(None),
        undone_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Makes every waiting change of a person void.
pub async fn void_changes(db: &impl ConnectionTrait, user: UserId, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::VoidedAt, Expr::value(now))
        .filter(Column::UserId.eq(user.0))
        .filter(Column::UsedAt.is_null())
        .filter(Column::VoidedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Makes every change of a person void, waiting or done: none can be confirmed or undone any more.
pub async fn void_all_changes(
    db: &impl ConnectionTrait,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::VoidedAt, Expr::value(now))
        .filter(Column::UserId.eq(user.0))
        .filter(Column::VoidedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// A change by the secret sent to the new address.
pub async fn find_by_confirmation(
    db: &impl ConnectionTrait,
    digest: Digest,
) -> Result<Option<EmailChange>> {
    let found = Entity::find().filter(Column::Digest.eq(digest.0.to_vec()));
    Ok(found.one(db).await?.map(change))
}

/// A change by the secret sent to the old address.
pub async fn find_by_undo(
    db: &impl ConnectionTrait,
    digest: Digest,
) -> Result<Option<EmailChange>> {
    let found = Entity::find().filter(Column::UndoDigest.eq(digest.0.to_vec()));
    Ok(found.one(db).await?.map(change))
}

/// Marks a change as confirmed and keeps how it can be undone.
pub async fn mark_confirmed(
    db: &impl ConnectionTrait,
    id: LinkId,
    undo: Digest,
    undo_expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .set(ActiveModel {
            used_at: Set(Some(now)),
            undo_digest: Set(Some(undo.0.to_vec())),
            undo_expires_at: Set(Some(undo_expires_at)),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Makes every change of the person that came after this one void, done or waiting: undoing this one undoes them, too.
pub async fn void_later_changes(
    db: &impl ConnectionTrait,
    change: &EmailChange,
    now: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::VoidedAt, Expr::value(now))
        .filter(Column::UserId.eq(change.user_id.0))
        .filter(Column::Id.gt(change.id.0))
        .filter(Column::VoidedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Whether an address can still come back to somebody else than `user`.
pub async fn is_held_for_another(
    db: &impl ConnectionTrait,
    address: BlindIndex,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    let first = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OldEmailIndex.eq(address.0.to_vec()))
        .filter(Column::UserId.ne(user.0))
        .filter(Column::UndoExpiresAt.gt(now))
        .filter(Column::UndoneAt.is_null())
        .filter(Column::VoidedAt.is_null())
        .limit(1);
    Ok(first.into_tuple::<uuid::Uuid>().one(db).await?.is_some())
}

/// Marks a change as undone.
pub async fn mark_undone(db: &impl ConnectionTrait, id: LinkId, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::UndoneAt, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

fn index(bytes: &[u8]) -> BlindIndex {
    let mut index = [0; 32];
    for (to, from) in index.iter_mut().zip(bytes) {
        *to = *from;
    }
    BlindIndex(index)
}

fn change(row: Model) -> EmailChange {
    EmailChange {
        id: LinkId(row.id),
        user_id: UserId(row.user_id),
        new_index: index(&row.new_email_index),
        old_index: index(&row.old_email_index),
        new_email: Sealed(row.new_email_sealed),
        old_email: Sealed(row.old_email_sealed),
        expires_at: row.expires_at,
        used_at: row.used_at,
        voided_at: row.voided_at,
        undo_expires_at: row.undo_expires_at,
        undone_at: row.undone_at,
    }
}
