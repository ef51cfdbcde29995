//! The audit trail: one row for each change and each refusal. A flood of refused attempts becomes one row a minute for
//! each action and source, so that it cannot fill the disk.

use super::Services;
use crate::{
    domain::{
        Result, Timestamp,
        audit::{AuditEntry, Refused},
        client::Client,
        id::UserId,
    },
    infra::tracer,
    storage::{Store, Tx, audit, keys},
};
use serde_json::json;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::PoisonError,
};

/// At most so many sources are told apart between two flushes; the rest count as one.
const MOST_SOURCES: usize = 10_000;

/// At most so many refusals of one kind to one person have a row of their own between two flushes.
const OWN_ROWS: u32 = 10;

/// What was refused why, to whom and to which address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    action: &'static str,
    refused: Refused,
    user: Option<UserId>,
    ip: Option<IpAddr>,
}

/// Refused attempts of one kind from one source.
pub struct Refusals {
    /// Those that have a row of their own.
    rows: u32,
    /// Those that have not.
    count: u64,
    first: Timestamp,
    client: Client,
}

impl Services {
    /// Writes an entry in the transaction of what it tells of.
    pub(super) async fn audit(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<()> {
        // From where a request came is personal to who made it.
        let owner = entry.actor.user_id().or(entry.subject);
        self.audit_under(tx, owner, entry).await
    }

    /// Writes an entry about a person whose key is destroyed in this transaction: the service's own seals the origin.
    pub(super) async fn audit_erasure(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<()> {
        self.audit_under(tx, None, entry).await
    }

    async fn audit_under(
        &self,
        tx: &Tx,
        owner: Option<UserId>,
        entry: AuditEntry<'_>,
    ) -> Result<()> {
        let origin = self.seal_origin(tx, owner, entry.client).await?;
        audit::insert_entry(tx, self.new_id(), self.now(), &entry, origin).await?;
        entry.client.trace.note_audited();
        Ok(())
    }

    /// Writes an entry about something that changed nothing.
    pub(super) async fn audit_alone(&self, entry: AuditEntry<'_>) -> Result<()> {
        let tx = self.store.begin().await?;
        self.audit(&tx, entry).await?;
        Store::commit(tx.aside()).await
    }

    /// Counts an attempt past a limit; it reaches the trail with the next flush.
    pub fn note_refusal(&self, action: &'static str, client: &Client) {
        self.gather(action, Refused::BY_LIMIT, client, |refusals| {
            refusals.count += 1;
        });
        client.trace.note_audited();
    }

    /// Tells the trail of a request that was refused, unless a use case has told of it: in a row of its own if it is known
    /// who asked, up to a bound; else counted.
    pub async fn record_refusal(
        &self,
        action: &'static str,
        mut refused: Refused,
        client: &Client,
    ) {
        if client.trace.is_audited() {
            return;
        }
        client.trace.note_audited();
        let user = client.trace.user();
        // Not a part of the source: whoever tries many people is bounded as whoever tries one.
        let aim = refused.aim.take();
        let has_row = self.gather(action, refused, client, |refusals| {
            let has_row = user.is_some() && refusals.rows < OWN_ROWS;
            if has_row {
                refusals.rows += 1;
            } else {
                refusals.count += 1;
            }
            has_row
        });
        if !has_row {
            return;
        }
        let entry = AuditEntry::refusal(action, refused.outcome, refused.code, client);
        let mut entry = entry.of(user);
        entry.subject = aim.or(user);
        if let Err(error) = self.audit_alone(entry).await {
            tracing::warn!(error = ?error, action, "a refusal is counted, since its row could not be written");
            self.gather(action, refused, client, |refusals| refusals.count += 1);
        }
    }

    /// Works on what is gathered of this source.
    fn gather<T>(
        &self,
        action: &'static str,
        refused: Refused,
        client: &Client,
        work: impl FnOnce(&mut Refusals) -> T,
    ) -> T {
        let now = self.now();
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = Source {
            action,
            refused,
            user: client.trace.user(),
            ip: client.ip,
        };
        if refusals.len() >= MOST_SOURCES && !refusals.contains_key(&source) {
            (source.user, source.ip) = (None, None);
        }
        work(refusals.entry(source).or_insert_with(|| Refusals {
            rows: 0,
            count: 0,
            first: now,
            client: Client {
                ip: source.ip,
                ..client.clone()
            },
        }))
    }

    /// Writes the counted refusals to the trail; called each minute and at the end.
    pub async fn flush_refusals(&self) -> Result<()> {
        let refusals =
            std::mem::take(&mut *self.refusals.lock().unwrap_or_else(PoisonError::into_inner));
        if refusals.is_empty() {
            return Ok(());
        }
        let written = tracer::root("flush_refusals", self.write_refusals(&refusals)).await;
        if written.is_err() {
            self.keep_refusals(refusals);
        }
        written
    }

    /// Puts back what could not be written, for the next flush.
    fn keep_refusals(&self, unwritten: HashMap<Source, Refusals>) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, refused) in unwritten {
            match refusals.entry(source) {
                Entry::Occupied(mut newer) => {
                    let newer = newer.get_mut();
                    newer.rows += refused.rows;
                    newer.count += refused.count;
                    newer.first = newer.first.min(refused.first);
                }
                Entry::Vacant(free) => {
                    free.insert(refused);
                }
            }
        }
    }

    async fn write_refusals(&self, refusals: &HashMap<Source, Refusals>) -> Result<()> {
        let tx = self.store.begin().await?;
        for (source, gathered) in refusals.iter().filter(|(_, gathered)| gathered.count > 0) {
            let Source {
                action, refused, ..
            } = *source;
            // Whoever was erased meanwhile has no key left that could seal from where they came.
            let user = match source.user {
                Some(id) if keys::find_user_key(&tx, id).await?.is_some() => Some(id),
                _ => None,
            };
            let entry =
                AuditEntry::refusal(action, refused.outcome, refused.code, &gathered.client);
            let details =
                json!({ "code": refused.code, "count": gathered.count, "since": gathered.first });
            self.audit(&tx, entry.of(user).with(details)).await?;
        }
        Store::commit(tx).await
    }
}
