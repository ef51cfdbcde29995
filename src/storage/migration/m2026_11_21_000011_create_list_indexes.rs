//! Indexes for the orders in which staff list people, and for what narrows such a list most often.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name and what it covers. Names are kept by code points, so that both databases sort alike.
const INDEXES: [(&str, &str); 8] = [
    ("users_updated_at_idx", "(updated_at, id)"),
    ("users_last_login_at_idx", "(last_login_at, id)"),
    ("users_full_name_idx", "(full_name{by_code_point}, id)"),
    ("users_username_idx", "(username_key{by_code_point}, id)"),
    ("users_status_idx", "(status, created_at, id)"),
    ("users_country_idx", "(country, created_at, id)"),
    (
        "users_premium_idx",
        "(created_at, id) WHERE tier = 'premium'",
    ),
    (
        "users_unverified_idx",
        "(created_at, id) WHERE verified_at IS NULL",
    ),
];

/// Uniqueness of names leaves those without one out: SQLite takes a unique index for one of a single row even where it
/// looks for NULL, and would sort all of them.
const DROP_UNIQUE: &str = "DROP INDEX users_username_key_key";
const UNIQUE: &str = "CREATE UNIQUE INDEX users_username_key_key ON users (username_key)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_code_point = match manager.get_database_backend() {
            DbBackend::Postgres => r#" COLLATE "C""#,
            _ => "",
        };
        for (name, covers) in INDEXES {
            let covers = covers.replace("{by_code_point}", by_code_point);
            let sql = format!("CREATE INDEX {name} ON users {covers}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        let named = format!("{UNIQUE} WHERE username_key IS NOT NULL");
        for sql in [DROP_UNIQUE, &named] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            let sql = format!("DROP INDEX {name}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        for sql in [DROP_UNIQUE, UNIQUE] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
