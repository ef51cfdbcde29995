//! What people tell of themselves: profiles, preferences, pictures. What search needs stays in clear; the rest is one
//! sealed document a row. A person without a row has the defaults.

use super::{
    DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, SchemaManager, Table, async_trait,
    drop_tables, of_user,
};
use sea_orm_migration::schema::{
    big_integer, binary, boolean, text, text_null, timestamp_with_time_zone, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            text_null("avatar_tag"),
            big_integer("profile_views").default(0).take(),
        ] {
            let users = Table::alter().table("users").add_column(column).to_owned();
            manager.alter_table(users).await?;
        }
        let user_profiles = Table::create()
            .table("user_profiles")
            .col(uuid("user_id").primary_key().take())
            .col(text_null("headline"))
            .col(text("skills"))
            .col(text("visibility"))
            .col(binary("details_sealed"))
            .col(big_integer("version"))
            .col(timestamp_with_time_zone("updated_at"))
            .check(Expr::col("visibility").is_in(["public", "members", "private"]))
            .foreign_key(&mut of_user("user_profiles", "user_id"))
            .to_owned();
        manager.create_table(user_profiles).await?;
        let user_preferences = Table::create()
            .table("user_preferences")
            .col(uuid("user_id").primary_key().take())
            .col(boolean("open_to_work"))
            .col(boolean("email_notifications"))
            .col(boolean("marketing_emails"))
            .col(binary("details_sealed"))
            .col(big_integer("version"))
            .col(timestamp_with_time_zone("updated_at"))
            .foreign_key(&mut of_user("user_preferences", "user_id"))
            .to_owned();
        manager.create_table(user_preferences).await?;
        let avatars = Table::create()
            .table("avatars")
            .col(uuid("user_id").primary_key().take())
            .col(binary("large_sealed"))
            .col(binary("small_sealed"))
            .col(timestamp_with_time_zone("updated_at"))
            .foreign_key(&mut of_user("avatars", "user_id"))
            .to_owned();
        manager.create_table(avatars).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["avatars", "user_preferences", "user_profiles"]).await?;
        for column in ["profile_views", "avatar_tag"] {
            let users = Table::alter().table("users").drop_column(column).to_owned();
            manager.alter_table(users).await?;
        }
        Ok(())
    }
}
