//! Refused sign-ins, written the same whoever was meant, until they are on record; and what a strict sign-up asks for. No foreign
//! key: nobody's have rows, too.

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
    index,
};
use sea_orm_migration::schema::{
    binary, binary_null, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null,
    uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "failed_logins";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let failed_logins = Table::create()
            .table(TABLE)
            .col(pk_uuid("id"))
            .col(text("kind"))
            .col(uuid("user_id"))
            .col(binary_null("device_index"))
            .col(binary("origin_sealed"))
            .col(text("request_id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("taken_at"))
            .to_owned();
        manager.create_table(failed_logins).await?;
        let order = index(TABLE, "created_at_idx", &["created_at", "id"]);
        manager.create_index(order).await?;
        let counted = index(TABLE, "user_id_idx", &["user_id", "device_index"]);
        manager.create_index(counted).await?;
        let form = Table::alter()
            .table("mail_requests")
            .add_column(binary_null("form_sealed"))
            .to_owned();
        manager.alter_table(form).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let form = Table::alter()
            .table("mail_requests")
            .drop_column("form_sealed")
            .to_owned();
        manager.alter_table(form).await?;
        drop_tables(manager, &[TABLE]).await
    }
}
