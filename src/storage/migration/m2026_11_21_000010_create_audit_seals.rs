//! The chain over the audit trail: each entry's place and hash, the signed checkpoints, and indexes that serve whole
//! keysets of (at, id).

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, Expr, ExprTrait, Index, MigrationTrait,
    SchemaManager, Table, async_trait, drop_tables, index,
};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, binary_null, text, timestamp_with_time_zone,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Suffix and first column of the indexes that get the id as their last column.
const KEYSETS: [(&str, &str); 3] = [
    ("actor_id_idx", "actor_id"),
    ("subject_id_idx", "subject_id"),
    ("ip_index_idx", "ip_index"),
];

/// Apart, so that neither planner sorts the unsealed by way of the other index.
const PARTIAL: [&str; 2] = [
    "CREATE UNIQUE INDEX audit_log_sequence_key ON audit_log (sequence) WHERE sequence IS NOT NULL",
    "CREATE INDEX audit_log_unsealed ON audit_log (at, id) WHERE sequence IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [big_integer_null("sequence"), binary_null("hash")] {
            let alter = Table::alter()
                .table("audit_log")
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        let db = manager.get_connection();
        for partial in PARTIAL {
            db.execute_unprepared(partial).await?;
        }
        for (suffix, column) in KEYSETS {
            drop_index(manager, suffix).await?;
            let keyset = index("audit_log", suffix, &[column, "at", "id"]);
            manager.create_index(keyset).await?;
        }
        let actions = index("audit_log", "action_idx", &["action", "at", "id"]);
        manager.create_index(actions).await?;
        create_audit_seals(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit_seals"]).await?;
        for suffix in ["action_idx", "unsealed", "sequence_key"] {
            drop_index(manager, suffix).await?;
        }
        for (suffix, column) in KEYSETS {
            drop_index(manager, suffix).await?;
            let before = index("audit_log", suffix, &[column, "at"]);
            manager.create_index(before).await?;
        }
        for column in ["hash", "sequence"] {
            let alter = Table::alter()
                .table("audit_log")
                .drop_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

async fn create_audit_seals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let audit_seals = Table::create()
        .table("audit_seals")
        .col(big_integer("sequence").primary_key().take())
        .col(text("kind"))
        .col(binary("hash"))
        .col(big_integer("count"))
        .col(timestamp_with_time_zone("at"))
        .col(text("key_id"))
        .col(binary("signature"))
        .check(Expr::col("kind").is_in(["batch", "beginning"]))
        .to_owned();
    manager.create_table(audit_seals).await?;
    manager
        .create_index(index("audit_seals", "at_idx", &["at"]))
        .await?;
    manager
        .create_index(index("audit_seals", "kind_idx", &["kind", "sequence"]))
        .await
}

async fn drop_index(manager: &SchemaManager<'_>, suffix: &str) -> Result<(), DbErr> {
    let drop = Index::drop()
        .name(format!("audit_log_{suffix}"))
        .table("audit_log")
        .to_owned();
    manager.drop_index(drop).await
}
