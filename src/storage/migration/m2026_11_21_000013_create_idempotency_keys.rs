//! Answers of requests that may come again (`Idempotency-Key`). Two requests race for `request` (the same) and for `place`
//! (another under the same key).

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
    index, of_user, unique,
};
use sea_orm_migration::schema::{
    binary, binary_null, pk_uuid, timestamp_with_time_zone, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "idempotency_keys";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = Table::create()
            .table(TABLE)
            .col(pk_uuid("id"))
            .col(uuid_null("user_id"))
            .col(binary("request"))
            .col(binary("place"))
            .col(uuid("run_id"))
            .col(timestamp_with_time_zone("leased_until"))
            .col(binary_null("answer_sealed"))
            .col(timestamp_with_time_zone("created_at"))
            .foreign_key(&mut of_user(TABLE, "user_id"))
            .to_owned();
        manager.create_table(keys).await?;
        for column in ["request", "place"] {
            let suffix = format!("{column}_key");
            manager
                .create_index(unique(TABLE, &suffix, &[column]))
                .await?;
        }
        for column in ["created_at", "user_id"] {
            let suffix = format!("{column}_idx");
            manager
                .create_index(index(TABLE, &suffix, &[column]))
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
