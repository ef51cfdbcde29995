//! Where and what a person has studied.

use crate::domain::{error::Violation, text};
use serde::{Deserialize, Serialize};

/// The most entries of one person.
const MOST: usize = 20;
/// Years that an entry may name.
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2100;

/// One entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Education {
    pub institution: String,
    pub degree: Option<String>,
    pub field: Option<String>,
    pub start_year: Option<i64>,
    pub end_year: Option<i64>,
}

/// An entry as it came.
#[derive(Default, Clone)]
pub struct EducationFields {
    pub institution: Option<String>,
    pub degree: Option<String>,
    pub field: Option<String>,
    pub start_year: Option<i64>,
    pub end_year: Option<i64>,
}

impl Education {
    /// Reads a list of at most 20 entries; all broken rules of all of them, each named once.
    pub fn parse_all(items: Vec<EducationFields>) -> Result<Vec<Self>, Vec<Violation>> {
        let mut broken = Vec::new();
        if items.len() > MOST {
            let rule = "At most 20 entries.";
            return Err(vec![Violation::new("education", "too_long", rule)]);
        }
        let all: Vec<_> = items
            .into_iter()
            .filter_map(|item| parse(item, &mut broken))
            .collect();
        let mut told = Vec::new();
        broken.retain(|rule: &Violation| {
            let is_new = !told.contains(&(rule.field, rule.code));
            told.push((rule.field, rule.code));
            is_new
        });
        if broken.is_empty() {
            Ok(all)
        } else {
            Err(broken)
        }
    }
}

fn parse(item: EducationFields, broken: &mut Vec<Violation>) -> Option<Education> {
    let before = broken.len();
    let mut line = |field: &'static str, text: Option<String>| {
        let read = text::line(100, &text?);
        read.map_err(|fault| broken.push(fault.of(field))).ok()
    };
    let institution = line("education.institution", item.institution.clone());
    let degree = line("education.degree", item.degree);
    let subject = line("education.field", item.field);
    if item.institution.is_none() {
        broken.push(Violation::required("education.institution"));
    }
    for (field, year) in [
        ("education.start_year", item.start_year),
        ("education.end_year", item.end_year),
    ] {
        if year.is_some_and(|year| !YEARS.contains(&year)) {
            let rule = "Send a year from 1900 to 2100.";
            broken.push(Violation::new(field, "out_of_range", rule));
        }
    }
    if let (Some(start), Some(end)) = (item.start_year, item.end_year)
        && start > end
    {
        let rule = "The end must not lie before the start.";
        broken.push(Violation::new("education.end_year", "mismatch", rule));
    }
    if broken.len() > before {
        return None;
    }
    Some(Education {
        institution: institution?,
        degree,
        field: subject,
        start_year: item.start_year,
        end_year: item.end_year,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> EducationFields {
        EducationFields {
            institution: Some(" Delft ".to_owned()),
            start_year: Some(2001),
            end_year: Some(2006),
            ..EducationFields::default()
        }
    }

    fn codes(items: Vec<EducationFields>) -> Vec<(&'static str, &'static str)> {
        let Err(broken) = Education::parse_all(items) else {
            return Vec::new();
        };
        broken.iter().map(|rule| (rule.field, rule.code)).collect()
    }

    #[test]
    fn an_entry_needs_an_institution_and_nothing_more() {
        let read = Education::parse_all(vec![entry()]).unwrap();
        assert_eq!(read[0].institution, "Delft");
        assert_eq!((read[0].start_year, &read[0].degree), (Some(2001), &None));
        let without = EducationFields::default();
        assert_eq!(
            codes(vec![without]),
            [("education.institution", "required")]
        );
    }

    #[test]
    fn all_broken_rules_of_all_entries_are_told_once() {
        let backwards = EducationFields {
            start_year: Some(2007),
            ..entry()
        };
        let early = EducationFields {
            start_year: Some(1899),
            degree: Some("\n".repeat(3)),
            ..entry()
        };
        assert_eq!(
            codes(vec![early.clone(), backwards, early]),
            [
                ("education.degree", "too_short"),
                ("education.start_year", "out_of_range"),
                ("education.end_year", "mismatch"),
            ]
        );
        assert!(Education::parse_all(vec![entry(); 20]).is_ok());
        assert_eq!(codes(vec![entry(); 21]), [("education", "too_long")]);
    }
}
