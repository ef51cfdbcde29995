//! Rate limits of this process and, where there is Redis, of all nodes (keyed GCRA: a burst of the whole rate, then an even trickle). Keys are kept only as
//! hashes, and at most so many of them: once a class is full of keys in use, new ones share a fixed set of buckets.

mod shared;
#[cfg(test)]
mod tests;

use crate::{
    domain::rate::Rate,
    infra::{clock::Clock, redis::Redis, vault::DataKey},
};
use governor::{
    Quota, RateLimiter, clock, middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use shared::Shared;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// Keys of one class that are told apart, about 50 bytes each.
const MAX_KEYS: usize = 100_000;
/// Buckets (a power of two) that further keys share.
const SHARED_BUCKETS: u64 = 1024;
/// While a class is full, idle keys are looked for at most this often.
const PRUNE_EVERY: Duration = Duration::from_secs(1);

/// What is limited; each class has its own rate and its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Guesses at a password, by client address.
    Login,
    /// Sign-ups, by client address.
    Register,
    /// Requests that send mail, by client address.
    Mail,
    /// Token refreshes, by client address.
    Refresh,
    /// Everything else, by client address.
    Api,
    /// Mails of one kind to one recipient.
    Recipient,
    /// Mails that strangers can cause, all together.
    MailTotal,
    /// Guesses at the password of one account.
    Account,
}

impl Class {
    /// The name in headers, metrics and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Mail => "mail",
            Self::Refresh => "refresh",
            Self::Api => "api",
            Self::Recipient => "recipient",
            Self::MailTotal => "mail_total",
            Self::Account => "account",
        }
    }
}

/// Whether a request may go on, and what the client is told about its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    pub limit: u32,
    pub window: Duration,
    /// How many more would be allowed at this moment.
    pub remaining: u32,
    /// Until the whole limit is free again, if nothing more is asked.
    pub reset: Duration,
    /// Until the next one is allowed; only of a refusal.
    pub retry_after: Option<Duration>,
}

impl Decision {
    /// Of a class without a rate.
    pub fn unlimited() -> Self {
        Self {
            allowed: true,
            limit: u32::MAX,
            window: Duration::ZERO,
            remaining: u32::MAX,
            reset: Duration::ZERO,
            retry_after: None,
        }
    }

    /// Whether there is no limit that a client could be told of.
    pub fn is_unlimited(&self) -> bool {
        self.window.is_zero()
    }
}

/// Counts requests against rates; clones share their counts.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    lanes: HashMap<Class, Lane>,
    shared: OnceLock<Shared>,
}

impl Limiter {
    /// Limits the classes that have a rate, each by its own.
    pub fn new(rates: HashMap<Class, Option<Rate>>, clock: Clock) -> Self {
        Self::keeping(MAX_KEYS, rates, clock)
    }

    fn keeping(max_keys: usize, rates: HashMap<Class, Option<Rate>>, clock: Clock) -> Self {
        let progress = Progress::new(clock);
        let lane = |(class, rate): (Class, Option<Rate>)| {
            Some((class, Lane::new(rate?, max_keys, progress.clone())?))
        };
        Self(Arc::new(Inner {
            lanes: rates.into_iter().filter_map(lane).collect(),
            shared: OnceLock::new(),
        }))
    }

    /// From now on counts in Redis, too, under keys that begin with `prefix` and hashed by `hashing`.
    pub fn share(&self, redis: Arc<Redis>, prefix: String, hashing: DataKey) {
        let _ = self.0.shared.set(Shared::new(redis, prefix, hashing));
    }

    /// Counts one request of this key, unless it is refused. What Redis allows is counted here as well, so that limits
    /// hold when it comes back empty or goes away.
    pub async fn check(&self, class: Class, key: &str) -> Decision {
        let Some(lane) = self.0.lanes.get(&class) else {
            return Decision::unlimited();
        };
        let together = match self.0.shared.get() {
            Some(shared) => shared.check(class, lane.rate, key).await,
            None => None,
        };
        let place = if together.is_some() { "redis" } else { "node" };
        metrics::counter!("usher_limits_counted_total", "place" => place).increment(1);
        match together {
            Some(refused) if !refused.allowed => refused,
            together => {
                let alone = lane.check(key);
                together.filter(|_| alone.allowed).unwrap_or(alone)
            }
        }
    }

    #[cfg(test)]
    fn check_alone(&self, class: Class, key: &str) -> Decision {
        let lane = self.0.lanes.get(&class);
        lane.map_or_else(Decision::unlimited, |lane| lane.check(key))
    }

    /// Forgets keys whose whole limit is free again; to be called every now and then.
    pub fn prune(&self) {
        self.0.lanes.values().for_each(Lane::prune);
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limiter")
    }
}

/// One class.
struct Lane {
    rate: Rate,
    limiter: RateLimiter<u64, DashMapStateStore<u64>, Progress, StateInformationMiddleware>,
    /// Keyed by chance at each start, so that nobody can look for keys that collide.
    hashing: RandomState,
    progress: Progress,
    max_keys: usize,
    pruned_at: Mutex<Duration>,
}

impl Lane {
    fn new(rate: Rate, max_keys: usize, progress: Progress) -> Option<Self> {
        let rate = at_least_something(rate);
        let limiter = RateLimiter::dashmap_with_clock(quota(rate)?, progress.clone());
        Some(Self {
            rate,
            limiter: limiter.with_middleware(),
            hashing: RandomState::new(),
            pruned_at: Mutex::new(Duration::ZERO),
            progress,
            max_keys,
        })
    }

    fn check(&self, key: &str) -> Decision {
        let mut key = self.hashing.hash_one(key);
        if self.is_full() {
            key %= SHARED_BUCKETS;
        }
        let interval = interval(self.rate);
        let (remaining, retry_after) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refusal) => {
                let now = clock::Clock::now(&self.progress);
                (0, Some(refusal.wait_time_from(now)))
            }
        };
        let used = self.rate.count.saturating_sub(remaining);
        let reset = match retry_after {
            None => interval.saturating_mul(used),
            // The one that becomes free then is counted already.
            Some(wait) => wait.saturating_add(interval.saturating_mul(used.saturating_sub(1))),
        };
        Decision {
            allowed: retry_after.is_none(),
            limit: self.rate.count,
            window: self.rate.per,
            remaining,
            reset,
            retry_after,
        }
    }

    /// Whether there is no room for another key even without the idle ones.
    fn is_full(&self) -> bool {
        if self.limiter.len() < self.max_keys {
            return false;
        }
        let now = clock::Clock::now(&self.progress);
        let mut pruned_at = self
            .pruned_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(*pruned_at) >= PRUNE_EVERY {
            *pruned_at = now;
            self.limiter.retain_recent();
        }
        self.limiter.len() >= self.max_keys
    }

    fn prune(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Time that has passed by our clock, steps back left out: a clock set back by an hour must not lock anybody out for
/// that hour.
#[derive(Debug, Clone)]
struct Progress {
    clock: Clock,
    /// Microseconds since 1970 at the last reading, and the progress up to then.
    last: Arc<Mutex<(i64, Duration)>>,
}

impl Progress {
    fn new(clock: Clock) -> Self {
        let start = clock.now().timestamp_micros();
        Self {
            clock,
            last: Arc::new(Mutex::new((start, Duration::ZERO))),
        }
    }
}

impl clock::Clock for Progress {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, or a slower thread's reading would look like a step back and count twice.
        let now = self.clock.now().timestamp_micros();
        let (before, progress) = *last;
        let passed = u64::try_from(now.saturating_sub(before)).unwrap_or(0);
        *last = (now, progress.saturating_add(Duration::from_micros(passed)));
        last.1
    }
}

/// A rate of nothing, or in no time, counts as the least that can be limited.
fn at_least_something(rate: Rate) -> Rate {
    let count = rate.count.max(1);
    let per = rate.per.max(Duration::from_micros(count.into()));
    Rate { count, per }
}

fn quota(rate: Rate) -> Option<Quota> {
    let burst = NonZeroU32::new(rate.count)?;
    Quota::with_period(interval(rate)).map(|quota| quota.allow_burst(burst))
}

/// The time in which one more becomes free.
fn interval(rate: Rate) -> Duration {
    rate.per / rate.count.max(1)
}
