//! Checking the audit trail: the whole chain, page by page, against its hashes and signed checkpoints, up to the first
//! bad place. It may run while the trail grows and while its old end is deleted.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        audit_chain::{ChainFault, ChainWalk, Checkpoint, Damage, KnownPlace, SealedEntry},
    },
    infra::checkpoint_key::CheckpointKey,
    storage::{
        Db,
        audit_seals::{self, Unreadable},
    },
};
use std::collections::VecDeque;

/// How many rows are held at once.
const PAGE: u64 = 1_000;

/// What a check has found.
#[derive(Debug)]
pub struct AuditReport {
    /// After which entry the chain begins, where older ones were deleted in their time.
    pub begins_after: Option<i64>,
    /// Entries and checkpoints that are right, from the beginning.
    pub entries: u64,
    pub checkpoints: u64,
    /// How far that goes.
    pub end: KnownPlace,
    /// Entries that wait to be sealed.
    pub unsealed: u64,
    /// The first bad place.
    pub fault: Option<ChainFault>,
}

/// Why a walk stops.
enum Stop {
    Damage(ChainFault),
    Failure(Error),
}

impl From<ChainFault> for Stop {
    fn from(fault: ChainFault) -> Self {
        Self::Damage(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failure(error)
    }
}

impl Services {
    /// How many entries there are to check.
    pub async fn count_sealed_entries(&self) -> Result<u64> {
        audit_seals::count_sealed(self.store.reader(), 0, i64::MAX).await
    }

    /// Checks the trail, and that it comes through `known`; tells `progress` how many more entries are right.
    pub async fn verify_audit_log(
        &self,
        known: Option<KnownPlace>,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<AuditReport> {
        let db = self.store.reader();
        loop {
            let beginning = audit_seals::find_beginning(db).await?;
            let report = self.walk_audit_log(beginning.as_ref(), known, &progress);
            let report = report.await?;
            let moved = audit_seals::find_beginning(db).await? != beginning;
            // What was deleted in its time while we read is not damage.
            if report.fault.is_none() || !moved {
                return Ok(report);
            }
        }
    }

    async fn walk_audit_log(
        &self,
        beginning: Option<&Checkpoint>,
        known: Option<KnownPlace>,
        progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<AuditReport> {
        let db = self.store.reader();
        let key = self.checkpoint_key()?;
        let mut walk = ChainWalk::from(beginning, known);
        let walked = walk_from(db, &key, beginning, (&mut walk, progress)).await;
        let fault = match walked {
            Ok(()) => None,
            Err(Stop::Damage(fault)) => Some(fault),
            Err(Stop::Failure(error)) => return Err(error),
        };
        Ok(AuditReport {
            begins_after: beginning.map(|beginning| beginning.sequence),
            entries: walk.entries,
            checkpoints: walk.checkpoints,
            end: walk.place(),
            unsealed: audit_seals::count_unsealed(db).await?,
            fault,
        })
    }
}

async fn walk_from(
    db: &impl Db,
    key: &CheckpointKey,
    beginning: Option<&Checkpoint>,
    (walk, progress): (&mut ChainWalk, &(impl Fn(u64) + Send + Sync)),
) -> Result<(), Stop> {
    if let Some(beginning) = beginning {
        must_hold(key, beginning)?;
        walk.pass_known()?;
    }
    let start = beginning.map_or(0, |beginning| beginning.sequence);
    // Before the first entry of a whole chain there is nothing; of a cut one, what waits to be deleted.
    let mut entries = Entries::after(beginning.map_or(i64::MIN, |_| start));
    let mut covered = start;
    loop {
        // The entries first: a checkpoint that is committed with them is then seen as well.
        let next = entries.peek(db).await?;
        let checkpoints = audit_seals::list_checkpoints(db, covered, PAGE).await?;
        if checkpoints.is_empty() {
            if let Some(sealed) = next {
                return Err(uncovered(sealed, walk).into());
            }
            break;
        }
        for checkpoint in checkpoints {
            must_hold(key, &checkpoint)?;
            let before = walk.entries;
            while let Some(sealed) = entries.next_to(db, checkpoint.sequence).await? {
                walk.entry(&sealed.map_err(|row| unreadable(&row, walk))?)?;
            }
            walk.checkpoint(&checkpoint)?;
            progress(walk.entries - before);
            covered = checkpoint.sequence;
        }
    }
    walk.end()?;
    let there = audit_seals::count_sealed(db, start, walk.place().sequence).await?;
    if there != walk.entries {
        // Rows that share a place: one of them was walked, the others were not.
        return Err(ChainFault::at(Damage::EntryInserted, walk.place().sequence).into());
    }
    Ok(())
}

fn must_hold(key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<(), ChainFault> {
    if checkpoint.key_id == key.id() && key.verifies(&checkpoint.message(), &checkpoint.signature) {
        return Ok(());
    }
    Err(ChainFault::at(
        Damage::CheckpointChanged,
        checkpoint.sequence,
    ))
}

fn unreadable(row: &Unreadable, walk: &ChainWalk) -> ChainFault {
    ChainFault {
        damage: Damage::EntryUnreadable,
        sequence: row.sequence.unwrap_or(walk.place().sequence + 1),
        id: row.id,
    }
}

fn uncovered(sealed: &Result<SealedEntry, Unreadable>, walk: &ChainWalk) -> ChainFault {
    match sealed {
        Ok(sealed) => ChainFault {
            damage: Damage::EntryUncovered,
            sequence: sealed.sequence,
            id: Some(sealed.entry.id),
        },
        Err(row) => unreadable(row, walk),
    }
}

/// The entries of the chain, a page at once.
struct Entries {
    after: i64,
    page: VecDeque<Result<SealedEntry, Unreadable>>,
}

impl Entries {
    fn after(after: i64) -> Self {
        let page = VecDeque::new();
        Self { after, page }
    }

    /// The next one, without taking it.
    async fn peek(&mut self, db: &impl Db) -> Result<Option<&Result<SealedEntry, Unreadable>>> {
        if self.page.is_empty() {
            self.page = audit_seals::list_sealed(db, self.after, PAGE).await?.into();
        }
        Ok(self.page.front())
    }

    /// The next one, if it lies no further than `to`.
    async fn next_to(
        &mut self,
        db: &impl Db,
        to: i64,
    ) -> Result<Option<Result<SealedEntry, Unreadable>>> {
        let is_due = match self.peek(db).await? {
            Some(Ok(sealed)) => sealed.sequence <= to,
            Some(Err(_)) => true,
            None => false,
        };
        let next = if is_due { self.page.pop_front() } else { None };
        if let Some(Ok(sealed)) = &next {
            self.after = sealed.sequence;
        }
        Ok(next)
    }
}
