//! What is not with the broker yet, in the order in which it goes there.

use super::{
    super::{
        Leadership, Store,
        entity::outbox_events::{Column, Entity},
    },
    placed,
};
use crate::domain::{
    Result, Timestamp,
    event::PlacedEvent,
    id::{EventId, UserId},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};
use std::collections::BTreeSet;

/// `relay` in ASCII: the key of the lock that the node holds that delivers events.
const LOCK: i64 = 0x72_65_6c_61_79;

/// Takes the lead in delivering events, unless another node has it.
pub async fn try_lead_relay(store: &Store) -> Result<Option<Leadership>> {
    Leadership::try_take(store, LOCK).await
}

/// Up to `limit` events with a position that have not been delivered, in their order, without those of some people.
pub async fn list_unpublished(
    db: &impl ConnectionTrait,
    except: &BTreeSet<UserId>,
    limit: u64,
) -> Result<Vec<PlacedEvent>> {
    let mut waiting = Entity::find()
        .filter(Column::PublishedAt.is_null())
        .filter(Column::Position.is_not_null());
    if !except.is_empty() {
        waiting = waiting.filter(Column::UserId.is_not_in(except.iter().map(|id| id.0)));
    }
    let waiting = waiting.order_by_asc(Column::Position).limit(limit);
    Ok(waiting
        .all(db)
        .await?
        .into_iter()
        .filter_map(placed)
        .collect())
}

/// Of each of these people the first event that has not been delivered.
pub async fn list_first_unpublished(
    db: &impl ConnectionTrait,
    people: &BTreeSet<UserId>,
) -> Result<Vec<PlacedEvent>> {
    let firsts = Entity::find()
        .select_only()
        .column_as(Column::Position.min(), "position")
        .filter(Column::PublishedAt.is_null())
        .filter(Column::Position.is_not_null())
        .filter(Column::UserId.is_in(people.iter().map(|id| id.0)))
        .group_by(Column::UserId);
    let firsts = Entity::find().filter(Column::Position.in_subquery(firsts.into_query()));
    Ok(firsts
        .all(db)
        .await?
        .into_iter()
        .filter_map(placed)
        .collect())
}

/// Notes that events have been delivered.
pub async fn mark_published(
    db: &impl ConnectionTrait,
    ids: &[EventId],
    now: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .exec(db)
        .await?;
    Ok(())
}

/// When the oldest event happened that has a position and has not been delivered.
pub async fn find_oldest_unpublished(db: &impl ConnectionTrait) -> Result<Option<Timestamp>> {
    let oldest = list_unpublished(db, &BTreeSet::new(), 1).await?.pop();
    Ok(oldest.map(|oldest| oldest.event.at))
}

/// How many events have not been delivered.
pub async fn count_unpublished(db: &impl ConnectionTrait) -> Result<u64> {
    let waiting = Entity::find().filter(Column::PublishedAt.is_null());
    Ok(waiting.count(db).await?)
}
