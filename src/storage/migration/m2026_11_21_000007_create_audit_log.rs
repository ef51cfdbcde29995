//! The audit trail. It outlives the people in it: no foreign keys, personal fields sealed under their keys.

use super::{
    DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, SchemaManager, Table, async_trait,
    drop_tables, index,
};
use sea_orm_migration::schema::{binary_null, pk_uuid, text, timestamp_with_time_zone, uuid_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let audit_log = Table::create()
            .table("audit_log")
            .col(pk_uuid("id"))
            .col(timestamp_with_time_zone("at"))
            .col(text("action"))
            .col(text("outcome"))
            .col(text("actor_type"))
            .col(uuid_null("actor_id"))
            .col(uuid_null("subject_id"))
            .col(uuid_null("key_owner"))
            .col(binary_null("ip_sealed"))
            .col(binary_null("ip_index"))
            .col(binary_null("user_agent_sealed"))
            .col(text("request_id"))
            .col(text("details"))
            .check(Expr::col("outcome").is_in(["success", "refused", "failed"]))
            .check(Expr::col("actor_type").is_in(["anonymous", "user", "system"]))
            .to_owned();
        manager.create_table(audit_log).await?;
        manager
            .create_index(index("audit_log", "at_idx", &["at", "id"]))
            .await?;
        manager
            .create_index(index("audit_log", "actor_id_idx", &["actor_id", "at"]))
            .await?;
        manager
            .create_index(index("audit_log", "subject_id_idx", &["subject_id", "at"]))
            .await?;
        manager
            .create_index(index("audit_log", "ip_index_idx", &["ip_index", "at"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit_log"]).await
    }
}
