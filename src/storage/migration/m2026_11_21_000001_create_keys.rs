//! Keys: one wrapped data key per user, the service's own data keys, and the keys that sign tokens.

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
    index,
};
use sea_orm_migration::schema::{
    binary, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key onto users: this table can move to another database, and backups keep it apart.
        let user_keys = Table::create()
            .table("user_keys")
            .col(pk_uuid("user_id"))
            .col(text("master_key_id"))
            .col(binary("wrapped"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(user_keys).await?;
        let by_master = index(
            "user_keys",
            "master_key_id_idx",
            &["master_key_id", "user_id"],
        );
        manager.create_index(by_master).await?;
        let vault_keys = Table::create()
            .table("vault_keys")
            .col(text("name").primary_key().take())
            .col(text("master_key_id"))
            .col(binary("wrapped"))
            .col(timestamp_with_time_zone("created_at"))
            .to_owned();
        manager.create_table(vault_keys).await?;
        let signing_keys = Table::create()
            .table("signing_keys")
            .col(text("kid").primary_key().take())
            .col(text("algorithm"))
            .col(binary("private_sealed"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("active_from"))
            .col(timestamp_with_time_zone_null("retired_at"))
            .to_owned();
        manager.create_table(signing_keys).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["signing_keys", "vault_keys", "user_keys"]).await
    }
}
