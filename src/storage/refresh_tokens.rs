//! Refresh tokens by digest. A partial unique index keeps it at one unused token per session, whatever races.

use super::entity::{refresh_tokens, user_sessions};
use crate::domain::{
    Result, Timestamp,
    id::{RefreshTokenId, SessionId, UserId},
    secret::{Digest, Sealed},
    session::RefreshToken,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr,
};

/// A refresh token to be kept.
pub struct NewRefreshToken {
    pub id: RefreshTokenId,
    pub session_id: SessionId,
    pub digest: Digest,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Keeps a new refresh token.
pub async fn insert_refresh_token(db: &impl ConnectionTrait, token: NewRefreshToken) -> Result<()> {
    let row = refresh_tokens::ActiveModel {
        id: Set(token.id.0),
        session_id: Set(token.session_id.0),
        digest: Set(token.digest.0.to_vec()),
        created_at: Set(token.created_at),
        expires_at: Set(token.expires_at),
        used_at: Set(None),
        successor_id: Set(None),
        successor_sealed: Set(None),
    };
    refresh_tokens::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Whose refresh token it is. The use case locks that person before it reads the token, so that it is used once.
pub async fn find_owner(db: &impl ConnectionTrait, digest: Digest) -> Result<Option<UserId>> {
    let token =
        refresh_tokens::Entity::find().filter(refresh_tokens::Column::Digest.eq(digest.0.to_vec()));
    let Some(token) = token.one(db).await? else {
        return Ok(None);
    };
    let session = user_sessions::Entity::find_by_id(token.session_id)
        .one(db)
        .await?;
    Ok(session.map(|session| UserId(session.user_id)))
}

/// A refresh token by digest.
pub async fn find_refresh_token(
    db: &impl ConnectionTrait,
    digest: Digest,
) -> Result<Option<RefreshToken>> {
    let found =
        refresh_tokens::Entity::find().filter(refresh_tokens::Column::Digest.eq(digest.0.to_vec()));
    let Some(row) = found.one(db).await? else {
        return Ok(None);
    };
    let successor_used = match row.successor_id {
        Some(id) => {
            let successor = refresh_tokens::Entity::find_by_id(id).one(db).await?;
            successor.is_none_or(|successor| successor.used_at.is_some())
        }
        None => false,
    };
    Ok(Some(RefreshToken {
        id: RefreshTokenId(row.id),
        session_id: SessionId(row.session_id),
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
        successor_sealed: row.successor_sealed.map(Sealed),
        successor_used,
    }))
}

/// Marks a token as exchanged for its successor.
pub async fn mark_used(
    db: &impl ConnectionTrait,
    id: RefreshTokenId,
    successor: RefreshTokenId,
    successor_sealed: Sealed,
    now: Timestamp,
) -> Result<()> {
    refresh_tokens::Entity::update_many()
        .set(refresh_tokens::ActiveModel {
            used_at: Set(Some(now)),
            successor_id: Set(Some(successor.0)),
            successor_sealed: Set(Some(successor_sealed.0)),
            ..Default::default()
        })
        .filter(refresh_tokens::Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Wipes the sealed successors of a session: once a successor is used, the grace of its predecessor is over.
pub async fn wipe_successors(db: &impl ConnectionTrait, session: SessionId) -> Result<()> {
    refresh_tokens::Entity::update_many()
        .col_expr(
            refresh_tokens::Column::SuccessorSealed,
            Expr::value(Option::<Vec<u8>>::None),
        )
        .filter(refresh_tokens::Column::SessionId.eq(session.0))
        .filter(refresh_tokens::Column::SuccessorSealed.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}
