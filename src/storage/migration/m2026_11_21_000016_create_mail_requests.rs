//! Mails that were asked for by address. The table names nobody, so that a request is written the same whoever has the address.

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
    index,
};
use sea_orm_migration::schema::{
    binary, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "mail_requests";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let requests = Table::create()
            .table(TABLE)
            .col(pk_uuid("id"))
            .col(text("kind"))
            .col(binary("email_sealed"))
            .col(binary("origin_sealed"))
            .col(text("request_id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("taken_at"))
            .to_owned();
        manager.create_table(requests).await?;
        let order = index(TABLE, "created_at_idx", &["created_at", "id"]);
        manager.create_index(order).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
