//! The chain over the audit trail: `hash = SHA-256(previous hash || canonical form of the entry)`, and the checkpoints
//! that are signed over it. The canonical forms are part of the stored format: a change needs a new label.

mod walk;

pub use walk::{ChainFault, ChainWalk, Damage, KnownPlace};

use super::{Timestamp, audit::StoredEntry, id::UserId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What the canonical form of an entry begins with.
const ENTRY: &[u8] = b"usher/1/audit-entry";
/// What the signed text of a checkpoint begins with.
const CHECKPOINT: &str = "usher/1/audit-checkpoint";

/// The hash of an entry and, through it, of all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What goes before the first entry.
    pub const START: Self = Self([0; 32]);

    /// Reads what [`std::fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl std::fmt::Display for ChainHash {
    /// 43 characters of base64url.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// An entry with its place in the chain, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEntry {
    /// From 1, without a gap, in the order of sealing.
    pub sequence: i64,
    pub hash: Vec<u8>,
    pub entry: StoredEntry,
}

/// What a checkpoint is to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointKind {
    /// It closes a batch of entries.
    Batch,
    /// What it closed has been deleted after its time: the chain begins after it.
    Beginning,
}

impl CheckpointKind {
    /// The name in the database and in the signed text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Beginning => "beginning",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Batch, Self::Beginning]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A signed word on how far the chain went, and to which hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub kind: CheckpointKind,
    /// The last entry that it covers.
    pub sequence: i64,
    pub hash: ChainHash,
    /// How many entries it covers, back to the checkpoint before it.
    pub count: i64,
    pub at: Timestamp,
    pub key_id: String,
    /// Ed25519 (RFC 8032) over [`Checkpoint::message`].
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// The text that is signed: one line a field.
    pub fn message(&self) -> String {
        format!(
            "{CHECKPOINT}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.kind.as_str(),
            self.sequence,
            self.hash,
            self.count,
            self.signed_at(),
            self.key_id,
        )
    }

    /// Its time as it is signed.
    pub fn signed_at(&self) -> String {
        self.at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }

    /// The signature in base64url.
    pub fn signature_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.signature)
    }
}

impl StoredEntry {
    /// The hash of this entry at this place of the chain.
    pub fn chained(&self, sequence: i64, previous: ChainHash) -> ChainHash {
        let mut form = Canonical(Sha256::new());
        form.0.update(previous.0);
        form.0.update(ENTRY);
        let seconds = self.at.timestamp().to_be_bytes();
        let nanos = self.at.timestamp_subsec_nanos().to_be_bytes();
        form.field(Some(&sequence.to_be_bytes()));
        form.field(Some(self.id.0.as_bytes()));
        form.field(Some(&[seconds.as_slice(), &nanos].concat()));
        form.field(Some(self.action.as_bytes()));
        form.field(Some(self.outcome.as_bytes()));
        form.field(Some(self.actor_type.as_bytes()));
        form.person(self.actor_id);
        form.person(self.subject_id);
        form.person(self.key_owner);
        form.field(self.ip.as_ref().map(|sealed| sealed.0.as_slice()));
        form.field(self.ip_index.as_deref());
        form.field(self.user_agent.as_ref().map(|sealed| sealed.0.as_slice()));
        form.field(Some(self.request_id.as_bytes()));
        form.field(Some(self.details.as_bytes()));
        ChainHash(form.0.finalize().into())
    }
}

/// Fields one after the other: 0 for null, else 1, the length in eight bytes, the bytes. No two lists of fields read
/// the same.
struct Canonical(Sha256);

impl Canonical {
    fn field(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.update([0]),
            Some(bytes) => {
                self.0.update([1]);
                self.0.update((bytes.len() as u64).to_be_bytes());
                self.0.update(bytes);
            }
        }
    }

    fn person(&mut self, id: Option<UserId>) {
        self.field(id.as_ref().map(|id| id.0.as_bytes().as_slice()));
    }
}

#[cfg(test)]
mod tests;
