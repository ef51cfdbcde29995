//! Webhooks and what is on its way to them. Two requests race for a `slot`, of which there are as many as webhooks may be;
//! two nodes for a row of `(webhook_id, event_id)`.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, Expr, ExprTrait, ForeignKey, ForeignKeyAction,
    MigrationTrait, SchemaManager, Table, async_trait, drop_tables, index, unique,
};
use sea_orm_migration::{
    prelude::{ForeignKeyCreateStatement, TableCreateStatement},
    schema::{
        big_integer, big_integer_null, binary, binary_null, integer, integer_null, pk_uuid,
        small_integer, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid,
    },
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const WEBHOOKS: &str = "webhooks";
const DELIVERIES: &str = "webhook_deliveries";

/// What the partial indexes are for: the next of a webhook, and how long the oldest has waited.
const PENDING: [&str; 2] = [
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE status = 'pending'",
    "CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (created_at) WHERE status = 'pending'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(webhooks()).await?;
        let slot = unique(WEBHOOKS, "slot_key", &["slot"]);
        manager.create_index(slot).await?;
        manager.create_table(deliveries()).await?;
        let once = unique(
            DELIVERIES,
            "webhook_id_event_id_key",
            &["webhook_id", "event_id"],
        );
        manager.create_index(once).await?;
        for (suffix, columns) in [
            ("event_id_idx", &["event_id"][..]),
            ("webhook_id_id_idx", &["webhook_id", "id"][..]),
            ("created_at_idx", &["created_at"][..]),
        ] {
            manager
                .create_index(index(DELIVERIES, suffix, columns))
                .await?;
        }
        for statement in PENDING {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[DELIVERIES, WEBHOOKS]).await
    }
}

fn webhooks() -> TableCreateStatement {
    let disabled = || Expr::col("disabled_at").is_null();
    let reasonless = || Expr::col("disabled_reason").is_null();
    let previous = || Expr::col("previous_secret_sealed").is_null();
    let endless = || Expr::col("previous_secret_until").is_null();
    Table::create()
        .table(WEBHOOKS)
        .col(pk_uuid("id"))
        .col(small_integer("slot"))
        .col(binary("url_sealed"))
        .col(text("events"))
        .col(text_null("description"))
        .col(binary("secret_sealed"))
        .col(binary_null("previous_secret_sealed"))
        .col(timestamp_with_time_zone_null("previous_secret_until"))
        .col(timestamp_with_time_zone_null("disabled_at"))
        .col(text_null("disabled_reason"))
        .col(timestamp_with_time_zone_null("failing_since"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .check(Expr::col("slot").between(1, 50))
        .check(Expr::col("disabled_reason").is_in(["by_admin", "gone", "failing"]))
        .check(disabled().eq(reasonless()))
        .check(previous().eq(endless()))
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table(DELIVERIES)
        .col(pk_uuid("id"))
        .col(uuid("webhook_id"))
        .col(uuid("event_id"))
        .col(text("type"))
        .col(text("status"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("next_attempt_at"))
        .col(timestamp_with_time_zone_null("claimed_until"))
        .col(timestamp_with_time_zone_null("last_attempt_at"))
        .col(integer_null("last_answer"))
        .col(text_null("last_fault"))
        .col(big_integer_null("last_duration_ms"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut of("webhook_id", WEBHOOKS))
        // Without its event there is nothing to deliver.
        .foreign_key(&mut of("event_id", "outbox_events"))
        .check(Expr::col("status").is_in(["pending", "delivered", "dead"]))
        .check(Expr::col("attempts").gte(0))
        .to_owned()
}

/// A foreign key that goes with what it names.
fn of(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{DELIVERIES}_{column}_fkey"))
        .from(DELIVERIES, column)
        .to(table, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
