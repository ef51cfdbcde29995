//! The limiter's tests, by a hand-wound clock.

use super::*;
use crate::domain::Timestamp;
use chrono::TimeDelta;
use proptest::prelude::*;

fn clock() -> Clock {
    Clock::hand_wound(Timestamp::from_timestamp(1_800_000_000, 0).unwrap())
}

/// Ten logins a minute, and no limit on refreshes.
fn limiter(clock: &Clock) -> Limiter {
    keeping(MAX_KEYS, clock)
}

fn keeping(max_keys: usize, clock: &Clock) -> Limiter {
    let rates = [
        (Class::Login, Rate::parse("10/1m").unwrap()),
        (Class::Account, Rate::parse("10/1m").unwrap()),
        (Class::Refresh, None),
    ];
    Limiter::keeping(max_keys, rates.into(), clock.clone())
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn allowed(limiter: &Limiter, class: Class, key: &str, times: usize) -> usize {
    (0..times)
        .filter(|_| limiter.check_alone(class, key).allowed)
        .count()
}

#[test]
fn a_burst_is_allowed_and_the_next_one_refused() {
    let limiter = limiter(&clock());
    for remaining in (0..10).rev() {
        let decision = limiter.check_alone(Class::Login, "a");
        let expected = Decision {
            allowed: true,
            limit: 10,
            window: seconds(60),
            remaining,
            reset: seconds(6 * u64::from(10 - remaining)),
            retry_after: None,
        };
        assert_eq!(decision, expected);
    }
    let refused = limiter.check_alone(Class::Login, "a");
    assert!(!refused.allowed);
    assert_eq!(
        (refused.remaining, refused.retry_after),
        (0, Some(seconds(6)))
    );
    assert_eq!(refused.reset, seconds(60));
}

#[test]
fn time_frees_one_after_the_other_and_at_last_all() {
    let clock = clock();
    let limiter = limiter(&clock);
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 10);
    clock.advance(TimeDelta::milliseconds(5_999));
    let refused = limiter.check_alone(Class::Login, "a");
    assert_eq!(refused.retry_after, Some(Duration::from_millis(1)));
    clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 1);
    clock.advance(TimeDelta::seconds(18));
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 3);
    clock.advance(TimeDelta::hours(1));
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 10);
}

#[test]
fn a_refused_request_does_not_prolong_the_wait() {
    let clock = clock();
    let limiter = limiter(&clock);
    assert_eq!(allowed(&limiter, Class::Login, "a", 1000), 10);
    clock.advance(TimeDelta::seconds(6));
    assert!(limiter.check_alone(Class::Login, "a").allowed);
}

#[test]
fn keys_and_classes_are_independent() {
    let limiter = limiter(&clock());
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 10);
    assert_eq!(allowed(&limiter, Class::Login, "b", 20), 10);
    assert_eq!(allowed(&limiter, Class::Account, "a", 20), 10);
    assert_eq!(
        allowed(&limiter.clone(), Class::Login, "a", 20),
        0,
        "clones share"
    );
}

#[test]
fn a_class_without_a_rate_is_unlimited() {
    let limiter = limiter(&clock());
    for class in [Class::Refresh, Class::Api] {
        assert_eq!(limiter.check_alone(class, "a"), Decision::unlimited());
        assert!(limiter.check_alone(class, "a").is_unlimited());
    }
    assert!(!limiter.check_alone(Class::Login, "a").is_unlimited());
}

#[test]
fn a_hundred_at_once_get_ten_through() {
    let limiter = limiter(&clock());
    let through = std::thread::scope(|scope| {
        let checks: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| limiter.check_alone(Class::Login, "a").allowed))
            .collect();
        checks
            .into_iter()
            .filter_map(|check| check.join().ok())
            .filter(|ok| *ok)
            .count()
    });
    assert_eq!(through, 10);
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let clock = clock();
    let limiter = limiter(&clock);
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 10);
    clock.advance(TimeDelta::hours(-1));
    assert_eq!(
        limiter.check_alone(Class::Login, "a").retry_after,
        Some(seconds(6))
    );
    clock.advance(TimeDelta::seconds(6));
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 1);
}

#[test]
fn idle_keys_are_forgotten_and_busy_ones_are_not() {
    let clock = clock();
    let limiter = limiter(&clock);
    let kept = || limiter.0.lanes[&Class::Login].limiter.len();
    for key in ["a", "b", "c"] {
        limiter.check_alone(Class::Login, key);
    }
    clock.advance(TimeDelta::minutes(2));
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 10);
    limiter.prune();
    assert_eq!(kept(), 1);
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 0);
    clock.advance(TimeDelta::minutes(2));
    limiter.prune();
    assert_eq!(kept(), 0);
}

#[test]
fn memory_is_bounded_and_those_past_the_bound_are_limited_too() {
    let clock = clock();
    let limiter = keeping(100, &clock);
    for n in 0..20_000 {
        limiter.check_alone(Class::Login, &format!("key {n}"));
    }
    let kept = limiter.0.lanes[&Class::Login].limiter.len();
    assert!(
        kept <= 100 + usize::try_from(SHARED_BUCKETS).unwrap(),
        "{kept}"
    );
    assert!(allowed(&limiter, Class::Login, "latecomer", 20) <= 10);
    assert_eq!(allowed(&limiter, Class::Login, "latecomer", 20), 0);

    // Once they are idle there is room again without anybody calling `prune`.
    clock.advance(TimeDelta::hours(1));
    assert_eq!(allowed(&limiter, Class::Login, "latecomer", 20), 10);
    assert_eq!(limiter.0.lanes[&Class::Login].limiter.len(), 1);
}

#[test]
fn a_rate_of_nothing_is_still_a_limit() {
    let nothing = Rate {
        count: 0,
        per: Duration::ZERO,
    };
    let limiter = Limiter::new([(Class::Login, Some(nothing))].into(), clock());
    assert_eq!(limiter.check_alone(Class::Login, "a").limit, 1);
    assert!(!limiter.check_alone(Class::Login, "a").is_unlimited());
    assert_eq!(allowed(&limiter, Class::Login, "a", 20), 0);
}

proptest! {
    #[test]
    fn no_rate_lets_more_than_its_count_through_at_once(count in 1u32..50, per in 1u64..100_000) {
        let rate = Rate { count, per: seconds(per) };
        let limiter = Limiter::new([(Class::Login, Some(rate))].into(), clock());
        prop_assert_eq!(allowed(&limiter, Class::Login, "a", 100), count as usize);
    }
}
