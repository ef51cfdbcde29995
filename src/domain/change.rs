//! Changes of things that several may change at once: field by field, and only of the version that was seen.

use super::error::{Error, Result};

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// It was left out: it stays.
    #[default]
    Keep,
    /// It was `null`: it is emptied.
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// Applies it to a field that may be empty.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    /// Applies it to a field that is never empty: emptied, it takes its default.
    pub fn apply_or(self, field: &mut T, default: T) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = default,
            Self::Set(value) => *field = value,
        }
    }
}

/// `If-Match` (RFC 9110, section 13.1.1): which versions the writer has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Not sent, or `*`: whatever is there.
    Any,
    /// Exactly one of these; tags that are not ours match nothing.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Refuses a change of a version that the writer has not seen.
    pub fn must_be(&self, version: i64) -> Result<()> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(seen) if seen.contains(&version) => Ok(()),
            Self::OneOf(_) => Err(Error::Stale),
        }
    }
}

/// `If-Match` for what is named by its bytes: which tags the writer has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedTag {
    /// Not sent: whatever is there, or nothing.
    Any,
    /// `*`: anything, but something.
    Present,
    /// Exactly one of these.
    OneOf(Vec<String>),
}

impl ExpectedTag {
    /// Refuses a change where none of the tags in force, one for each form, has been seen.
    pub fn must_be(&self, tags: &[String]) -> Result<()> {
        let holds = match self {
            Self::Any => true,
            Self::Present => !tags.is_empty(),
            Self::OneOf(seen) => tags.iter().any(|tag| seen.contains(tag)),
        };
        if holds { Ok(()) } else { Err(Error::Stale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_clears_or_sets() {
        for (change, after) in [
            (Change::Keep, Some(1)),
            (Change::Clear, None),
            (Change::Set(2), Some(2)),
        ] {
            let mut field = Some(1);
            change.apply(&mut field);
            assert_eq!(field, after);
        }
    }

    #[test]
    fn only_a_version_that_was_seen_may_be_changed() {
        assert!(Expected::Any.must_be(7).is_ok());
        assert!(Expected::OneOf(vec![6, 7]).must_be(7).is_ok());
        assert!(matches!(
            Expected::OneOf(vec![6]).must_be(7),
            Err(Error::Stale)
        ));
        assert!(matches!(
            Expected::OneOf(Vec::new()).must_be(7),
            Err(Error::Stale)
        ));
    }
}
