//! Records about people, kept in memory until somebody says that they may be untrue. What is kept bears the stamp of the
//! moment at which its reading began, and an invalidation makes every older stamp worthless: so a read that began before it
//! and ends after it leaves nothing behind.

use crate::domain::id::UserId;
use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// People share so many stamps (a power of two): a clash costs a read.
const STRIPES: usize = 16_384;

/// Records of one kind, each about one person.
pub struct Cache<K, V> {
    entries: moka::sync::Cache<K, Arc<Entry<V>>>,
    begun: Instant,
    hashing: RandomState,
    everybody: Stripe,
    stripes: Box<[Stripe]>,
}

#[derive(Default)]
struct Stripe {
    /// Counts invalidations.
    epoch: AtomicU64,
    /// Until then (microseconds since the cache was made) nothing is kept or found.
    barred_until: AtomicU64,
}

/// The moment at which the reading of a record began.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    owner: UserId,
    everybody: u64,
    own: u64,
    at: Instant,
}

struct Entry<V> {
    stamp: Stamp,
    value: Arc<V>,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    /// Keeps at most so many records, none for longer than `longest`.
    pub fn new(most: u64, longest: Duration) -> Self {
        Self {
            entries: moka::sync::Cache::builder()
                .max_capacity(most)
                .time_to_live(longest)
                .build(),
            begun: Instant::now(),
            hashing: RandomState::new(),
            everybody: Stripe::default(),
            stripes: (0..STRIPES).map(|_| Stripe::default()).collect(),
        }
    }

    /// A record of this person that was read less than `trust` ago and that nothing was said against since.
    pub fn find(&self, key: &K, owner: UserId, trust: Duration) -> Option<Arc<V>> {
        if trust.is_zero() {
            return None;
        }
        let entry = self.entries.get(key)?;
        let holds = entry.stamp.owner == owner && self.holds(&entry.stamp);
        (holds && entry.stamp.at.elapsed() < trust).then(|| Arc::clone(&entry.value))
    }

    /// To be taken before a record is read.
    pub fn begin(&self, owner: UserId) -> Stamp {
        Stamp {
            owner,
            everybody: self.everybody.epoch.load(Ordering::SeqCst),
            own: self.stripe(owner).epoch.load(Ordering::SeqCst),
            at: Instant::now(),
        }
    }

    /// Keeps a record, unless something was said against it since its reading began.
    pub fn keep(&self, key: K, stamp: Stamp, value: &Arc<V>) {
        if self.holds(&stamp) {
            let value = Arc::clone(value);
            self.entries.insert(key, Arc::new(Entry { stamp, value }));
        }
    }

    /// What was read of this person up to now is untrue.
    pub fn forget(&self, owner: UserId) {
        self.stripe(owner).epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// What was read of anybody up to now is untrue.
    pub fn forget_all(&self) {
        self.everybody.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// What is read of this person for so long may become untrue at any moment.
    pub fn bar(&self, owner: UserId, time: Duration) {
        self.bar_stripe(self.stripe(owner), time);
    }

    /// The same of everybody.
    pub fn bar_all(&self, time: Duration) {
        self.bar_stripe(&self.everybody, time);
    }

    /// Every record that would be found now.
    pub fn list(&self) -> Vec<(Arc<K>, Stamp, Arc<V>)> {
        let all = self.entries.iter();
        all.filter(|(_, entry)| self.holds(&entry.stamp))
            .map(|(key, entry)| (key, entry.stamp, Arc::clone(&entry.value)))
            .collect()
    }

    /// Whether nothing was said since then.
    pub fn holds(&self, stamp: &Stamp) -> bool {
        let own = self.stripe(stamp.owner);
        let now = self.micros(Duration::ZERO);
        [(&self.everybody, stamp.everybody), (own, stamp.own)]
            .into_iter()
            .all(|(stripe, epoch)| {
                stripe.barred_until.load(Ordering::SeqCst) <= now
                    && stripe.epoch.load(Ordering::SeqCst) == epoch
            })
    }

    fn bar_stripe(&self, stripe: &Stripe, time: Duration) {
        let until = self.micros(time);
        stripe.barred_until.fetch_max(until, Ordering::SeqCst);
        stripe.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn micros(&self, from_now: Duration) -> u64 {
        let time = self.begun.elapsed().saturating_add(from_now);
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    fn stripe(&self, owner: UserId) -> &Stripe {
        let hash = usize::try_from(self.hashing.hash_one(owner) & 0xffff_ffff).unwrap_or(0);
        let place = hash.checked_rem(self.stripes.len()).unwrap_or(0);
        self.stripes.get(place).unwrap_or(&self.everybody)
    }
}

impl Stamp {
    /// When it was.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Whose record is read.
    pub fn owner(&self) -> UserId {
        self.owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LONG: Duration = Duration::from_hours(1);

    fn person(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn with_one(owner: UserId) -> Cache<&'static str, u32> {
        let cache = Cache::new(100, LONG);
        cache.keep("a", cache.begin(owner), &Arc::new(1));
        cache
    }

    fn found(cache: &Cache<&'static str, u32>, owner: UserId) -> Option<u32> {
        cache.find(&"a", owner, LONG).map(|value| *value)
    }

    #[test]
    fn a_record_is_found_until_its_person_changes() {
        let (ann, ben) = (person(1), person(2));
        let cache = with_one(ann);
        assert_eq!(found(&cache, ann), Some(1));
        assert_eq!(found(&cache, ben), None, "another's name");
        cache.forget(ann);
        assert_eq!(found(&cache, ann), None);
        let cache = with_one(ann);
        cache.forget_all();
        assert_eq!(found(&cache, ann), None);
        assert!(cache.list().is_empty());
    }

    #[test]
    fn a_read_that_began_before_a_change_leaves_nothing_behind() {
        let ann = person(1);
        let cache = Cache::new(100, LONG);
        for change in [Cache::forget_all as fn(&Cache<_, u32>), |cache| {
            cache.forget(person(1));
        }] {
            let stamp = cache.begin(ann);
            change(&cache);
            cache.keep("a", stamp, &Arc::new(1));
            assert_eq!(found(&cache, ann), None);
        }
        let stamp = cache.begin(ann);
        cache.keep("a", stamp, &Arc::new(2));
        assert_eq!(found(&cache, ann), Some(2));
    }

    #[test]
    fn nothing_is_kept_or_found_while_a_change_is_on_its_way() {
        let ann = person(1);
        let cache = with_one(ann);
        cache.bar(ann, LONG);
        assert_eq!(found(&cache, ann), None);
        cache.keep("a", cache.begin(ann), &Arc::new(2));
        assert_eq!(found(&cache, ann), None);
        let cache = with_one(ann);
        cache.bar_all(Duration::ZERO);
        assert_eq!(found(&cache, ann), None, "the bar was there");
        cache.keep("a", cache.begin(ann), &Arc::new(2));
        assert_eq!(found(&cache, ann), Some(2), "and is gone");
    }

    #[test]
    fn a_record_older_than_the_trust_is_not_found() {
        let ann = person(1);
        let cache = with_one(ann);
        assert!(cache.find(&"a", ann, Duration::ZERO).is_none());
        assert!(cache.find(&"a", ann, Duration::from_nanos(1)).is_none());
        assert!(cache.find(&"a", ann, LONG).is_some());
    }
}
