//! Sealing the audit trail: committed entries get a place in the chain, each batch a signed checkpoint, which also goes
//! to the log and so leaves the machine. Entries past their time go from the chain's old end, up to a checkpoint.

use super::Services;
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::{Actor, SignedIn},
        audit::AuditEntry,
        audit_chain::{ChainHash, Checkpoint, CheckpointKind, KnownPlace},
        client::Client,
        page::{Cursor, Page, PageRequest},
        permission::Permission,
    },
    infra::{checkpoint_key::CheckpointKey, tracer},
    storage::{Db, Store, Tx, audit_seals},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The only order of the checkpoints: newest first.
pub const CHECKPOINT_ORDER: &str = "-sequence";

/// How many entries one transaction seals.
const BATCH: u64 = 500;
/// How many entries past their time one transaction deletes.
const DELETE_BATCH: i64 = 1_000;
/// The beginning moves once a day, for each move leaves an entry.
const BETWEEN_BEGINNINGS: TimeDelta = TimeDelta::days(1);

impl Services {
    /// Seals a batch of the entries that were committed so far, unless another node is at it; how many it sealed. The
    /// order of the chain is that of sealing: an entry that is committed late comes later.
    pub async fn seal_audit_log(&self) -> Result<u64> {
        if audit_seals::list_unsealed(self.store.reader(), 1)
            .await?
            .is_empty()
        {
            return Ok(0);
        }
        tracer::root("seal_audit_log", self.seal_waiting()).await
    }

    async fn seal_waiting(&self) -> Result<u64> {
        let tx = self.store.begin().await?;
        if !audit_seals::try_lead(&tx).await? {
            return Ok(0);
        }
        let Some(checkpoint) = self.seal_batch(&tx).await? else {
            return Ok(0);
        };
        Store::commit(tx).await?;
        announce(&checkpoint);
        let sealed = checkpoint.count.unsigned_abs();
        metrics::counter!("usher_audit_entries_sealed_total").increment(sealed);
        Ok(sealed)
    }

    async fn seal_batch(&self, tx: &Tx) -> Result<Option<Checkpoint>> {
        let entries = audit_seals::list_unsealed(tx, BATCH).await?;
        let mut end = end_of_chain(tx).await?;
        let mut places = Vec::new();
        for entry in &entries {
            let sequence = end.sequence + 1;
            let hash = entry.chained(sequence, end.hash);
            end = KnownPlace { sequence, hash };
            places.push((entry.id, end));
        }
        if places.is_empty() {
            return Ok(None);
        }
        let count = places.len() as u64;
        if audit_seals::update_places(tx, places).await? != count {
            return Err(Error::internal(anyhow::anyhow!(
                "an entry was sealed by somebody else"
            )));
        }
        let statement = Checkpoint {
            kind: CheckpointKind::Batch,
            sequence: end.sequence,
            hash: end.hash,
            count: count.cast_signed(),
            at: self.now(),
            key_id: String::new(),
            signature: Vec::new(),
        };
        let checkpoint = self.sign_checkpoint(statement)?;
        audit_seals::insert_checkpoint(tx, &checkpoint).await?;
        Ok(Some(checkpoint))
    }

    fn sign_checkpoint(&self, mut statement: Checkpoint) -> Result<Checkpoint> {
        let key = self.checkpoint_key()?;
        key.id().clone_into(&mut statement.key_id);
        statement.signature = key.sign(&statement.message());
        Ok(statement)
    }

    /// The key of the checkpoints; it follows from the service's own data key.
    pub(super) fn checkpoint_key(&self) -> Result<CheckpointKey> {
        CheckpointKey::from_seed(&self.service_key().seed("usher/1/audit-checkpoint"))
    }

    /// The public half of the key that signs checkpoints (RFC 8037).
    pub fn audit_public_key(&self) -> Result<Value> {
        Ok(self.checkpoint_key()?.jwk())
    }

    /// A page of the signed checkpoints as they are kept, newest first; they tell of nobody.
    pub async fn list_audit_checkpoints(
        &self,
        who: &SignedIn,
        request: &PageRequest,
    ) -> Result<Page<Checkpoint>> {
        who.must(Permission::ReadSystem)?;
        let beside = request.cursor.as_ref().map(place).transpose()?;
        let db = self.store.reader();
        let is_backward = request.is_backward();
        let found =
            audit_seals::list_checkpoints_beside(db, beside, is_backward, request.rows()).await?;
        Ok(Page::cut(found, request, CHECKPOINT_ORDER, |checkpoint| {
            (Some(checkpoint.sequence.to_string()), Uuid::nil())
        }))
    }

    /// Deletes a batch of the entries that are past their time; whether there may be more.
    pub async fn sweep_audit_log(&self) -> Result<bool> {
        if let Some(retention) = self.policy.audit_retention {
            self.move_beginning(retention).await?;
        }
        let Some(beginning) = audit_seals::find_beginning(self.store.reader()).await? else {
            return Ok(false);
        };
        self.must_be_signed(&beginning)?;
        let begun = Instant::now();
        let tx = self.store.begin().await?;
        let gone = audit_seals::delete_before(&tx, &beginning, DELETE_BATCH).await?;
        Store::commit(tx).await?;
        if gone > 0 {
            tracer::tell_of_round("sweep_audit_log", begun.elapsed());
        }
        metrics::counter!("usher_swept_rows_total").increment(gone);
        Ok(gone >= DELETE_BATCH.unsigned_abs())
    }

    /// Lets the chain begin after the newest checkpoint that is past its time. From then on what lies before is only
    /// waiting to be deleted.
    async fn move_beginning(&self, retention: Duration) -> Result<()> {
        let retention = TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
        let Some(before) = self.now().checked_sub_signed(retention) else {
            return Ok(());
        };
        if self
            .next_beginning(self.store.reader(), before)
            .await?
            .is_none()
        {
            return Ok(());
        }
        tracer::root("move_audit_beginning", self.move_beginning_to(before)).await
    }

    async fn move_beginning_to(&self, before: Timestamp) -> Result<()> {
        let tx = self.store.begin().await?;
        if !audit_seals::try_lead(&tx).await? {
            return Ok(());
        }
        let Some(next) = self.next_beginning(&tx, before).await? else {
            return Ok(());
        };
        let statement = Checkpoint {
            kind: CheckpointKind::Beginning,
            ..next
        };
        let beginning = self.sign_checkpoint(statement)?;
        audit_seals::update_checkpoint(&tx, &beginning).await?;
        let client = Client::local(self.new_request_id());
        let entry = AuditEntry::success("sweep_audit_log", Actor::System, &client);
        let details = json!({ "sequence": beginning.sequence });
        self.audit(&tx, entry.with(details)).await?;
        Store::commit(tx).await?;
        announce(&beginning);
        Ok(())
    }

    async fn next_beginning(&self, db: &impl Db, before: Timestamp) -> Result<Option<Checkpoint>> {
        let Some(next) = audit_seals::find_checkpoint_before(db, before).await? else {
            return Ok(None);
        };
        let now = audit_seals::find_beginning(db).await?;
        if now.is_some_and(|now| next.at < now.at + BETWEEN_BEGINNINGS) {
            return Ok(None);
        }
        // What somebody else wrote must not become right by our signature.
        self.must_be_signed(&next)?;
        Ok(Some(next))
    }

    fn must_be_signed(&self, checkpoint: &Checkpoint) -> Result<()> {
        let key = self.checkpoint_key()?;
        if key.verifies(&checkpoint.message(), &checkpoint.signature) {
            return Ok(());
        }
        Err(Error::internal(anyhow::anyhow!(
            "the audit trail's checkpoint {} is not ours: run usher audit verify",
            checkpoint.sequence
        )))
    }
}

/// The place that a cursor names.
fn place(cursor: &Cursor) -> Result<i64> {
    let place = cursor.key.as_ref().and_then(|key| key.parse().ok());
    place.ok_or_else(|| {
        let message = "This is not a cursor of this list; begin without one.";
        Error::invalid("cursor", "format", message)
    })
}

/// The further of the last entry and the last checkpoint: where entries are cut off, the chain goes on after the hole.
async fn end_of_chain(tx: &Tx) -> Result<KnownPlace> {
    let checkpoint = audit_seals::find_last_checkpoint(tx).await?;
    let checkpoint = checkpoint.map(|checkpoint| KnownPlace {
        sequence: checkpoint.sequence,
        hash: checkpoint.hash,
    });
    let ends = [audit_seals::find_last_place(tx).await?, checkpoint];
    let end = ends.into_iter().flatten().max_by_key(|end| end.sequence);
    Ok(end.unwrap_or(KnownPlace {
        sequence: 0,
        hash: ChainHash::START,
    }))
}

/// Tells the log, whose copies elsewhere an intruder here cannot change.
fn announce(checkpoint: &Checkpoint) {
    tracing::info!(
        target: "audit_checkpoint",
        kind = checkpoint.kind.as_str(),
        sequence = checkpoint.sequence,
        hash = %checkpoint.hash,
        count = checkpoint.count,
        at = checkpoint.signed_at(),
        key_id = checkpoint.key_id,
        signature = checkpoint.signature_text(),
        "the audit trail is sealed up to here"
    );
}
