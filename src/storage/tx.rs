//! A transaction that notes whose sessions it concerns. A check of a token reads [`WATCHED`]; whoever writes there says of
//! whom the row is ([`Tx::changing`]) or that no check reads the columns ([`Tx::unread`]). A write that says neither counts
//! as one that concerns everybody: forgetting costs reads, never an ended session that goes on.

use crate::domain::id::UserId;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    prelude::async_trait::async_trait,
};
use std::{
    collections::BTreeSet,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

/// What a check of a token reads, and by which statements what it read may become untrue. New people and new sessions
/// have no check to spoil.
const WATCHED: [(&str, &[&str]); 5] = [
    ("users", &["UPDATE", "DELETE"]),
    ("user_sessions", &["UPDATE", "DELETE"]),
    ("user_roles", &["INSERT", "UPDATE", "DELETE"]),
    ("tokens", &["INSERT", "UPDATE", "DELETE"]),
    ("role_permissions", &["INSERT", "UPDATE", "DELETE"]),
];

/// Whose checks a transaction may have made untrue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Those whose account, roles, sessions or tokens changed.
    pub users: BTreeSet<UserId>,
    /// Those of whom only something changed that other nodes may learn late.
    pub in_passing: BTreeSet<UserId>,
    /// What a role allows changed, or nobody said whose row it was.
    pub everybody: bool,
}

impl Changed {
    /// Whether every check holds.
    pub fn is_nothing(&self) -> bool {
        !self.concerns_others() && self.in_passing.is_empty()
    }

    /// Whether other nodes must hear of it.
    pub fn concerns_others(&self) -> bool {
        self.everybody || !self.users.is_empty()
    }
}

/// Something to wait for.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Who is told of commits that make checks untrue.
pub trait Witness: Send + Sync {
    /// The text that listeners on the database get with the commit; none if they need not know.
    fn notice(&self, changed: &Changed) -> Option<String>;

    /// Before the commit; what it waits for is bounded.
    fn before<'a>(&'a self, changed: &'a Changed) -> Waiting<'a>;

    /// After the commit, or after it failed in a way that leaves open whether it took place.
    fn after(&self, changed: &Changed, is_certain: bool);
}

/// A transaction; dropping it rolls back. Commit with [`Store::commit`](super::Store::commit).
pub struct Tx {
    inner: DatabaseTransaction,
    changed: Mutex<Changed>,
    witness: Option<Arc<dyn Witness>>,
}

/// The transaction for statements of which has been said whom they concern.
pub(super) struct Declared<'a>(&'a Tx);

impl Tx {
    pub(super) fn new(inner: DatabaseTransaction, witness: Option<Arc<dyn Witness>>) -> Self {
        Self {
            inner,
            changed: Mutex::default(),
            witness,
        }
    }

    /// For writes to the account, the roles, the sessions or the tokens of this person.
    pub(super) fn changing(&self, id: UserId) -> Declared<'_> {
        self.note(|changed| changed.users.extend([id]));
        Declared(self)
    }

    /// For writes that decide nothing, as the time of the last login: other nodes may show them late.
    pub(super) fn changing_in_passing(&self, id: UserId) -> Declared<'_> {
        self.note(|changed| changed.in_passing.extend([id]));
        Declared(self)
    }

    /// For writes to rows or columns that no check reads, or that have ended by their own time.
    pub(super) fn unread(&self) -> Declared<'_> {
        Declared(self)
    }

    fn note(&self, change: impl FnOnce(&mut Changed)) {
        change(&mut self.changed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn watch(&self, sql: &str) {
        if let Some(table) = watched_table(sql) {
            tracing::error!(
                table,
                "a statement did not say whom it concerns: all sessions are read anew"
            );
            self.note(|changed| changed.everybody = true);
        }
    }

    /// Commits and tells; to be run to its end, whoever still waits for it.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        let Self {
            inner,
            changed,
            witness,
        } = self;
        let changed = changed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(witness) = witness.filter(|_| !changed.is_nothing()) else {
            return inner.commit().await;
        };
        // A task of its own: a client that hangs up must not come between the commit and what follows from it.
        let committed = tokio::spawn(commit_told(inner, changed, witness));
        committed
            .await
            .unwrap_or_else(|died| Err(DbErr::Custom(format!("a commit died: {died}"))))
    }
}

async fn commit_told(
    tx: DatabaseTransaction,
    changed: Changed,
    witness: Arc<dyn Witness>,
) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres
        && let Some(notice) = witness.notice(&changed)
    {
        tx.execute_raw(super::notices::notify(notice)).await?;
    }
    witness.before(&changed).await;
    let mut telling = Telling {
        changed,
        witness,
        is_certain: false,
    };
    let done = tx.commit().await;
    telling.is_certain = done.is_ok();
    done
}

/// Tells when it goes, on whatever way.
struct Telling {
    changed: Changed,
    witness: Arc<dyn Witness>,
    is_certain: bool,
}

impl Drop for Telling {
    fn drop(&mut self) {
        let changed = mem::take(&mut self.changed);
        self.witness.after(&changed, self.is_certain);
    }
}

/// The watched table that a statement writes to.
fn watched_table(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| c.is_whitespace() || "\"(),;".contains(c));
    let mut words = std::iter::from_fn(move || words.find(|word| !word.is_empty()));
    while let Some(word) = words.next() {
        let kind = match word {
            w if w.eq_ignore_ascii_case("UPDATE") => "UPDATE",
            w if w.eq_ignore_ascii_case("DELETE") => "DELETE",
            w if w.eq_ignore_ascii_case("INSERT") => "INSERT",
            _ => continue,
        };
        let is_filler = |word: &&str| {
            ["FROM", "INTO", "ONLY", "OR", "IGNORE", "REPLACE"]
                .iter()
                .any(|filler| word.eq_ignore_ascii_case(filler))
        };
        let table = words.find(|word| !is_filler(word))?;
        let table = table.rsplit('.').next().unwrap_or(table);
        let found = WATCHED
            .iter()
            .find(|(name, kinds)| name.eq_ignore_ascii_case(table) && kinds.contains(&kind));
        if let Some((name, _)) = found {
            return Some(name);
        }
    }
    None
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch(&statement.sql);
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch(sql);
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch(&statement.sql);
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch(&statement.sql);
        self.inner.query_all_raw(statement).await
    }
}

#[async_trait]
impl ConnectionTrait for Declared<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.inner.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_to_what_checks_read_is_seen_in_whatever_form() {
        for (sql, table) in [
            (r#"UPDATE "users" SET "tier" = $1"#, "users"),
            ("delete from public.user_roles where x", "user_roles"),
            (
                r#"INSERT OR IGNORE INTO "tokens" ("jti") VALUES ($1)"#,
                "tokens",
            ),
            (
                "WITH gone AS (DELETE FROM ONLY user_sessions RETURNING id) SELECT 1",
                "user_sessions",
            ),
            (
                "UPDATE outbox_mails SET a = 1; UPDATE users SET b = 2",
                "users",
            ),
            (
                "INSERT INTO role_permissions(role) VALUES ('x')",
                "role_permissions",
            ),
        ] {
            assert_eq!(watched_table(sql), Some(table), "{sql}");
        }
    }

    #[test]
    fn reads_new_people_and_other_tables_concern_nobody() {
        for sql in [
            r#"SELECT "users"."id" FROM "users" FOR UPDATE"#,
            r#"INSERT INTO "users" ("id") VALUES ($1)"#,
            "INSERT INTO user_search (id) SELECT id FROM users ON CONFLICT DO UPDATE SET a = 1",
            r#"UPDATE "user_profiles" SET "users" = 1"#,
            "",
        ] {
            assert_eq!(watched_table(sql), None, "{sql}");
        }
    }
}
