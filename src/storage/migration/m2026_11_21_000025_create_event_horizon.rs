//! Up to which position events were deleted: one row, as soon as the first one went.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, SchemaManager,
    Table, async_trait, drop_tables,
};
use sea_orm_migration::schema::{big_integer, small_integer};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What was deleted so far: positions have no holes, so the last one that is missing is the last one that went.
const SO_FAR: &str = "INSERT INTO event_horizon (id, position) \
    SELECT 1, e.position - 1 FROM outbox_events e WHERE e.position > 1 \
    AND NOT EXISTS (SELECT 1 FROM outbox_events b WHERE b.position = e.position - 1) \
    ORDER BY e.position DESC LIMIT 1";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let horizon = Table::create()
            .table("event_horizon")
            .col(small_integer("id").primary_key().take())
            .col(big_integer("position"))
            .check(Expr::col("id").eq(1))
            .to_owned();
        manager.create_table(horizon).await?;
        let db = manager.get_connection();
        db.execute_unprepared(SO_FAR).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["event_horizon"]).await
    }
}
