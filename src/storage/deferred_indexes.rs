//! Indexes that are put off while very many rows come in, and on PostgreSQL the checks that each row's person is there: to
//! do it for all rows at the end costs a fraction. What was dropped is noted in the same transaction, so that it can always
//! be made again.

use super::Store;
use crate::domain::Result;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

/// The indexes and triggers of what an import fills that no constraint stands on, and references to what it also fills.
const SQLITE: &str = "SELECT name, sql AS definition, 'DROP ' || type || ' \"' || name || '\"' AS removal FROM sqlite_master \
    WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE %' \
    AND tbl_name IN ('users', 'user_keys', 'user_roles', 'search_documents')";

const POSTGRES: &str = "SELECT i.relname::text AS name, pg_get_indexdef(i.oid) AS definition, \
    format('DROP INDEX %I', i.relname) AS removal \
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
    WHERE NOT x.indisunique AND t.relnamespace = current_schema()::regnamespace \
    AND t.relname IN ('users', 'user_keys', 'user_roles', 'search_documents') \
    UNION ALL SELECT c.conname::text, \
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)), \
    format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) \
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
    WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace \
    AND t.relname IN ('credentials', 'user_roles', 'search_documents')";

/// What is left of people who went while there were no references to take it along.
const ORPHANS: [&str; 3] = [
    "DELETE FROM credentials c WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = c.user_id)",
    "DELETE FROM user_roles r WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = r.user_id)",
    "DELETE FROM search_documents d WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = d.user_id)",
];

#[derive(FromQueryResult)]
struct Part {
    name: String,
    definition: String,
    removal: String,
}

/// Drops the indexes of lists and search, and notes them; what was noted before stays noted.
pub async fn defer_indexes(store: &Store) -> Result<()> {
    let tx = store.begin_plain().await?;
    let backend = tx.get_database_backend();
    let catalogue = if store.is_postgres() {
        POSTGRES
    } else {
        SQLITE
    };
    let parts = Part::find_by_statement(Statement::from_string(backend, catalogue));
    for part in parts.all(&tx).await? {
        let note = "INSERT INTO deferred_indexes (name, definition) VALUES ($1, $2)";
        let values = [part.name.as_str().into(), part.definition.into()];
        tx.execute_raw(Statement::from_sql_and_values(backend, note, values))
            .await?;
        tx.execute_unprepared(&part.removal).await?;
    }
    Ok(tx.commit().await?)
}

/// Whether indexes are missing, in a schema of these migrations.
pub(super) async fn has_deferred(
    db: &impl ConnectionTrait,
    applied: &[String],
) -> Result<bool, DbErr> {
    if !applied
        .iter()
        .any(|name| name.ends_with("create_deferred_indexes"))
    {
        return Ok(false);
    }
    let sql = "SELECT name FROM deferred_indexes LIMIT 1";
    let noted = Statement::from_string(db.get_database_backend(), sql);
    Ok(db.query_one_raw(noted).await?.is_some())
}

/// Makes again what is missing.
pub async fn restore_indexes(store: &Store) -> Result<()> {
    let tx = store.begin_plain().await?;
    restore(&tx).await?;
    Ok(tx.commit().await?)
}

/// The same within a transaction.
pub(super) async fn restore(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    if backend == DbBackend::Postgres {
        // Two at once would make the same index twice; making one takes longer than waiting for a lock usually may.
        db.execute_unprepared("SET LOCAL lock_timeout = 0; SET LOCAL maintenance_work_mem = '256MB'; LOCK deferred_indexes")
            .await?;
    }
    let sql = "SELECT name, definition, '' AS removal FROM deferred_indexes ORDER BY name";
    let parts = Part::find_by_statement(Statement::from_string(backend, sql));
    let parts = parts.all(db).await?;
    if backend == DbBackend::Postgres && !parts.is_empty() {
        for orphans in ORPHANS {
            db.execute_unprepared(orphans).await?;
        }
    }
    for part in &parts {
        db.execute_unprepared(&part.definition).await?;
    }
    if backend != DbBackend::Postgres && !parts.is_empty() {
        db.execute_unprepared("INSERT INTO search_index (search_index) VALUES ('rebuild')")
            .await?;
    }
    db.execute_unprepared("DELETE FROM deferred_indexes")
        .await?;
    if backend == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE users, user_roles, search_documents")
            .await?;
    }
    Ok(())
}
