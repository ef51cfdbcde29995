//! How far the import of a file has come: a row for each batch that was written, in the transaction that wrote it.

use super::{
    DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
    drop_tables,
};
use sea_orm_migration::schema::{big_integer, text, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let batches = Table::create()
            .table("import_batches")
            .col(text("file_digest"))
            .col(big_integer("first_record"))
            .col(big_integer("records"))
            .col(big_integer("imported"))
            .col(timestamp_with_time_zone("written_at"))
            .primary_key(
                Index::create()
                    .name("import_batches_key")
                    .col("file_digest")
                    .col("first_record"),
            )
            .to_owned();
        manager.create_table(batches).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["import_batches"]).await
    }
}
