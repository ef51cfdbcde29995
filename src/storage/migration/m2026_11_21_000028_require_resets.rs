//! The demand for another password, and who may make it.

use super::{
    DbErr, DeriveMigrationName, Expr, ExprTrait, MigrationTrait, Query, SchemaManager, Table,
    async_trait,
};
use sea_orm_migration::schema::timestamp_with_time_zone_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "credentials";
const COLUMN: &str = "reset_required_at";
const PERMISSION: &str = "passwords:require_reset";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alter = Table::alter()
            .table(TABLE)
            .add_column(timestamp_with_time_zone_null(COLUMN))
            .to_owned();
        manager.alter_table(alter).await?;
        let row = Query::insert()
            .into_table("role_permissions")
            .columns(["role", "permission"])
            .values_panic(["admin".into(), PERMISSION.into()])
            .to_owned();
        manager.execute(row).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let row = Query::delete()
            .from_table("role_permissions")
            .and_where(Expr::col("permission").eq(PERMISSION))
            .to_owned();
        manager.execute(row).await?;
        let alter = Table::alter().table(TABLE).drop_column(COLUMN).to_owned();
        manager.alter_table(alter).await
    }
}
