//! Password hashing: Argon2id (RFC 9106) on threads of its own, so that a flood of logins slows only logins. Callers must
//! hold no database connection while they wait. Imported hashes are verified and reported as outdated.

mod queue;
mod stored;
#[cfg(test)]
mod tests;

use crate::{
    domain::{
        error::{Error, Fault, Result},
        password::{Password, PasswordHash},
    },
    infra::entropy::Entropy,
};
use argon2::{Algorithm, Argon2, Params, Version};
use queue::{Memory, Queue};
use std::sync::Arc;
use stored::{Stored, Unusable};

/// Bytes of salt in our own hashes.
const SALT_LENGTH: usize = 16;
/// Bytes of output in our own hashes.
const HASH_LENGTH: usize = 32;

/// How new passwords are hashed, by one lane (`p=1`), and by how many threads.
#[derive(Debug, Clone, Copy)]
pub struct HasherSettings {
    pub threads: usize,
    /// Jobs that may wait; past it callers are told to come back.
    pub queue: usize,
    /// At least 8.
    pub memory_kib: u32,
    pub iterations: u32,
}

/// What a password is to a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not its password, or the hash cannot be used.
    Wrong,
    /// Its password.
    Right,
    /// Its password; it should be hashed anew, as the hash is weaker than the settings or of another algorithm.
    RightButOutdated,
}

/// Hashes and verifies passwords; clones share the threads.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    queue: Queue,
    params: Params,
    /// Stands in for the hash of a person who is not there.
    nobody: Stored,
    entropy: Entropy,
}

impl Hasher {
    /// Starts the threads; they end when the last clone is dropped. Settings below Argon2's least are raised to it.
    pub fn start(settings: HasherSettings, entropy: Entropy) -> Self {
        let memory = settings.memory_kib.max(Params::MIN_M_COST);
        let iterations = settings.iterations.max(Params::MIN_T_COST);
        let params = Params::new(memory, iterations, 1, Some(HASH_LENGTH)).unwrap_or_default();
        Self(Arc::new(Inner {
            queue: Queue::start(settings.threads, settings.queue, params.block_count()),
            nobody: Stored::Argon2 {
                argon2: argon2id(&params),
                algorithm: Algorithm::Argon2id,
                version: Version::V0x13,
                salt: entropy.bytes::<SALT_LENGTH>().to_vec(),
                hash: entropy.bytes::<HASH_LENGTH>().to_vec(),
            },
            params,
            entropy,
        }))
    }

    /// `busy` if the queue is full, for whoever has to ask the database first.
    pub fn must_have_room(&self) -> Result<()> {
        self.0.queue.must_have_room()
    }

    /// A new hash as PHC string; `busy` if the queue is full.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let params = self.0.params.clone();
        let salt: [u8; SALT_LENGTH] = self.0.entropy.bytes();
        let work = move |memory: &mut Memory| {
            let mut hash = [0; HASH_LENGTH];
            memory
                .argon2(&argon2id(&params), password.expose(), &salt, &mut hash)
                .map(|()| PasswordHash::new(stored::encode(&params, &salt, &hash)))
        };
        self.0.queue.run(work).await?.map_err(Error::internal)
    }

    /// Whether it is the password of the hash; `busy` if the queue is full.
    pub async fn verify(&self, password: Password, hash: PasswordHash) -> Result<Verdict> {
        let inner = Arc::clone(&self.0);
        let work = move |memory: &mut Memory| match Stored::parse(hash.as_str()) {
            Ok(stored) if !stored.matches(password.expose(), memory) => Verdict::Wrong,
            Ok(stored) if stored.is_outdated(&inner.params) => Verdict::RightButOutdated,
            Ok(_) => Verdict::Right,
            Err(reason) => {
                tracing::warn!(?reason, "a stored password hash cannot be used");
                // The time of the answer must not tell such an account from others.
                inner.nobody.matches(password.expose(), memory);
                Verdict::Wrong
            }
        };
        self.0.queue.run(work).await
    }

    /// The work of [`Hasher::verify`] for a person who is not there, so that the time of the answer does not tell.
    pub async fn verify_nobody(&self, password: Password) -> Result<()> {
        let inner = Arc::clone(&self.0);
        let work = move |memory: &mut Memory| inner.nobody.matches(password.expose(), memory);
        // Nobody's password is never right, whatever the comparison says.
        self.0.queue.run(work).await.map(|_| ())
    }
}

/// Whether a hash that another system made can be verified here, at a cost that we bear.
pub fn must_be_usable(hash: &PasswordHash) -> Result<(), Fault> {
    Stored::parse(hash.as_str())
        .map(|_| ())
        .map_err(|why| match why {
            Unusable::Malformed => {
                Fault::new("format", "This hash is of no form that is known here.")
            }
            Unusable::OverCap => Fault::new(
                "too_long",
                "This hash asks for more memory or time than is given.",
            ),
        })
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

fn argon2id(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}
