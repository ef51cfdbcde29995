//! Events waiting to be delivered, written in the transaction of the change that they tell of.

use super::{entity::outbox_events, users};
use crate::domain::{Result, event::Event, secret::Sealed};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};

/// Adds an event with the next number in its person's order.
pub async fn insert_event(
    db: &impl ConnectionTrait,
    event: &Event,
    data: Sealed,
    request_id: &str,
) -> Result<()> {
    let sequence = users::next_event_sequence(db, event.user_id).await?;
    let row = outbox_events::ActiveModel {
        id: Set(event.id.0),
        user_id: Set(event.user_id.0),
        sequence: Set(sequence),
        r#type: Set(event.kind.as_str().to_owned()),
        occurred_at: Set(event.at),
        request_id: Set(request_id.to_owned()),
        data_sealed: Set(data.0),
        published_at: Set(None),
    };
    outbox_events::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// How many events have not been delivered.
pub async fn count_unpublished(db: &impl ConnectionTrait) -> Result<u64> {
    let waiting =
        outbox_events::Entity::find().filter(outbox_events::Column::PublishedAt.is_null());
    Ok(waiting.count(db).await?)
}
