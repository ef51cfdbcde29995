//! The schema's history, oldest first. Every migration is one file with a tested `up` and `down`; a released one never
//! changes. Where two requests could race, the rule is a named constraint here, never a look before a leap.

#![expect(
    elided_lifetimes_in_paths,
    reason = "async_trait gives the trait's elided lifetime a name that an explicit one does not match"
)]

mod m2026_11_21_000001_create_keys;
mod m2026_11_21_000002_create_users;
mod m2026_11_21_000003_create_roles;
mod m2026_11_21_000004_create_credentials;
mod m2026_11_21_000005_create_sessions;
mod m2026_11_21_000006_create_links;
mod m2026_11_21_000007_create_audit_log;
mod m2026_11_21_000008_create_outbox;
mod m2026_11_21_000009_create_profiles;
mod m2026_11_21_000010_create_audit_seals;
mod m2026_11_21_000011_create_list_indexes;
mod m2026_11_21_000012_create_search;
mod m2026_11_21_000013_create_idempotency_keys;
mod m2026_11_21_000014_create_imports;
mod m2026_11_21_000016_create_mail_requests;
mod m2026_11_21_000017_add_event_positions;
mod m2026_11_21_000018_create_webhooks;
mod m2026_11_21_000020_guard_audit_log;
mod m2026_11_21_000021_create_failed_logins;
mod m2026_11_21_000022_trace_mails;
mod m2026_11_21_000023_mark_effects;
mod m2026_11_21_000024_create_deferred_indexes;
mod m2026_11_21_000025_create_event_horizon;
mod m2026_11_21_000026_add_wished_usernames;
mod m2026_11_21_000027_keep_status_before;
mod m2026_11_21_000028_require_resets;

use sea_orm_migration::prelude::*;

/// All migrations.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m2026_11_21_000001_create_keys::Migration),
            Box::new(m2026_11_21_000002_create_users::Migration),
            Box::new(m2026_11_21_000003_create_roles::Migration),
            Box::new(m2026_11_21_000004_create_credentials::Migration),
            Box::new(m2026_11_21_000005_create_sessions::Migration),
            Box::new(m2026_11_21_000006_create_links::Migration),
            Box::new(m2026_11_21_000007_create_audit_log::Migration),
            Box::new(m2026_11_21_000008_create_outbox::Migration),
            Box::new(m2026_11_21_000009_create_profiles::Migration),
            Box::new(m2026_11_21_000010_create_audit_seals::Migration),
            Box::new(m2026_11_21_000011_create_list_indexes::Migration),
            Box::new(m2026_11_21_000012_create_search::Migration),
            Box::new(m2026_11_21_000014_create_imports::Migration),
            Box::new(m2026_11_21_000013_create_idempotency_keys::Migration),
            Box::new(m2026_11_21_000016_create_mail_requests::Migration),
            Box::new(m2026_11_21_000017_add_event_positions::Migration),
            Box::new(m2026_11_21_000018_create_webhooks::Migration),
            Box::new(m2026_11_21_000020_guard_audit_log::Migration),
            Box::new(m2026_11_21_000021_create_failed_logins::Migration),
            Box::new(m2026_11_21_000022_trace_mails::Migration),
            Box::new(m2026_11_21_000023_mark_effects::Migration),
            Box::new(m2026_11_21_000024_create_deferred_indexes::Migration),
            Box::new(m2026_11_21_000025_create_event_horizon::Migration),
            Box::new(m2026_11_21_000026_add_wished_usernames::Migration),
            Box::new(m2026_11_21_000027_keep_status_before::Migration),
            Box::new(m2026_11_21_000028_require_resets::Migration),
        ]
    }
}

/// A foreign key onto `users` that goes with its user.
fn of_user(table: &'static str, column: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(table, column)
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

/// An index `{table}_{suffix}` on these columns.
fn index(table: &'static str, suffix: &str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create()
        .name(format!("{table}_{suffix}"))
        .table(table)
        .to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}

/// The same, and no two rows may share the values.
fn unique(table: &'static str, suffix: &str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, suffix, columns).unique().to_owned()
}

/// Drops tables in this order.
async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager
            .drop_table(Table::drop().table(*table).to_owned())
            .await?;
    }
    Ok(())
}
