//! What one node tells the others: a sign of life, or whose sessions are no longer as they were. One line of text, the
//! same on every channel: `beat 17…`, `coming 17… id,id`, `done 17… *`, with the microseconds since 1970 at its sending.

use super::id::UserId;
use std::{collections::BTreeSet, fmt};

/// More people than that are told of as everybody: a notice on PostgreSQL may have 8,000 bytes.
const MOST_PEOPLE: usize = 100;

/// Whose sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    Everybodys,
    Theirs(BTreeSet<UserId>),
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The channel carries.
    Beat,
    /// A commit that changes them is on its way.
    Coming(Whose),
    /// A commit has changed them.
    Done(Whose),
}

/// News and when they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub news: News,
    /// Microseconds since 1970 by the sender's clock.
    pub sent_at: i64,
}

impl Whose {
    /// These people, or everybody if they are too many to name.
    pub fn of(users: &BTreeSet<UserId>) -> Self {
        if users.len() > MOST_PEOPLE {
            return Self::Everybodys;
        }
        Self::Theirs(users.clone())
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everybodys);
        }
        let ids = text.split(',').map(|id| id.parse().ok());
        ids.collect::<Option<BTreeSet<_>>>().map(Self::Theirs)
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybodys => f.write_str("*"),
            Self::Theirs(users) => {
                for (place, id) in users.iter().enumerate() {
                    if place > 0 {
                        f.write_str(",")?;
                    }
                    id.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl Notice {
    /// Reads one; none if it is not of this form, as from a newer version.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (kind, sent_at) = (words.next()?, words.next()?.parse().ok()?);
        let news = match (kind, words.next()) {
            ("beat", None) => News::Beat,
            ("coming", Some(whose)) => News::Coming(Whose::parse(whose)?),
            ("done", Some(whose)) => News::Done(Whose::parse(whose)?),
            _ => return None,
        };
        words.next().is_none().then_some(Self { news, sent_at })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.sent_at;
        match &self.news {
            News::Beat => write!(f, "beat {at}"),
            News::Coming(whose) => write!(f, "coming {at} {whose}"),
            News::Done(whose) => write!(f, "done {at} {whose}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn people(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<UserId> {
        let ids = numbers.into_iter().map(|n| UserId(Uuid::from_u128(n)));
        ids.collect()
    }

    #[test]
    fn more_people_than_fit_are_everybody() {
        assert_eq!(Whose::of(&people(0..101)), Whose::Everybodys);
        let notice = Notice {
            news: News::Done(Whose::of(&people(0..100))),
            sent_at: i64::MIN,
        };
        assert!(notice.to_string().len() < 8_000);
        assert_eq!(Notice::parse(&notice.to_string()), Some(notice));
    }

    #[test]
    fn what_has_another_form_is_nothing() {
        for text in [
            "",
            "beat",
            "beat x",
            "beat 1 *",
            "done 1",
            "done 1 x",
            "done 1 * *",
            "gone 1 *",
        ] {
            assert_eq!(Notice::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_notice_reads_as_it_was_written(
            numbers in prop::collection::btree_set(any::<u128>(), 1..5), sent_at: i64, kind in 0..5,
        ) {
            let whose = Whose::Theirs(people(numbers));
            let news = match kind {
                0 => News::Beat,
                1 => News::Coming(whose),
                2 => News::Done(whose),
                3 => News::Coming(Whose::Everybodys),
                _ => News::Done(Whose::Everybodys),
            };
            let notice = Notice { news, sent_at };
            prop_assert_eq!(Notice::parse(&notice.to_string()), Some(notice));
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".{0,80}") {
            let _ = Notice::parse(&text);
        }
    }
}
