//! The username that a strict sign-up wished for. It is nobody's until the address is confirmed, so any number may wish for it.

use super::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait};
use sea_orm_migration::schema::text_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "users";
const COLUMN: &str = "wished_username";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(TABLE)
            .add_column(text_null(COLUMN))
            .to_owned();
        manager.alter_table(alter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter().table(TABLE).drop_column(COLUMN).to_owned();
        manager.alter_table(alter).await
    }
}
