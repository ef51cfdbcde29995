//! Mailed links: verification, password reset, change of address. Only digests of the secrets are kept.

use super::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait, drop_tables,
    index, of_user, unique,
};
use sea_orm_migration::schema::{
    binary, binary_null, pk_uuid, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["email_verifications", "password_resets", "invitations"] {
            let links = Table::create()
                .table(table)
                .col(pk_uuid("id"))
                .col(uuid("user_id"))
                .col(binary("digest"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .col(timestamp_with_time_zone_null("voided_at"))
                .foreign_key(&mut of_user(table, "user_id"))
                .to_owned();
            manager.create_table(links).await?;
            manager
                .create_index(unique(table, "digest_key", &["digest"]))
                .await?;
            manager
                .create_index(index(table, "user_id_idx", &["user_id"]))
                .await?;
            manager
                .create_index(index(table, "expires_at_idx", &["expires_at"]))
                .await?;
        }
        let email_changes = Table::create()
            .table("email_changes")
            .col(pk_uuid("id"))
            .col(uuid("user_id"))
            .col(binary("new_email_sealed"))
            .col(binary("new_email_index"))
            .col(binary("old_email_sealed"))
            .col(binary("old_email_index"))
            .col(binary("digest"))
            .col(binary_null("undo_digest"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("used_at"))
            .col(timestamp_with_time_zone_null("voided_at"))
            .col(timestamp_with_time_zone_null("undo_expires_at"))
            .col(timestamp_with_time_zone_null("undone_at"))
            .foreign_key(&mut of_user("email_changes", "user_id"))
            .to_owned();
        manager.create_table(email_changes).await?;
        manager
            .create_index(unique("email_changes", "digest_key", &["digest"]))
            .await?;
        manager
            .create_index(unique("email_changes", "undo_digest_key", &["undo_digest"]))
            .await?;
        manager
            .create_index(index("email_changes", "user_id_idx", &["user_id"]))
            .await?;
        manager
            .create_index(index(
                "email_changes",
                "old_email_index_idx",
                &["old_email_index"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "email_changes",
                "invitations",
                "password_resets",
                "email_verifications",
            ],
        )
        .await
    }
}
