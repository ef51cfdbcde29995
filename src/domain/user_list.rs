//! Lists of people as staff asks for them: what narrows them, and in which order they come.

use super::{
    Timestamp,
    email::EmailAddress,
    error::Fault,
    page::Cursor,
    permission::Role,
    search::Words,
    user::{Tier, User, UserStatus},
    username::Username,
};
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat};

/// From a time on and up to another; the first belongs to it, the second does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// What narrows a list; all that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct UserFilters {
    /// Words in name, username, title, headline, location or skills.
    pub q: Option<Words>,
    pub email: Option<EmailAddress>,
    pub role: Option<Role>,
    pub status: Option<UserStatus>,
    /// The tier in force.
    pub tier: Option<Tier>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub verified: Option<bool>,
    pub created: Span,
    pub last_login: Span,
}

impl UserFilters {
    /// The names of those that are set; what they look for is nobody's business.
    pub fn names(&self) -> Vec<&'static str> {
        [
            ("q", self.q.is_some()),
            ("email", self.email.is_some()),
            ("role", self.role.is_some()),
            ("status", self.status.is_some()),
            ("tier", self.tier.is_some()),
            ("country", self.country.is_some()),
            ("verified", self.verified.is_some()),
            ("created_from", self.created.from.is_some()),
            ("created_to", self.created.to.is_some()),
            ("last_login_from", self.last_login.from.is_some()),
            ("last_login_to", self.last_login.to.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .collect()
    }
}

/// By what a list can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    CreatedAt,
    UpdatedAt,
    LastLoginAt,
    /// By code points.
    FullName,
    /// Upper and lower case alike.
    Username,
}

impl SortKey {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::LastLoginAt,
        Self::FullName,
        Self::Username,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::LastLoginAt => "last_login_at",
            Self::FullName => "full_name",
            Self::Username => "username",
        }
    }

    /// Whether some people have no such value; they come last, whichever way the list runs.
    pub fn may_be_missing(self) -> bool {
        matches!(self, Self::LastLoginAt | Self::FullName | Self::Username)
    }
}

/// A person's value in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    Time(Timestamp),
    Text(String),
}

/// The order of a list; the id decides between equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    pub by: SortKey,
    pub is_descending: bool,
}

impl Default for UserOrder {
    /// Newest first.
    fn default() -> Self {
        Self {
            by: SortKey::CreatedAt,
            is_descending: true,
        }
    }
}

impl UserOrder {
    /// Reads `name` or `-name`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (name, is_descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        SortKey::ALL
            .into_iter()
            .find(|key| key.as_str() == name)
            .map(|by| Self { by, is_descending })
            .ok_or(Fault::new(
                "unknown_value",
                "Sort by created_at, updated_at, last_login_at, full_name or username, with - in front for descending.",
            ))
    }

    /// What [`UserOrder::parse`] reads.
    pub fn name(self) -> String {
        let sign = if self.is_descending { "-" } else { "" };
        format!("{sign}{}", self.by.as_str())
    }

    /// A person's value in this order as a cursor carries it.
    pub fn key_of<E>(self, user: &User<E>) -> Option<String> {
        let time = |at: Timestamp| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        match self.by {
            SortKey::CreatedAt => Some(time(user.created_at)),
            SortKey::UpdatedAt => Some(time(user.updated_at)),
            SortKey::LastLoginAt => user.last_login_at.map(time),
            SortKey::FullName => user.full_name.clone(),
            SortKey::Username => user.username.as_ref().map(Username::key),
        }
    }

    /// The value that a cursor carries; none for those without one.
    pub fn value_of(self, cursor: &Cursor) -> Result<Option<SortValue>, Fault> {
        const FOREIGN: Fault = Fault::new(
            "format",
            "This is not a cursor of this list; begin without one.",
        );
        match (&cursor.key, self.by) {
            (None, by) if by.may_be_missing() => Ok(None),
            (None, _) => Err(FOREIGN),
            (Some(text), SortKey::FullName | SortKey::Username) => {
                Ok(Some(SortValue::Text(text.clone())))
            }
            (Some(text), _) => {
                let at = time(text).map_err(|_| FOREIGN)?;
                Ok(Some(SortValue::Time(at)))
            }
        }
    }
}

/// A time (RFC 3339), or a day (`2026-01-05`) for its beginning in UTC.
pub fn time(text: &str) -> Result<Timestamp, Fault> {
    const FAULT: Fault = Fault::new(
        "format",
        "This is not a time such as 2026-01-05T12:00:00Z or a day such as 2026-01-05.",
    );
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.to_utc(),
        Err(_) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| FAULT)?
            .and_time(NaiveTime::MIN)
            .and_utc(),
    };
    let year = chrono::Datelike::year(&at);
    Timestamp::from_timestamp_micros(at.timestamp_micros())
        .filter(|_| (0..=9999).contains(&year))
        .ok_or(FAULT)
}

/// `true` or `false`.
pub fn yes_or_no(text: &str) -> Result<bool, Fault> {
    text.parse()
        .map_err(|_| Fault::new("format", "Say true or false."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn cursor(key: Option<&str>) -> Cursor {
        Cursor {
            order: String::new(),
            key: key.map(str::to_owned),
            id: Uuid::nil(),
            is_backward: false,
        }
    }

    #[test]
    fn an_order_reads_what_it_writes() {
        for by in SortKey::ALL {
            for is_descending in [false, true] {
                let order = UserOrder { by, is_descending };
                assert_eq!(UserOrder::parse(&order.name()), Ok(order));
            }
        }
        assert_eq!(UserOrder::default().name(), "-created_at");
        for text in [
            "",
            "-",
            "id",
            "+username",
            "--username",
            "created_at,id",
            "Username",
        ] {
            assert_eq!(
                UserOrder::parse(text).unwrap_err().code,
                "unknown_value",
                "{text}"
            );
        }
    }

    #[test]
    fn a_cursor_without_a_value_is_lawful_only_where_values_may_be_missing() {
        let by = |by| UserOrder {
            by,
            is_descending: false,
        };
        assert_eq!(by(SortKey::Username).value_of(&cursor(None)), Ok(None));
        assert!(by(SortKey::CreatedAt).value_of(&cursor(None)).is_err());
        assert!(
            by(SortKey::LastLoginAt)
                .value_of(&cursor(Some("bob")))
                .is_err()
        );
        let at = "2026-01-05T12:00:00.000001Z";
        let read = by(SortKey::UpdatedAt).value_of(&cursor(Some(at)));
        assert_eq!(read, Ok(Some(SortValue::Time(at.parse().unwrap()))));
    }

    #[test]
    fn a_day_is_its_beginning() {
        let begin: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
        assert_eq!(time("2026-01-05").unwrap(), begin);
        assert_eq!(time("2026-01-05T01:00:00+01:00").unwrap(), begin);
        for text in [
            "",
            "2026",
            "2026-02-30",
            "12:00",
            "2026-01-05T12:00:00",
            "20260105",
            "+12026-01-05",
        ] {
            assert_eq!(time(text).unwrap_err().code, "format", "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_filters(text in ".{0,40}") {
            let _ = (time(&text), UserOrder::parse(&text), yes_or_no(&text));
        }
    }
}
