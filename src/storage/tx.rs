//! A transaction that notes whose sessions it concerns. A check of a token reads `watched` tables; whoever writes there says of
//! whom the row is ([`Tx::changing`]) or that no check reads the columns ([`Tx::unread`]). A write that says neither counts
//! as one that concerns everybody: forgetting costs reads, never an ended session that goes on.

mod watched;

use super::idempotency::{self, Run};
use crate::domain::{Result, id::UserId};
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
    /// On whose behalf it commits.
    run: Option<Run>,
}

/// The transaction for statements of which has been said whom they concern.
pub(super) struct Declared<'a>(&'a Tx);

impl Tx {
    pub(super) fn new(inner: DatabaseTransaction, witness: Option<Arc<dyn Witness>>) -> Self {
        Self {
            inner,
            changed: Mutex::default(),
            witness,
            run: idempotency::present_run(),
        }
    }

    /// Not what the request that is being run is for: a refusal's trace, or what would do no harm twice. It commits
    /// whoever has the request, and the request may run again after it.
    pub fn aside(self) -> Self {
        Self { run: None, ..self }
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
        if let Some(table) = watched::table(sql) {
            tracing::error!(
                table,
                "a statement did not say whom it concerns: all sessions are read anew"
            );
            self.note(|changed| changed.everybody = true);
        }
    }

    /// Commits and tells; to be run to its end, whoever still waits for it.
    pub(super) async fn commit(self) -> Result<()> {
        let Self {
            inner,
            changed,
            witness,
            run,
        } = self;
        if let Some(run) = run {
            idempotency::mark_effect(&inner, run).await?;
        }
        let changed = changed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(witness) = witness.filter(|_| !changed.is_nothing()) else {
            return Ok(inner.commit().await?);
        };
        // A task of its own: a client that hangs up must not come between the commit and what follows from it.
        let committed = tokio::spawn(commit_told(inner, changed, witness));
        let committed = committed
            .await
            .unwrap_or_else(|died| Err(DbErr::Custom(format!("a commit died: {died}"))));
        Ok(committed?)
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
