//! Requests that may come again (`Idempotency-Key`): the first of equals runs, the others get its answer. A row is
//! written before the work, marked by what the work commits, and the answer written after it. If the process dies in
//! between, the same request runs again once the lease is over, unless it took effect: then its outcome is unknown. An
//! answer is sealed under its request: only who repeats all of that can read it.

use super::{Services, after, personal_data::field};
use crate::{
    domain::{
        Error, Result,
        error::Clash,
        id::{RunId, UserId},
        secret::{BlindIndex, Secret},
    },
    infra::vault,
    storage::{
        Store,
        idempotency::{self, NewAttempt, Run, StoredAttempt},
        users,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// An answer is given again for so long.
const KEEP: Duration = Duration::from_hours(24);
/// A run that has not answered by then is taken for dead; longer than any run may take ([`RUN_LIMIT`]).
const LEASE: Duration = Duration::from_mins(1);
/// The longest that a run may take.
pub const RUN_LIMIT: Duration = Duration::from_secs(50);
/// How often a row that vanished between two looks is looked for.
const LOOKS: usize = 3;
/// How many rows one transaction deletes.
const BATCH: i64 = 1_000;

/// A request that may come again.
pub struct Repeatable<'a> {
    /// The client's name for it.
    pub key: &'a str,
    /// The access token that came along.
    pub bearer: Option<&'a str>,
    /// By what clients without a token are told apart.
    pub origin: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The body's media type, as it was sent.
    pub kind: &'a str,
    pub body: &'a [u8],
}

/// What is to be done with a request.
pub enum Turn {
    /// Run it.
    First(Attempt),
    /// It has been answered: with this.
    Again(Vec<u8>),
}

/// A run, which ends with [`Services::keep_answer`] or [`Services::give_up_attempt`].
#[derive(Clone)]
pub struct Attempt {
    run: Run,
    secret: Secret,
}

/// Under what a request is found again.
struct Names {
    owner: Option<UserId>,
    request: BlindIndex,
    place: BlindIndex,
    secret: Secret,
}

impl Services {
    /// Whether a request is to be run; another under its key, or the same while it runs, is refused.
    pub async fn begin_attempt(&self, request: &Repeatable<'_>) -> Result<Turn> {
        let names = self.names_of(request).await?;
        for _ in 0..LOOKS {
            let run = self.new_id();
            if self.note_attempt(&names, run).await? {
                return Ok(first(names, run));
            }
            let db = self.store.reader();
            let found = idempotency::find_attempt(db, names.request, names.place).await?;
            let Some(found) = found else { continue };
            if after(found.created_at, KEEP) <= self.now() {
                self.forget(found.run).await?;
                continue;
            }
            return self.settle(names, found, run).await;
        }
        Err(Clash::InFlight.into())
    }

    /// What becomes of a request that came before.
    async fn settle(&self, names: Names, found: StoredAttempt, run: RunId) -> Result<Turn> {
        let count = |outcome| {
            metrics::counter!("usher_idempotency_total", "outcome" => outcome).increment(1);
        };
        if !found.is_same {
            count("conflict");
            return Err(Error::KeyReused);
        }
        if let Some(answer) = &found.answer {
            count("replayed");
            let answer = vault::open_under(&names.secret, field::ANSWER, answer)?;
            return Ok(Turn::Again(answer.to_vec()));
        }
        let now = self.now();
        if found.leased_until <= now && found.took_effect {
            count("lost");
            return Err(Clash::OutcomeUnknown.into());
        }
        if found.leased_until <= now {
            let tx = self.store.begin().await?;
            let lease = (run, after(now, LEASE));
            let is_ours = idempotency::take_over(&tx, found.run, lease).await?;
            Store::commit(tx).await?;
            if is_ours {
                count("taken_over");
                return Ok(first(names, run));
            }
        }
        count("in_flight");
        Err(Clash::InFlight.into())
    }

    async fn note_attempt(&self, names: &Names, run: RunId) -> Result<bool> {
        let now = self.now();
        let attempt = NewAttempt {
            id: self.new_id(),
            owner: names.owner,
            request: names.request,
            place: names.place,
            run,
            leased_until: after(now, LEASE),
            created_at: now,
        };
        let tx = self.store.begin().await?;
        let is_new = idempotency::insert_attempt(&tx, attempt).await?;
        Store::commit(tx).await?;
        Ok(is_new)
    }

    /// A token is known by its signature alone: whether its session lives is for the operation to ask, and what a token
    /// was told once it may be told again. Without one, the same request is the same from wherever it comes, while
    /// another under its key counts only from the same origin, so that strangers cannot take each other's keys.
    async fn names_of(&self, request: &Repeatable<'_>) -> Result<Names> {
        let claims = match request.bearer {
            Some(token) => self.claims_of(token).await?.ok(),
            None => None,
        };
        let owner = match claims {
            Some(claims) => users::find_user(self.store.reader(), claims.sub).await?,
            None => None,
        };
        let owner = owner.map(|user| user.id);
        let (who, place) = match owner {
            Some(id) => (format!("user {id}"), format!("user {id}")),
            None => ("anyone".to_owned(), format!("from {}", request.origin)),
        };
        let Repeatable {
            key,
            target,
            kind,
            body,
            ..
        } = request;
        let body = URL_SAFE_NO_PAD.encode(Sha256::digest(body));
        // None of them holds a line break.
        let whole = [&who, *target, *key, *kind, &body].join("\n");
        let index = |name, value: &str| self.service_key().blind_index(name, value);
        Ok(Names {
            owner,
            request: index("idempotency.request", &whole),
            place: index("idempotency.place", &[&place, *target, *key].join("\n")),
            secret: Secret::from_random(index("idempotency.answer", &whole).0),
        })
    }

    /// Does the work of a run. What it commits takes effect only while the request is this run's.
    pub async fn run_attempt<T>(&self, attempt: &Attempt, work: impl Future<Output = T>) -> T {
        idempotency::on_behalf_of(attempt.run, work).await
    }

    /// Ends a run with the answer that is to be given again.
    pub async fn keep_answer(&self, attempt: &Attempt, answer: &[u8]) -> Result<()> {
        let sealed = vault::seal_under(&attempt.secret, field::ANSWER, answer, &self.entropy)?;
        let tx = self.store.begin().await?;
        idempotency::update_answer(&tx, attempt.run.id, sealed).await?;
        Store::commit(tx).await
    }

    /// Ends a run that is not to be answered for: the next equal request runs, unless this one took effect.
    pub async fn give_up_attempt(&self, attempt: &Attempt) -> Result<()> {
        let tx = self.store.begin().await?;
        idempotency::end_run(&tx, attempt.run.id, self.now()).await?;
        Store::commit(tx).await
    }

    async fn forget(&self, run: RunId) -> Result<()> {
        let tx = self.store.begin().await?;
        idempotency::delete_attempt(&tx, run).await?;
        Store::commit(tx).await
    }

    /// Deletes a batch of requests whose answer is not given again; how many went, and whether there may be more.
    pub(super) async fn sweep_attempts(&self) -> Result<(u64, bool)> {
        let before = self.now() - chrono::TimeDelta::from_std(KEEP).unwrap_or_default();
        let tx = self.store.begin().await?;
        let gone = idempotency::delete_old_attempts(&tx, before, BATCH).await?;
        Store::commit(tx).await?;
        Ok((gone, gone >= BATCH.unsigned_abs()))
    }
}

fn first(names: Names, id: RunId) -> Turn {
    let Names { owner, secret, .. } = names;
    let run = Run { id, owner };
    Turn::First(Attempt { run, secret })
}
