//! Events waiting to be delivered, written in the transaction of the change that they tell of. After the commit each
//! gets a position in the one order in which every reader goes through them.

use super::{Tx, entity::outbox_events, lead, users};
use crate::domain::{
    Result,
    event::{Event, EventQuery, PlacedEvent, StoredEvent},
    id::{EventId, UserId},
    secret::Sealed,
};
use outbox_events::{Column, Entity, Model};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};
use uuid::Uuid;

mod delivery;
mod retention;

pub use delivery::{
    count_unpublished, find_oldest_unpublished, list_first_unpublished, list_unpublished,
    mark_published, try_lead_relay,
};
pub use retention::{delete_settled, get_horizon};

/// `place` in ASCII: the key of the lock that the node takes that gives positions.
const LOCK: i64 = 0x70_6c_61_63_65;

/// The event that a page lies next to, and on which side.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    pub position: i64,
    /// Earlier ones, nearest first, in place of later ones.
    pub is_backward: bool,
}

/// Adds an event with the next number in its person's order.
pub async fn insert_event(
    tx: &Tx,
    event: &Event,
    data: Sealed,
    (request_id, trace_parent): (&str, Option<String>),
) -> Result<()> {
    let sequence = users::next_event_sequence(tx, event.user_id).await?;
    let row = outbox_events::ActiveModel {
        id: Set(event.id.0),
        user_id: Set(event.user_id.0),
        sequence: Set(sequence),
        r#type: Set(event.kind.as_str().to_owned()),
        occurred_at: Set(event.at),
        request_id: Set(request_id.to_owned()),
        data_sealed: Set(data.0),
        published_at: Set(None),
        position: Set(None),
        trace_parent: Set(trace_parent),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Whether this transaction may give positions.
pub async fn try_lead(db: &impl ConnectionTrait) -> Result<bool> {
    lead::try_lead(db, LOCK).await
}

/// Whether an event has no position yet.
pub async fn has_unplaced(db: &impl ConnectionTrait) -> Result<bool> {
    let unplaced = Entity::find().filter(Column::Position.is_null());
    Ok(!unplaced.limit(1).all(db).await?.is_empty())
}

/// The events without a position of those people whose ones are the oldest: of each the first in their order, up to
/// `people` people and `limit` events.
pub async fn list_unplaced(
    db: &impl ConnectionTrait,
    people: u64,
    limit: u64,
) -> Result<Vec<StoredEvent>> {
    let oldest = Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::Position.is_null())
        .order_by_asc(Column::OccurredAt)
        .order_by_asc(Column::Id)
        .limit(people);
    let mut owners: Vec<Uuid> = oldest.into_tuple().all(db).await?;
    owners.sort_unstable();
    owners.dedup();
    // One statement reads a person's events: it sees a later one only together with all before it.
    let rows = Entity::find()
        .filter(Column::Position.is_null())
        .filter(Column::UserId.is_in(owners))
        .order_by_asc(Column::UserId)
        .order_by_asc(Column::Sequence)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(event).collect())
}

/// The last position that was given; 0 before the first.
pub async fn get_last_position(db: &impl ConnectionTrait) -> Result<i64> {
    let last = Entity::find()
        .select_only()
        .column(Column::Position)
        .filter(Column::Position.is_not_null())
        .order_by_desc(Column::Position)
        .limit(1);
    let last: Option<i64> = last.into_tuple().one(db).await?;
    Ok(last.unwrap_or(0))
}

/// Gives events their positions; how many had none before.
pub async fn update_positions(db: &impl ConnectionTrait, placed: &[PlacedEvent]) -> Result<u64> {
    let mut rows = Vec::with_capacity(placed.len());
    let mut values: Vec<Value> = Vec::with_capacity(2 * placed.len());
    for PlacedEvent { position, event } in placed {
        let first = values.len() + 1;
        rows.push(format!("(${first}, ${})", first + 1));
        values.extend([event.id.0.into(), (*position).into()]);
    }
    let sql = format!(
        "WITH place (id, position) AS (VALUES {}) \
         UPDATE outbox_events SET position = place.position FROM place \
         WHERE outbox_events.id = place.id AND outbox_events.position IS NULL",
        rows.join(", ")
    );
    let update = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(update).await?.rows_affected())
}

/// Up to `rows` events with a position that match, nearest first; without `beside` from the first on.
pub async fn list_placed(
    db: &impl ConnectionTrait,
    query: &EventQuery,
    beside: Option<Beside>,
    rows: u64,
) -> Result<Vec<PlacedEvent>> {
    let is_backward = beside.is_some_and(|beside| beside.is_backward);
    let order = if is_backward { Order::Desc } else { Order::Asc };
    let near = match beside {
        Some(beside) if is_backward => Column::Position.lt(beside.position),
        Some(beside) => Column::Position.gt(beside.position),
        None => Column::Position.is_not_null(),
    };
    let conditions = [
        Some(near),
        query.kind.map(|kind| Column::Type.eq(kind.as_str())),
        query.subject.map(|id| Column::UserId.eq(id.0)),
    ];
    let mut page = Entity::find();
    for condition in conditions.into_iter().flatten() {
        page = page.filter(condition);
    }
    let page = page.order_by(Column::Position, order).limit(rows);
    Ok(page.all(db).await?.into_iter().filter_map(placed).collect())
}

/// An event.
pub async fn find_event(db: &impl ConnectionTrait, id: EventId) -> Result<Option<StoredEvent>> {
    Ok(Entity::find_by_id(id.0).one(db).await?.map(event))
}

fn placed(row: Model) -> Option<PlacedEvent> {
    Some(PlacedEvent {
        position: row.position?,
        event: event(row),
    })
}

fn event(row: Model) -> StoredEvent {
    StoredEvent {
        id: EventId(row.id),
        kind: row.r#type,
        user_id: UserId(row.user_id),
        sequence: row.sequence,
        at: row.occurred_at,
        request_id: row.request_id,
        trace_parent: row.trace_parent,
        data: Sealed(row.data_sealed),
    }
}
