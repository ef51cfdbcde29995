//! Whose events the broker refuses while it takes others. They are held back so that they fill no batch, and their first ones are
//! tried again after growing pauses. Only who leads the relay knows them; whoever takes over learns them anew.

use crate::domain::{Timestamp, id::UserId};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// How many people are held back at most; beyond, they stay in the batches.
const MOST: usize = 1_000;
/// The pause after the first refusal; it doubles with each try after which nobody is free.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The people who are held back.
#[derive(Debug)]
pub struct HeldBack {
    people: BTreeSet<UserId>,
    pause: TimeDelta,
    /// Since when it is paused.
    since: Timestamp,
}

impl Default for HeldBack {
    /// Nobody.
    fn default() -> Self {
        Self {
            people: BTreeSet::new(),
            pause: FIRST_PAUSE,
            since: Timestamp::UNIX_EPOCH,
        }
    }
}

impl HeldBack {
    /// Who they are.
    pub fn people(&self) -> &BTreeSet<UserId> {
        &self.people
    }

    /// Holds back more people, as far as there is room; those who are here already lengthen no pause.
    pub fn add(&mut self, refused: impl IntoIterator<Item = UserId>, now: Timestamp) {
        let was_empty = self.people.is_empty();
        for person in refused {
            if self.people.len() >= MOST {
                break;
            }
            self.people.insert(person);
        }
        if was_empty {
            (self.pause, self.since) = (FIRST_PAUSE, now);
        }
    }

    /// Whether it is time to try them again. A clock that went back makes nobody wait for it.
    pub fn are_due(&self, now: Timestamp) -> bool {
        !self.people.is_empty() && !(self.since..self.since + self.pause).contains(&now)
    }

    /// Frees all but those whose first events were refused again.
    pub fn keep(&mut self, refused: BTreeSet<UserId>, now: Timestamp) {
        let has_freed = refused.len() < self.people.len();
        let doubled = (self.pause * 2).min(LONGEST_PAUSE);
        self.pause = if has_freed { FIRST_PAUSE } else { doubled };
        self.people = refused;
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BEGIN: Timestamp = Timestamp::UNIX_EPOCH;

    fn people(numbers: std::ops::Range<u128>) -> BTreeSet<UserId> {
        numbers.map(|n| UserId(Uuid::from_u128(n))).collect()
    }

    /// After how many seconds they are tried again.
    fn pause(held: &HeldBack) -> i64 {
        let due = |second: &i64| held.are_due(held.since + TimeDelta::seconds(*second));
        (0..1000).find(due).unwrap()
    }

    #[test]
    fn pauses_grow_up_to_a_minute_and_begin_anew_when_somebody_gets_through() {
        let mut held = HeldBack::default();
        assert!(!held.are_due(BEGIN + TimeDelta::days(1)));
        held.add(people(0..2), BEGIN);
        let mut pauses = vec![pause(&held)];
        for _ in 0..7 {
            held.keep(people(0..2), BEGIN);
            pauses.push(pause(&held));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        held.keep(people(1..2), BEGIN);
        assert_eq!(pause(&held), 1);
        assert_eq!(held.people(), &people(1..2));
    }

    #[test]
    fn who_comes_later_moves_no_try_and_a_clock_that_goes_back_brings_it_forward() {
        let mut held = HeldBack::default();
        held.add(people(0..1), BEGIN);
        held.keep(people(0..1), BEGIN);
        held.add(people(1..2), BEGIN + TimeDelta::seconds(1));
        assert!(!held.are_due(BEGIN + TimeDelta::milliseconds(1999)));
        assert!(held.are_due(BEGIN + TimeDelta::seconds(2)));
        assert!(held.are_due(BEGIN - TimeDelta::seconds(1)));
    }

    #[test]
    fn no_more_are_held_back_than_there_is_room_for() {
        let mut held = HeldBack::default();
        held.add(people(0..600), BEGIN);
        held.add(people(0..2000), BEGIN);
        assert_eq!(held.people(), &people(0..1000));
    }
}
