//! What a person tells of themselves beside the account. Headline, skills and visibility are kept in clear for search;
//! everything else is sealed under the person's key.

mod changes;
mod completeness;
mod education;

pub use changes::ProfileChanges;
pub use completeness::{Completeness, completeness};
pub use education::{Education, EducationFields};

use super::{Timestamp, error::Fault, text, web_link::web_link};
use serde::{Deserialize, Serialize};

/// Who may see the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visibility {
    /// Who may see people at all, and pages for everybody.
    Public,
    /// Who may see people at all.
    #[default]
    Members,
    /// Only the person and the staff.
    Private,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Members, Self::Private];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Members => "members",
            Self::Private => "private",
        }
    }

    /// Reads the name; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A person's profile; without a row it is the default at version 0.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    pub headline: Option<String>,
    pub skills: Vec<String>,
    pub visibility: Visibility,
    pub details: ProfileDetails,
    /// Raised by every change; the `ETag`.
    pub version: i64,
    /// `None` as long as nothing was ever told.
    pub updated_at: Option<Timestamp>,
}

/// What of a profile is sealed. A field that a later version adds is empty in what was sealed before.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileDetails {
    pub bio: Option<String>,
    pub company: Option<String>,
    pub website: Option<String>,
    pub links: Vec<String>,
    /// E.164.
    pub phone: Option<String>,
    pub experience_years: Option<u8>,
    /// BCP 47.
    pub languages: Vec<String>,
    pub education: Vec<Education>,
}

/// One line of at most 150.
pub fn headline(text: &str) -> Result<String, Fault> {
    text::line(150, text)
}

/// At most 2,000 with line breaks.
pub fn bio(text: &str) -> Result<String, Fault> {
    text::paragraph(2000, text)
}

/// One line of at most 100.
pub fn company(text: &str) -> Result<String, Fault> {
    text::line(100, text)
}

/// At most 10 web addresses.
pub fn links(items: &[String]) -> Result<Vec<String>, Fault> {
    text::distinct(10, items, |item| web_link(item))
}

/// At most 50 lines of 50.
pub fn skills(items: &[String]) -> Result<Vec<String>, Fault> {
    text::lines(50, 50, items)
}

/// At most 20 language tags.
pub fn languages(items: &[String]) -> Result<Vec<String>, Fault> {
    text::distinct(20, items, |item| text::locale(item))
}

/// 0 to 80 years.
pub fn experience_years(years: i64) -> Result<u8, Fault> {
    u8::try_from(years)
        .ok()
        .filter(|years| *years <= 80)
        .ok_or(Fault::new("out_of_range", "Send 0 to 80 years."))
}

/// One of the names.
pub fn visibility(name: &str) -> Result<Visibility, Fault> {
    Visibility::parse(name).ok_or(Fault::new(
        "unknown_value",
        "Send public, members or private.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_sealed_is_read() {
        let read: ProfileDetails = serde_json::from_str(r#"{"bio":"x","gone":1}"#).unwrap();
        assert!(read.bio.as_deref() == Some("x") && read.education.is_empty());
    }

    #[test]
    fn lists_and_years_have_bounds() {
        let many = |n: usize| {
            (0..n)
                .map(|i| format!("https://x{i}.example"))
                .collect::<Vec<_>>()
        };
        assert!(links(&many(10)).is_ok());
        assert_eq!(links(&many(11)).unwrap_err().code, "too_long");
        assert_eq!(
            links(&["javascript:1".to_owned()]).unwrap_err().code,
            "format"
        );
        assert_eq!(
            languages(&["EN-gb".to_owned(), "en-GB".to_owned()]).unwrap(),
            ["en-GB"]
        );
        assert_eq!(
            languages(&["Klingon language".to_owned()])
                .unwrap_err()
                .code,
            "format"
        );
        for (years, good) in [
            (-1, false),
            (0, true),
            (80, true),
            (81, false),
            (i64::MAX, false),
        ] {
            assert_eq!(experience_years(years).is_ok(), good, "{years}");
        }
        for one in Visibility::ALL {
            assert_eq!(visibility(one.as_str()).unwrap(), one);
        }
        assert_eq!(visibility("Public").unwrap_err().code, "unknown_value");
    }
}
