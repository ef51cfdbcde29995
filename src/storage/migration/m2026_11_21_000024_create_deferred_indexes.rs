//! Indexes that an import has put off, and the statements that make them again.

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
};
use sea_orm_migration::schema::text;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes = Table::create()
            .table("deferred_indexes")
            .col(text("name").primary_key())
            .col(text("definition"))
            .to_owned();
        manager.create_table(indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["deferred_indexes"]).await
    }
}
