//! Passwords as hashes, and the devices from which each person has signed in.

use super::{
    DbErr, DeriveMigrationName, Expr, ExprTrait, Index, MigrationTrait, SchemaManager, Table,
    async_trait, drop_tables, index, of_user,
};
use sea_orm_migration::schema::{
    binary, integer, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let credentials = Table::create()
            .table("credentials")
            .col(pk_uuid("user_id"))
            .col(text("password_hash"))
            .col(timestamp_with_time_zone("changed_at"))
            .col(integer("failures").default(0).take())
            .col(timestamp_with_time_zone_null("locked_at"))
            .foreign_key(&mut of_user("credentials", "user_id"))
            .check(Expr::col("failures").gte(0))
            .to_owned();
        manager.create_table(credentials).await?;
        let known_devices = Table::create()
            .table("known_devices")
            .col(uuid("user_id"))
            .col(binary("device_index"))
            .col(integer("failures").default(0).take())
            .col(timestamp_with_time_zone("first_seen_at"))
            .col(timestamp_with_time_zone("last_seen_at"))
            .primary_key(Index::create().col("user_id").col("device_index"))
            .foreign_key(&mut of_user("known_devices", "user_id"))
            .to_owned();
        manager.create_table(known_devices).await?;
        manager
            .create_index(index(
                "known_devices",
                "last_seen_at_idx",
                &["last_seen_at"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["known_devices", "credentials"]).await
    }
}
