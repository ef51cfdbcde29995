//! The audit trail: one row for each change and each refusal. A flood of refused attempts becomes one row a minute for
//! each action and source, so that it cannot fill the disk.

use super::Services;
use crate::{
    domain::{
        Result, Timestamp,
        audit::{AuditEntry, Outcome},
        client::Client,
    },
    storage::{Store, Tx, audit},
};
use serde_json::json;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::PoisonError,
};

/// At most so many sources are told apart between two flushes; the rest count as one.
const MOST_SOURCES: usize = 10_000;

/// The action that was refused, and to which address.
pub type Source = (&'static str, Option<IpAddr>);

/// Refused attempts of one kind from one source.
pub struct Refusals {
    count: u64,
    first: Timestamp,
    client: Client,
}

impl Services {
    /// Writes an entry in the transaction of what it tells of.
    pub(super) async fn audit(&self, tx: &Tx, entry: AuditEntry<'_>) -> Result<()> {
        let owner = entry.subject.or(entry.actor.user_id());
        let origin = self.seal_origin(tx, owner, entry.client).await?;
        audit::insert_entry(tx, self.new_id(), self.now(), &entry, origin).await
    }

    /// Writes an entry about something that changed nothing.
    pub(super) async fn audit_alone(&self, entry: AuditEntry<'_>) -> Result<()> {
        let tx = self.store.begin().await?;
        self.audit(&tx, entry).await?;
        Store::commit(tx).await
    }

    /// Counts a refused attempt; it reaches the trail with the next flush.
    pub fn note_refusal(&self, action: &'static str, client: &Client) {
        let now = self.now();
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let ip = if refusals.len() < MOST_SOURCES {
            client.ip
        } else {
            None
        };
        let entry = refusals.entry((action, ip)).or_insert_with(|| Refusals {
            count: 0,
            first: now,
            client: Client {
                ip,
                ..client.clone()
            },
        });
        entry.count += 1;
    }

    /// Writes the counted refusals to the trail; called each minute and at the end.
    pub async fn flush_refusals(&self) -> Result<()> {
        let refusals =
            std::mem::take(&mut *self.refusals.lock().unwrap_or_else(PoisonError::into_inner));
        if refusals.is_empty() {
            return Ok(());
        }
        let written = self.write_refusals(&refusals).await;
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
        for ((action, _), refused) in refusals {
            let entry =
                AuditEntry::refusal(action, Outcome::Refused, "rate_limited", &refused.client);
            let details =
                json!({ "code": "rate_limited", "count": refused.count, "since": refused.first });
            self.audit(&tx, entry.with(details)).await?;
        }
        Store::commit(tx).await
    }
}
