//! A walk along the chain, entry by entry and checkpoint by checkpoint, that stops at the first bad place.

use super::{ChainHash, Checkpoint, CheckpointKind, SealedEntry};
use crate::domain::id::AuditId;

/// What is wrong with a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    EntryChanged,
    EntryMissing,
    EntryInserted,
    EntryUnreadable,
    EntryUncovered,
    CheckpointChanged,
    CheckpointMissing,
    ChainRewritten,
    TailCut,
}

impl Damage {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::EntryChanged => "entry_changed",
            Self::EntryMissing => "entry_missing",
            Self::EntryInserted => "entry_inserted",
            Self::EntryUnreadable => "entry_unreadable",
            Self::EntryUncovered => "entry_uncovered",
            Self::CheckpointChanged => "checkpoint_changed",
            Self::CheckpointMissing => "checkpoint_missing",
            Self::ChainRewritten => "chain_rewritten",
            Self::TailCut => "tail_cut",
        }
    }

    /// For people.
    pub fn message(self) -> &'static str {
        match self {
            Self::EntryChanged => "the entry is not what was sealed",
            Self::EntryMissing => "the entry is missing",
            Self::EntryInserted => "the entry was put in beside the chain",
            Self::EntryUnreadable => "the entry cannot be read",
            Self::EntryUncovered => "no checkpoint covers the entry",
            Self::CheckpointChanged => "the checkpoint's signature does not hold",
            Self::CheckpointMissing => "a checkpoint before this one is missing",
            Self::ChainRewritten => {
                "the entries up to here do not lead to the hash of the checkpoint"
            }
            Self::TailCut => "the chain ends before the checkpoint that was given",
        }
    }
}

/// The first bad place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainFault {
    pub damage: Damage,
    pub sequence: i64,
    /// The entry, if it is there.
    pub id: Option<AuditId>,
}

impl ChainFault {
    /// At a place where no entry is.
    pub fn at(damage: Damage, sequence: i64) -> Self {
        let id = None;
        Self {
            damage,
            sequence,
            id,
        }
    }
}

/// A checkpoint that left the machine: how far the chain went, and to which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPlace {
    pub sequence: i64,
    pub hash: ChainHash,
}

impl KnownPlace {
    /// Reads `SEQUENCE:HASH`.
    pub fn parse(text: &str) -> Option<Self> {
        let (sequence, hash) = text.split_once(':')?;
        Some(Self {
            sequence: sequence.parse().ok().filter(|sequence| *sequence > 0)?,
            hash: ChainHash::parse(hash)?,
        })
    }
}

/// Walks along a chain. Feed it the entries up to a checkpoint, then the checkpoint, whose signature is the caller's.
#[derive(Debug, Clone)]
pub struct ChainWalk {
    last: i64,
    hash: ChainHash,
    covered: i64,
    known: Option<KnownPlace>,
    /// Entries that were found to be right.
    pub entries: u64,
    /// Checkpoints that were found to be right.
    pub checkpoints: u64,
}

impl ChainWalk {
    /// From the first entry, or after a beginning; `known` is a place that it must come through.
    pub fn from(beginning: Option<&Checkpoint>, known: Option<KnownPlace>) -> Self {
        let (last, hash) =
            beginning.map_or((0, ChainHash::START), |begun| (begun.sequence, begun.hash));
        Self {
            last,
            hash,
            covered: last,
            known,
            entries: 0,
            checkpoints: 0,
        }
    }

    /// How far it has come.
    pub fn place(&self) -> KnownPlace {
        KnownPlace {
            sequence: self.last,
            hash: self.hash,
        }
    }

    /// The next entry.
    pub fn entry(&mut self, sealed: &SealedEntry) -> Result<(), ChainFault> {
        let fault = |damage| ChainFault {
            damage,
            sequence: sealed.sequence,
            id: Some(sealed.entry.id),
        };
        if sealed.sequence <= self.last {
            return Err(fault(Damage::EntryInserted));
        }
        if sealed.sequence > self.last + 1 {
            return Err(ChainFault::at(Damage::EntryMissing, self.last + 1));
        }
        let hash = sealed.entry.chained(sealed.sequence, self.hash);
        if hash.0.as_slice() != sealed.hash {
            return Err(fault(Damage::EntryChanged));
        }
        (self.last, self.hash) = (sealed.sequence, hash);
        self.entries += 1;
        self.pass_known()
    }

    /// The checkpoint after the entries that it covers.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), ChainFault> {
        let sequence = checkpoint.sequence;
        if self.last < sequence {
            return Err(ChainFault::at(Damage::EntryMissing, self.last + 1));
        }
        if checkpoint.hash != self.hash {
            return Err(ChainFault::at(Damage::ChainRewritten, sequence));
        }
        if checkpoint.kind != CheckpointKind::Batch || sequence - checkpoint.count != self.covered {
            return Err(ChainFault::at(Damage::CheckpointMissing, sequence));
        }
        self.covered = sequence;
        self.checkpoints += 1;
        Ok(())
    }

    /// The end: the known place must lie behind.
    pub fn end(&self) -> Result<(), ChainFault> {
        match self.known {
            Some(known) if known.sequence > self.last => {
                Err(ChainFault::at(Damage::TailCut, self.last + 1))
            }
            _ => Ok(()),
        }
    }

    /// Compares with the known place when it comes by.
    pub fn pass_known(&self) -> Result<(), ChainFault> {
        match self.known {
            Some(known) if known.sequence == self.last && known.hash != self.hash => {
                Err(ChainFault::at(Damage::ChainRewritten, self.last))
            }
            _ => Ok(()),
        }
    }
}
