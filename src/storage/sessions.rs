//! Sessions: one row per signed-in device.

use super::{
    Tx,
    entity::{refresh_tokens, tokens, user_sessions},
};
use crate::domain::{
    Result, Timestamp,
    id::{AccessTokenId, SessionId, UserId},
    secret::Sealed,
    session::{Session, SessionEnd},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, OnConflict, Query},
};

/// Keeps a new session.
pub async fn insert_session(db: &impl ConnectionTrait, session: &Session) -> Result<()> {
    let row = user_sessions::ActiveModel {
        id: Set(session.id.0),
        user_id: Set(session.user_id.0),
        created_at: Set(session.created_at),
        last_seen_at: Set(session.last_seen_at),
        expires_at: Set(session.expires_at),
        auth_time: Set(session.auth_time),
        ended_at: Set(None),
        end_reason: Set(None),
        ip_sealed: Set(session.ip.clone().map(|sealed| sealed.0)),
        user_agent_sealed: Set(session.user_agent.clone().map(|sealed| sealed.0)),
    };
    user_sessions::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// A session by id.
pub async fn find_session(db: &impl ConnectionTrait, id: SessionId) -> Result<Option<Session>> {
    Ok(user_sessions::Entity::find_by_id(id.0)
        .one(db)
        .await?
        .map(session))
}

/// What a session must be to be live.
#[derive(Debug, Clone, Copy)]
pub struct Living {
    pub now: Timestamp,
    /// One whose last refresh token is of before has ended.
    pub idle_since: Timestamp,
    /// So has one that began before.
    pub begun_since: Timestamp,
}

/// A page of the live sessions of a person, newest first; `beside` names the session next to it, and whether it ends there.
pub async fn list_sessions(
    db: &impl ConnectionTrait,
    user: UserId,
    living: Living,
    beside: Option<(SessionId, bool)>,
    rows: u64,
) -> Result<Vec<Session>> {
    let mut page = live(user, living);
    let is_backward = beside.is_some_and(|(_, is_backward)| is_backward);
    let order = if is_backward { Order::Asc } else { Order::Desc };
    if let Some((id, _)) = beside {
        page = page.filter(if is_backward {
            user_sessions::Column::Id.gt(id.0)
        } else {
            user_sessions::Column::Id.lt(id.0)
        });
    }
    let page = page.order_by(user_sessions::Column::Id, order).limit(rows);
    let rows = page.all(db).await?;
    Ok(rows.into_iter().map(session).collect())
}

/// How many live sessions a person has.
pub async fn count_sessions(
    db: &impl ConnectionTrait,
    user: UserId,
    living: Living,
) -> Result<u64> {
    Ok(live(user, living).count(db).await?)
}

fn live(user: UserId, living: Living) -> Select<user_sessions::Entity> {
    user_sessions::Entity::find()
        .filter(user_sessions::Column::UserId.eq(user.0))
        .filter(user_sessions::Column::EndedAt.is_null())
        .filter(user_sessions::Column::ExpiresAt.gt(living.now))
        .filter(user_sessions::Column::CreatedAt.gt(living.begun_since))
        .filter(is_refreshable(living.idle_since, living.now))
}

/// People with an id after `last` who have sessions of before `begin` that are still open, in the order of their ids.
pub async fn list_signed_in(
    db: &impl ConnectionTrait,
    last: Option<UserId>,
    begin: Timestamp,
    limit: u64,
) -> Result<Vec<UserId>> {
    let mut open = user_sessions::Entity::find()
        .select_only()
        .column(user_sessions::Column::UserId)
        .distinct()
        .filter(user_sessions::Column::EndedAt.is_null())
        .filter(user_sessions::Column::CreatedAt.lte(begin))
        .order_by_asc(user_sessions::Column::UserId)
        .limit(limit);
    if let Some(last) = last {
        open = open.filter(user_sessions::Column::UserId.gt(last.0));
    }
    let ids: Vec<uuid::Uuid> = open.into_tuple().all(db).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

fn is_refreshable(idle_since: Timestamp, now: Timestamp) -> Expr {
    use refresh_tokens::{Column as C, Entity};
    let of_session = Expr::col((Entity, C::SessionId))
        .equals((user_sessions::Entity, user_sessions::Column::Id));
    let newest = Query::select()
        .expr(Expr::value(1))
        .from(Entity)
        .and_where(of_session)
        .and_where(C::UsedAt.is_null())
        .and_where(C::CreatedAt.gt(idle_since))
        .and_where(C::ExpiresAt.gt(now))
        .to_owned();
    Expr::exists(newest)
}

/// Ends one session of this person; whether it was still open.
pub async fn end_session(
    tx: &Tx,
    (owner, id): (UserId, SessionId),
    why: SessionEnd,
    now: Timestamp,
) -> Result<bool> {
    let done = ending(why, now)
        .filter(user_sessions::Column::Id.eq(id.0))
        .filter(user_sessions::Column::UserId.eq(owner.0))
        .exec(&tx.changing(owner))
        .await?;
    Ok(done.rows_affected > 0)
}

/// Ends all sessions of a person but `keep`, and tells how many those were.
pub async fn end_sessions(
    tx: &Tx,
    user: UserId,
    keep: Option<SessionId>,
    why: SessionEnd,
    now: Timestamp,
) -> Result<u64> {
    let mut ending = ending(why, now).filter(user_sessions::Column::UserId.eq(user.0));
    if let Some(keep) = keep {
        ending = ending.filter(user_sessions::Column::Id.ne(keep.0));
    }
    Ok(ending.exec(&tx.changing(user)).await?.rows_affected)
}

fn ending(why: SessionEnd, now: Timestamp) -> sea_orm::UpdateMany<user_sessions::Entity> {
    user_sessions::Entity::update_many()
        .col_expr(user_sessions::Column::EndedAt, Expr::value(now))
        .col_expr(user_sessions::Column::EndReason, Expr::value(why.as_str()))
        .filter(user_sessions::Column::EndedAt.is_null())
}

/// Notes a fresh proof of the password.
pub async fn set_auth_time(tx: &Tx, id: SessionId, now: Timestamp) -> Result<()> {
    user_sessions::Entity::update_many()
        .col_expr(user_sessions::Column::AuthTime, Expr::value(now))
        .filter(user_sessions::Column::Id.eq(id.0))
        .exec(&tx.unread())
        .await?;
    Ok(())
}

/// Moves the last-seen time of a session forward, never back.
pub async fn touch_session(tx: &Tx, id: SessionId, seen_at: Timestamp) -> Result<()> {
    user_sessions::Entity::update_many()
        .col_expr(user_sessions::Column::LastSeenAt, Expr::value(seen_at))
        .filter(user_sessions::Column::Id.eq(id.0))
        .filter(user_sessions::Column::LastSeenAt.lt(seen_at))
        .exec(&tx.unread())
        .await?;
    Ok(())
}

/// Revokes one access token of this person before its time.
pub async fn revoke_token(
    tx: &Tx,
    (owner, id): (UserId, AccessTokenId),
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let row = tokens::ActiveModel {
        jti: Set(id.0),
        revoked_at: Set(now),
        expires_at: Set(expires_at),
    };
    tokens::Entity::insert(row)
        .on_conflict(
            OnConflict::column(tokens::Column::Jti)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&tx.changing(owner))
        .await?;
    Ok(())
}

pub(super) fn session(row: user_sessions::Model) -> Session {
    Session {
        id: SessionId(row.id),
        user_id: UserId(row.user_id),
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        expires_at: row.expires_at,
        auth_time: row.auth_time,
        ended_at: row.ended_at,
        ip: row.ip_sealed.map(Sealed),
        user_agent: row.user_agent_sealed.map(Sealed),
    }
}
