//! The lawful ways from one tier to the other, and how long premium lasts.

use super::{Tier, User};
use crate::domain::{
    Error, Timestamp,
    error::{Fault, Result},
};
use chrono::Months;

/// How far ahead premium may be paid.
const MOST_MONTHS_AHEAD: Months = Months::new(120);

/// 1 to 36 months.
pub fn months(number: i64) -> Result<Months, Fault> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=36).contains(number))
        .map(Months::new)
        .ok_or(Fault::new("out_of_range", "Send 1 to 36 months."))
}

impl<E> User<E> {
    /// Since when the tier in force is in force.
    pub fn tier_since_at(&self, now: Timestamp) -> Timestamp {
        match self.tier_until {
            Some(until) if until <= now => until,
            _ => self.tier_since.unwrap_or(self.created_at),
        }
    }

    /// When the tier in force ends; `None` for never.
    pub fn tier_until_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.tier_until.filter(|until| *until > now)
    }

    /// Makes the person premium for so many calendar months, from the end of the premium in force on; without a number
    /// for good. What is for good stays so. Whether anything changed.
    pub fn upgrade(&mut self, months: Option<Months>, now: Timestamp) -> Result<bool> {
        let Some(months) = months else {
            return self.set_tier(Tier::Premium, None, now);
        };
        let begin = match (self.tier_at(now), self.tier_until) {
            (Tier::Premium, None) => return Ok(false),
            (Tier::Premium, Some(until)) => until,
            (Tier::Basic, _) => now,
        };
        let until = begin.checked_add_months(months);
        let last = now.checked_add_months(MOST_MONTHS_AHEAD);
        match until.filter(|until| Some(*until) <= last) {
            Some(until) => self.set_tier(Tier::Premium, Some(until), now),
            None => Err(Error::invalid(
                "months",
                "out_of_range",
                "Premium can reach at most ten years ahead.",
            )),
        }
    }

    /// Puts the person into a tier; premium may have an end in the future. Whether anything changed.
    pub fn set_tier(
        &mut self,
        tier: Tier,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        match until {
            Some(_) if tier == Tier::Basic => {
                let rule = "Only premium has an end.";
                return Err(Error::invalid("until", "mismatch", rule));
            }
            // Later years have no form in RFC 3339.
            Some(until) if until <= now || until.timestamp() >= YEAR_10_000 => {
                let rule = "Send a time in the future.";
                return Err(Error::invalid("until", "out_of_range", rule));
            }
            _ => {}
        }
        let in_force = self.tier_at(now);
        if (in_force, self.tier_until_at(now)) == (tier, until) {
            return Ok(false);
        }
        if in_force != tier {
            self.tier_since = Some(now);
        }
        self.tier = tier;
        self.tier_until = until;
        Ok(true)
    }
}

const YEAR_10_000: i64 = 253_402_300_800;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::EmailAddress, id::UserId};
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bob() -> User {
        let email = EmailAddress::parse("bob@example.com").unwrap();
        let begin = at("2025-01-01T00:00:00Z");
        User::pending(UserId(uuid::Uuid::nil()), email, begin)
    }

    #[test]
    fn months_are_those_of_the_calendar_and_follow_on_what_is_paid() {
        let (mut bob, now) = (bob(), at("2026-01-31T10:00:00Z"));
        let months = |number| Some(months(number).unwrap());
        assert!(bob.upgrade(months(1), now).unwrap());
        assert_eq!(bob.tier_until, Some(at("2026-02-28T10:00:00Z")));
        let later = at("2026-02-01T00:00:00Z");
        assert!(bob.upgrade(months(12), later).unwrap());
        assert_eq!(bob.tier_until, Some(at("2027-02-28T10:00:00Z")));
        assert_eq!(bob.tier_since_at(later), now);
        assert!(bob.upgrade(None, later).unwrap());
        assert!(!bob.upgrade(None, later).unwrap());
        assert!(!bob.upgrade(months(1), later).unwrap());
        assert_eq!((bob.tier_at(later), bob.tier_until), (Tier::Premium, None));
    }

    #[test]
    fn what_has_run_out_is_basic_since_then_and_begins_anew() {
        let (mut bob, now) = (bob(), at("2026-01-05T12:00:00Z"));
        bob.upgrade(Some(Months::new(1)), now).unwrap();
        let end = at("2026-02-05T12:00:00Z");
        assert_eq!(
            (bob.tier_at(end), bob.tier_since_at(end)),
            (Tier::Basic, end)
        );
        assert!(!bob.set_tier(Tier::Basic, None, end).unwrap());
        let later = at("2026-03-01T00:00:00Z");
        assert!(bob.upgrade(Some(Months::new(1)), later).unwrap());
        assert_eq!(bob.tier_since_at(later), later);
        assert_eq!(bob.tier_until, Some(at("2026-04-01T00:00:00Z")));
        assert!(bob.set_tier(Tier::Basic, None, later).unwrap());
        assert_eq!((bob.tier_at(later), bob.tier_until), (Tier::Basic, None));
    }

    #[test]
    fn an_end_lies_in_the_future_and_belongs_to_premium() {
        let now = at("2026-01-05T12:00:00Z");
        let code = |tier, until: &str| match bob().set_tier(tier, Some(at(until)), now) {
            Err(Error::Invalid(all)) => all[0].code,
            _ => "",
        };
        assert_eq!(code(Tier::Basic, "2027-01-01T00:00:00Z"), "mismatch");
        assert_eq!(code(Tier::Premium, "2026-01-05T12:00:00Z"), "out_of_range");
        assert_eq!(
            code(Tier::Premium, "+10000-01-01T00:00:00Z"),
            "out_of_range"
        );
        assert_eq!(code(Tier::Premium, "9999-12-31T23:59:59Z"), "");
        for (number, good) in [(0, false), (1, true), (36, true), (37, false), (-1, false)] {
            assert_eq!(months(number).is_ok(), good, "{number}");
        }
    }

    proptest! {
        #[test]
        fn no_upgrade_shortens_premium_or_passes_ten_years(steps in proptest::collection::vec((1_u32..=36, 0_i64..5_000_000), 0..12)) {
            let (mut bob, mut now) = (bob(), at("2026-01-05T12:00:00Z"));
            for (number, pause) in steps {
                let before = bob.tier_until_at(now);
                let done = bob.upgrade(Some(Months::new(number)), now);
                prop_assert!(bob.tier_until_at(now) >= before);
                prop_assert!(bob.tier_until <= now.checked_add_months(MOST_MONTHS_AHEAD));
                prop_assert!(done.is_err() || bob.tier_at(now) == Tier::Premium);
                now += chrono::TimeDelta::seconds(pause);
            }
        }
    }
}
