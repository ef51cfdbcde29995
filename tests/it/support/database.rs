//! A database for one test: a SQLite file of its own, or with `TEST_DATABASE_URL` a PostgreSQL database copied from a
//! template that the first test migrates.

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Row, SqlitePool, postgres::PgPoolOptions,
};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};
use tempfile::TempDir;

/// One key for all processes of a test run: who makes the template holds it.
const TEMPLATE_LOCK: i64 = 0x7465_7374;
const TEMPLATE: &str = "usher_test_template";

/// A test's own database, for looking behind the service's back.
pub struct TestDatabase {
    server: Server,
    touches: AtomicU64,
}

enum Server {
    Sqlite {
        pool: SqlitePool,
        folder: TempDir,
    },
    Postgres {
        pool: PgPool,
        url: String,
        folder: TempDir,
    },
}

impl TestDatabase {
    /// A new empty database; on PostgreSQL with the schema in it already.
    pub async fn create() -> Self {
        if let Some(server) = server() {
            return Self::at(copy_of_template(&server).await).await;
        }
        let folder = TempDir::new().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(folder.path().join("usher.db"))
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        Self::on(Server::Sqlite { pool, folder })
    }

    /// A new database without a schema.
    pub async fn create_empty() -> Self {
        Self::create_with("").await
    }

    /// A new database without a schema, on PostgreSQL with these options.
    pub async fn create_with(options: &str) -> Self {
        let Some(server) = server() else {
            return Self::create().await;
        };
        let name = new_name();
        let mut admin = PgConnection::connect(&server).await.unwrap();
        run(&mut admin, format!("CREATE DATABASE {name} {options}")).await;
        Self::at(with_database(&server, &name)).await
    }

    /// A database that somebody else has made on PostgreSQL.
    pub async fn at(url: String) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect(&url)
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        Self::on(Server::Postgres { pool, url, folder })
    }

    fn on(server: Server) -> Self {
        Self {
            server,
            touches: AtomicU64::new(0),
        }
    }

    /// How many statements were run behind the service's back.
    pub fn touches(&self) -> u64 {
        self.touches.load(Ordering::SeqCst)
    }

    /// Lets go of the database.
    pub async fn close(&self) {
        match &self.server {
            Server::Sqlite { pool, .. } => pool.close().await,
            Server::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Tells the apps of a change that they cannot have seen, such as one by the command line on SQLite.
    pub fn touch(&self) {
        self.touches.fetch_add(1, Ordering::SeqCst);
    }

    /// As `DATABASE_URL`.
    pub fn url(&self) -> String {
        match &self.server {
            Server::Sqlite { folder, .. } => {
                format!("sqlite://{}/usher.db", folder.path().display())
            }
            Server::Postgres { url, .. } => url.clone(),
        }
    }

    /// As `DATA_DIR`.
    pub fn folder(&self) -> PathBuf {
        match &self.server {
            Server::Sqlite { folder, .. } | Server::Postgres { folder, .. } => {
                folder.path().to_owned()
            }
        }
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.server, Server::Postgres { .. })
    }

    /// Takes the database's guard off the audit trail, as only who may change the schema can.
    pub async fn lift_trail_guard(&self) {
        if self.is_postgres() {
            for table in ["audit_log", "audit_seals"] {
                let lift = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
                self.execute(&lift).await;
            }
            return;
        }
        let guards =
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'";
        for guard in self.texts(guards).await {
            self.execute(&format!("DROP TRIGGER {guard}")).await;
        }
    }

    /// What the database says against a statement; nothing if it lets it pass.
    pub async fn refusal(&self, sql: &str) -> Option<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        let refusal = match &self.server {
            Server::Sqlite { pool, .. } => sqlx::raw_sql(sql).execute(pool).await.err(),
            Server::Postgres { pool, .. } => sqlx::raw_sql(sql).execute(pool).await.err(),
        };
        refusal.map(|error| error.to_string())
    }

    /// Runs a statement; how many rows it touched.
    pub async fn execute(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let rows = match &self.server {
            Server::Sqlite { pool, .. } => sqlx::raw_sql(sql)
                .execute(pool)
                .await
                .unwrap()
                .rows_affected(),
            Server::Postgres { pool, .. } => sqlx::raw_sql(sql)
                .execute(pool)
                .await
                .unwrap()
                .rows_affected(),
        };
        self.touch();
        rows
    }

    /// The number that a query gives, such as `SELECT count(*) FROM users`.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.server {
            Server::Sqlite { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Server::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// The texts of the first column that a query gives.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.server {
            Server::Sqlite { pool, .. } => {
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                rows.iter()
                    .map(|row| row.get::<Option<String>, _>(0).unwrap_or_default())
                    .collect()
            }
            Server::Postgres { pool, .. } => {
                let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
                rows.iter()
                    .map(|row| row.get::<Option<String>, _>(0).unwrap_or_default())
                    .collect()
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test run says by it which server to use"
)]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// A database name that no other test has.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of several processes share one server"
)]
fn new_name() -> String {
    format!("usher_test_{}", uuid::Uuid::new_v4().simple())
}

async fn copy_of_template(server: &str) -> String {
    let mut admin = PgConnection::connect(server).await.unwrap();
    run(
        &mut admin,
        format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"),
    )
    .await;
    let found = "SELECT count(*) FROM pg_database WHERE datname = $1";
    let found: i64 = sqlx::query_scalar(found)
        .bind(TEMPLATE)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    if found == 0 {
        let draft = new_name();
        run(&mut admin, format!("CREATE DATABASE {draft}")).await;
        let url = with_database(server, &draft);
        let config =
            usher::Config::for_tests(&[("DATABASE_URL", &url), ("DATA_DIR", "/nonexistent")])
                .unwrap();
        usher::migrate(&config).await.unwrap();
        run(
            &mut admin,
            format!("ALTER DATABASE {draft} RENAME TO {TEMPLATE}"),
        )
        .await;
    }
    let name = new_name();
    run(
        &mut admin,
        format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"),
    )
    .await;
    run(
        &mut admin,
        format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"),
    )
    .await;
    admin.close().await.unwrap();
    with_database(server, &name)
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

fn with_database(server: &str, name: &str) -> String {
    let mut url: url::Url = server.parse().unwrap();
    url.set_path(name);
    url.to_string()
}
