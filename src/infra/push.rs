//! Whether other nodes are heard. A channel counts as up only while something has come through it within [`SILENCE`]; how
//! long a record in memory may be believed follows from which channels are up.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Each node gives a sign of life this often.
pub const BEAT: Duration = Duration::from_millis(250);
/// After so long without a sound nothing that was not heard can be ruled out.
pub const SILENCE: Duration = Duration::from_millis(750);
/// Belief while every commit is surely heard of.
pub const LONG: Duration = Duration::from_mins(1);
/// Belief while a commit may go unheard: a writer may be cut off from Redis, and a command on SQLite tells nobody.
pub const BRIEF: Duration = Duration::from_secs(1);

/// The ways on which nodes hear of one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `LISTEN`/`NOTIFY`: what is heard and what is committed are one.
    Postgres,
    /// Pub/sub: told before and after a commit, by those who reach it.
    Redis,
}

impl Way {
    /// The name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Redis => "redis",
        }
    }
}

/// One way and when something was last heard on it.
pub struct Channel {
    way: Way,
    begun: Instant,
    /// Microseconds since `begun`, plus one; zero is never, or not since it broke.
    heard_at: AtomicU64,
    /// What the log was told last.
    told: Mutex<Option<bool>>,
}

impl Channel {
    /// One on which nothing was heard yet.
    pub fn new(way: Way) -> Self {
        Self {
            way,
            begun: Instant::now(),
            heard_at: AtomicU64::new(0),
            told: Mutex::new(None),
        }
    }

    /// Something came through. `forget` is called before the channel counts as up again.
    pub fn hear(&self, forget: impl FnOnce()) {
        if !self.is_up() {
            forget();
        }
        let passed = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.heard_at
            .store(passed.saturating_add(1), Ordering::SeqCst);
        self.tell();
    }

    /// The connection is gone, and with it perhaps what was on its way.
    pub fn lose(&self) {
        self.heard_at.store(0, Ordering::SeqCst);
        self.tell();
    }

    /// Whether something was heard just now.
    pub fn is_up(&self) -> bool {
        self.silence().is_some_and(|silence| silence < SILENCE)
    }

    /// Since when nothing was heard; none before the first sound.
    pub fn silence(&self) -> Option<Duration> {
        let heard_at = self.heard_at.load(Ordering::SeqCst).checked_sub(1)?;
        let heard_at = Duration::from_micros(heard_at);
        Some(self.begun.elapsed().saturating_sub(heard_at))
    }

    /// Tells the log when it went up or down, and the metrics how it is. That nothing is heard in its first moments is no news.
    pub fn tell(&self) {
        let (is_up, name) = (self.is_up(), self.way.as_str());
        metrics::gauge!("usher_push_up", "channel" => name).set(f64::from(u8::from(is_up)));
        if let Some(silence) = self.silence() {
            metrics::gauge!("usher_push_silence_seconds", "channel" => name).set(silence);
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.is_none() && !is_up && self.begun.elapsed() < SILENCE;
        if *told != Some(is_up) && !is_new {
            *told = Some(is_up);
            if is_up {
                tracing::info!(channel = name, "other nodes are heard");
            } else {
                tracing::warn!(
                    channel = name,
                    "other nodes are not heard: sessions are asked of the database until they are"
                );
            }
        }
    }
}

/// How long a record may be believed, by the ways that this node has and those that are up.
pub fn trust(postgres: Option<&Channel>, redis: Option<&Channel>) -> Duration {
    match (postgres, redis) {
        (Some(postgres), _) if postgres.is_up() => LONG,
        (_, Some(redis)) if redis.is_up() => BRIEF,
        (None, _) => BRIEF,
        (Some(_), _) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(way: Way) -> Channel {
        let channel = Channel::new(way);
        channel.hear(|| {});
        channel
    }

    #[test]
    fn belief_is_long_by_postgresql_brief_by_redis_and_none_while_nothing_is_heard() {
        let (silent, mute) = (Channel::new(Way::Postgres), Channel::new(Way::Redis));
        let (postgres, redis) = (up(Way::Postgres), up(Way::Redis));
        assert_eq!(trust(Some(&postgres), None), LONG);
        assert_eq!(trust(Some(&postgres), Some(&mute)), LONG);
        assert_eq!(trust(Some(&silent), Some(&redis)), BRIEF);
        assert_eq!(trust(Some(&silent), Some(&mute)), Duration::ZERO);
        assert_eq!(trust(Some(&silent), None), Duration::ZERO);
        assert_eq!(trust(None, None), BRIEF, "SQLite");
        postgres.lose();
        assert_eq!(trust(Some(&postgres), None), Duration::ZERO);
    }

    #[test]
    fn everything_is_forgotten_before_a_channel_is_up_again() {
        let channel = Channel::new(Way::Postgres);
        let mut forgotten = 0;
        channel.hear(|| {
            assert!(!channel.is_up());
            forgotten += 1;
        });
        channel.hear(|| forgotten += 1);
        assert_eq!(forgotten, 1);
        channel.lose();
        channel.hear(|| forgotten += 1);
        assert_eq!(forgotten, 2);
    }

    #[test]
    fn a_start_is_not_reported_as_silence_until_it_lasts() {
        let mut channel = Channel::new(Way::Postgres);
        let told = |channel: &Channel| *channel.told.lock().unwrap();
        channel.tell();
        assert_eq!(told(&channel), None);
        channel.begun -= SILENCE;
        channel.tell();
        assert_eq!(told(&channel), Some(false));
        channel.hear(|| {});
        assert_eq!(told(&channel), Some(true));
        channel.lose();
        assert_eq!(told(&channel), Some(false));
    }
}
