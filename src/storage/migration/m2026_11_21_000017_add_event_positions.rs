//! Each event's position in the one order in which all readers get the events, given after its commit, and the trace
//! that it belongs to.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table,
    async_trait, index,
};
use sea_orm_migration::schema::{big_integer_null, text_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What has no position yet, oldest first and by person; what is not with the broker yet.
const PARTIAL: [&str; 4] = [
    "CREATE UNIQUE INDEX outbox_events_position_key ON outbox_events (position) WHERE position IS NOT NULL",
    "CREATE INDEX outbox_events_unplaced ON outbox_events (occurred_at, id) WHERE position IS NULL",
    "CREATE INDEX outbox_events_unplaced_order ON outbox_events (user_id, sequence) WHERE position IS NULL",
    "CREATE INDEX outbox_events_unpublished ON outbox_events (position) WHERE published_at IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [big_integer_null("position"), text_null("trace_parent")] {
            let alter = Table::alter()
                .table("outbox_events")
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        let db = manager.get_connection();
        for partial in PARTIAL {
            db.execute_unprepared(partial).await?;
        }
        let types = index("outbox_events", "type_idx", &["type", "position"]);
        manager.create_index(types).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for suffix in [
            "type_idx",
            "unpublished",
            "unplaced_order",
            "unplaced",
            "position_key",
        ] {
            let drop = Index::drop()
                .name(format!("outbox_events_{suffix}"))
                .table("outbox_events")
                .to_owned();
            manager.drop_index(drop).await?;
        }
        for column in ["trace_parent", "position"] {
            let alter = Table::alter()
                .table("outbox_events")
                .drop_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
