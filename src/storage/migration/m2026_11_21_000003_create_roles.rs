//! Roles, what each allows, and who has them. The seed is the vocabulary of `domain::permission`.

use super::{
    DbErr, DeriveMigrationName, ForeignKey, ForeignKeyCreateStatement, Index, MigrationTrait,
    Query, SchemaManager, Table, async_trait, drop_tables, index, of_user,
};
use sea_orm_migration::schema::{text, timestamp_with_time_zone, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let roles = Table::create()
            .table("roles")
            .col(text("name").primary_key().take())
            .col(text("description"))
            .to_owned();
        manager.create_table(roles).await?;
        let role_permissions = Table::create()
            .table("role_permissions")
            .col(text("role"))
            .col(text("permission"))
            .primary_key(Index::create().col("role").col("permission"))
            .foreign_key(&mut of_role("role_permissions"))
            .to_owned();
        manager.create_table(role_permissions).await?;
        let user_roles = Table::create()
            .table("user_roles")
            .col(uuid("user_id"))
            .col(text("role"))
            .col(timestamp_with_time_zone("granted_at"))
            .primary_key(Index::create().col("user_id").col("role"))
            .foreign_key(&mut of_user("user_roles", "user_id"))
            .foreign_key(&mut of_role("user_roles"))
            .to_owned();
        manager.create_table(user_roles).await?;
        manager
            .create_index(index("user_roles", "role_idx", &["role", "user_id"]))
            .await?;
        seed(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["user_roles", "role_permissions", "roles"]).await
    }
}

fn of_role(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_role_fkey"))
        .from(table, "role")
        .to("roles", "name")
        .to_owned()
}

/// What the roles allowed when this migration was released; later ones change rows, not this list.
const SEED: [(&str, &str, &[&str]); 3] = [
    (
        "user",
        "A person with an account; acts on their own data.",
        &[],
    ),
    (
        "manager",
        "Support staff; sees everyone and acts on people of role user.",
        &[
            "users:read",
            "users:update",
            "users:deactivate",
            "sessions:revoke",
            "roles:read",
            "audit:read",
        ],
    ),
    (
        "admin",
        "Runs the deployment; may do everything.",
        &[
            "users:read",
            "users:create",
            "users:update",
            "users:deactivate",
            "users:erase",
            "roles:assign",
            "subscriptions:manage",
            "sessions:revoke",
            "roles:read",
            "audit:read",
            "events:read",
            "webhooks:manage",
            "system:read",
        ],
    ),
];

async fn seed(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (role, description, permissions) in SEED {
        let row = Query::insert()
            .into_table("roles")
            .columns(["name", "description"])
            .values_panic([role.into(), description.into()])
            .to_owned();
        manager.execute(row).await?;
        for permission in permissions {
            let row = Query::insert()
                .into_table("role_permissions")
                .columns(["role", "permission"])
                .values_panic([role.into(), (*permission).into()])
                .to_owned();
            manager.execute(row).await?;
        }
    }
    Ok(())
}
