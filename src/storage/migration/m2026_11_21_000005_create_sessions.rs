//! Sessions, their refresh tokens (at most one live leaf each), and access tokens revoked before their time.

use super::{
    ConnectionTrait, DbErr, DeriveMigrationName, ForeignKey, ForeignKeyAction, MigrationTrait,
    SchemaManager, Table, async_trait, drop_tables, index, of_user, unique,
};
use sea_orm_migration::schema::{
    binary, binary_null, pk_uuid, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_user_sessions(manager).await?;
        create_refresh_tokens(manager).await?;
        create_tokens(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tokens", "refresh_tokens", "user_sessions"]).await
    }
}

async fn create_user_sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let user_sessions = Table::create()
        .table("user_sessions")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone("auth_time"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("end_reason"))
        .col(binary_null("ip_sealed"))
        .col(binary_null("user_agent_sealed"))
        .foreign_key(&mut of_user("user_sessions", "user_id"))
        .to_owned();
    manager.create_table(user_sessions).await?;
    manager
        .create_index(index(
            "user_sessions",
            "user_id_idx",
            &["user_id", "created_at"],
        ))
        .await?;
    manager
        .create_index(index("user_sessions", "expires_at_idx", &["expires_at"]))
        .await
}

async fn create_refresh_tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let refresh_tokens = Table::create()
        .table("refresh_tokens")
        .col(pk_uuid("id"))
        .col(uuid("session_id"))
        .col(binary("digest"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .col(uuid_null("successor_id"))
        .col(binary_null("successor_sealed"))
        .foreign_key(
            ForeignKey::create()
                .name("refresh_tokens_session_id_fkey")
                .from("refresh_tokens", "session_id")
                .to("user_sessions", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(refresh_tokens).await?;
    manager
        .create_index(unique("refresh_tokens", "digest_key", &["digest"]))
        .await?;
    manager
        .create_index(index("refresh_tokens", "session_id_idx", &["session_id"]))
        .await?;
    let one_leaf = "CREATE UNIQUE INDEX refresh_tokens_one_leaf ON refresh_tokens (session_id) WHERE used_at IS NULL";
    manager
        .get_connection()
        .execute_unprepared(one_leaf)
        .await?;
    Ok(())
}

async fn create_tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let tokens = Table::create()
        .table("tokens")
        .col(pk_uuid("jti"))
        .col(timestamp_with_time_zone("revoked_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .to_owned();
    manager.create_table(tokens).await?;
    manager
        .create_index(index("tokens", "expires_at_idx", &["expires_at"]))
        .await
}
