//! The outbox: events and mails written in the transaction of the change that they tell of, delivered afterwards.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, SchemaManager,
    Table, async_trait, drop_tables, index, of_user, unique,
};
use sea_orm_migration::schema::{
    big_integer, binary, binary_null, integer, pk_uuid, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key: what happened stays known, though unreadable, after the person is erased.
        let outbox_events = Table::create()
            .table("outbox_events")
            .col(pk_uuid("id"))
            .col(uuid("user_id"))
            .col(big_integer("sequence"))
            .col(text("type"))
            .col(timestamp_with_time_zone("occurred_at"))
            .col(text("request_id"))
            .col(binary("data_sealed"))
            .col(timestamp_with_time_zone_null("published_at"))
            .to_owned();
        manager.create_table(outbox_events).await?;
        let order = unique(
            "outbox_events",
            "user_id_sequence_key",
            &["user_id", "sequence"],
        );
        manager.create_index(order).await?;
        manager
            .create_index(index(
                "outbox_events",
                "occurred_at_idx",
                &["occurred_at", "id"],
            ))
            .await?;
        let outbox_mails = Table::create()
            .table("outbox_mails")
            .col(pk_uuid("id"))
            .col(uuid("user_id"))
            .col(text("template"))
            .col(binary_null("message_sealed"))
            .col(text("status"))
            .col(integer("attempts").default(0).take())
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("next_attempt_at"))
            .col(timestamp_with_time_zone_null("sent_at"))
            .col(text_null("last_fault"))
            .foreign_key(&mut of_user("outbox_mails", "user_id"))
            .check(Expr::col("status").is_in(["pending", "sent", "dead"]))
            .to_owned();
        manager.create_table(outbox_mails).await?;
        manager
            .create_index(index("outbox_mails", "user_id_idx", &["user_id"]))
            .await?;
        manager
            .create_index(index(
                "outbox_mails",
                "created_at_idx",
                &["created_at", "id"],
            ))
            .await?;
        let due = "CREATE INDEX outbox_mails_due ON outbox_mails (next_attempt_at) WHERE status = 'pending'";
        manager.get_connection().execute_unprepared(due).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["outbox_mails", "outbox_events"]).await
    }
}
