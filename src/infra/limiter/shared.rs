//! The same limits, counted in Redis for all nodes: the same rule (GCRA) in one script, by Redis's own clock. A key there
//! is a keyed hash and gone as soon as its whole limit is free again.

use super::{Class, Decision, interval};
use crate::{
    domain::rate::Rate,
    infra::{redis::Redis, vault::DataKey},
};
use redis::Script;
use std::{fmt::Write as _, sync::Arc, time::Duration};

/// `KEYS[1]` holds the time (microseconds) at which the whole limit is free again. Gives whether one more is allowed, how
/// long to wait for it, and for how long the limit is not wholly free.
const RULE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local free = tonumber(redis.call('GET', KEYS[1]) or now)
free = math.max(now, math.min(free, now + window))
local after = free + interval
if after - now > window then
  return {0, after - now - window, free - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, 0, after - now}
";

/// Counts for all nodes.
pub(super) struct Shared {
    redis: Arc<Redis>,
    rule: Script,
    prefix: String,
    hashing: DataKey,
}

impl Shared {
    /// Under keys that begin with `prefix`.
    pub(super) fn new(redis: Arc<Redis>, prefix: String, hashing: DataKey) -> Self {
        let rule = Script::new(RULE);
        Self {
            redis,
            rule,
            prefix,
            hashing,
        }
    }

    /// Counts one request; none while Redis is away.
    pub(super) async fn check(&self, class: Class, rate: Rate, key: &str) -> Option<Decision> {
        let interval = interval(rate);
        let window = interval.saturating_mul(rate.count);
        let arguments = [micros(interval).max(1), micros(window).max(1)];
        let key = self.key(class, key);
        let (allowed, wait, used): (i64, u64, u64) =
            self.redis.run(&self.rule, &key, &arguments).await?;
        let used = Duration::from_micros(used);
        let taken = used.as_micros().div_ceil(interval.as_micros().max(1));
        let taken = u32::try_from(taken).unwrap_or(u32::MAX);
        let allowed = allowed == 1;
        Some(Decision {
            allowed,
            limit: rate.count,
            window: rate.per,
            remaining: if allowed {
                rate.count.saturating_sub(taken)
            } else {
                0
            },
            reset: used,
            retry_after: (!allowed).then(|| Duration::from_micros(wait)),
        })
    }

    fn key(&self, class: Class, key: &str) -> String {
        let hash = self.hashing.blind_index(class.as_str(), key).0;
        let mut name = format!("{}:limit:{}:", self.prefix, class.as_str());
        for byte in hash.iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
