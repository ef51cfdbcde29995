//! People. The address is sealed; its blind index finds it and keeps it unique.

use super::{
    DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, SchemaManager, Table, async_trait,
    drop_tables, index, unique,
};
use sea_orm_migration::schema::{
    big_integer, binary, pk_uuid, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table("users")
            .col(pk_uuid("id"))
            .col(binary("email_sealed"))
            .col(binary("email_index"))
            .col(text_null("username"))
            .col(text_null("username_key"))
            .col(text_null("full_name"))
            .col(text_null("country"))
            .col(text_null("state_province"))
            .col(text_null("current_title"))
            .col(text_null("location"))
            .col(text_null("locale"))
            .col(text_null("timezone"))
            .col(text("status"))
            .col(timestamp_with_time_zone_null("verified_at"))
            .col(text("tier"))
            .col(timestamp_with_time_zone_null("tier_since"))
            .col(timestamp_with_time_zone_null("tier_until"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .col(timestamp_with_time_zone_null("last_login_at"))
            .col(big_integer("login_count").default(0).take())
            .col(big_integer("version").default(1).take())
            .col(big_integer("event_sequence").default(0).take())
            .check(Expr::col("status").is_in(["pending", "active", "deactivated", "terminated"]))
            .check(Expr::col("tier").is_in(["basic", "premium"]))
            .to_owned();
        manager.create_table(users).await?;
        manager
            .create_index(unique("users", "email_index_key", &["email_index"]))
            .await?;
        manager
            .create_index(unique("users", "username_key_key", &["username_key"]))
            .await?;
        manager
            .create_index(index("users", "created_at_idx", &["created_at", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["users"]).await
    }
}
