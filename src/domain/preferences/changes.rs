//! A change of the preferences.

use super::{Preferences, PreferencesDetails};
use crate::domain::{change::Change, error::Result};
use chrono::NaiveDate;
use serde_json::{Map, Value};

/// What becomes of each field.
#[derive(Clone, Default)]
pub struct PreferencesChanges {
    pub desired_titles: Change<Vec<String>>,
    pub job_types: Change<Vec<String>>,
    pub work_modes: Change<Vec<String>>,
    pub locations: Change<Vec<String>>,
    pub salary_min: Change<i64>,
    pub salary_max: Change<i64>,
    pub salary_currency: Change<String>,
    pub industries: Change<Vec<String>>,
    pub available_from: Change<NaiveDate>,
    pub willing_to_relocate: Change<bool>,
    pub open_to_work: Change<bool>,
    pub email_notifications: Change<bool>,
    pub marketing_emails: Change<bool>,
    pub extra: Change<Map<String, Value>>,
}

impl PreferencesChanges {
    /// Applies them; gives the names of the fields that differ afterwards. The salary's fields must agree in the end.
    pub fn apply(self, preferences: &mut Preferences) -> Result<Vec<&'static str>> {
        let before = preferences.clone();
        let default = Preferences::default();
        self.open_to_work
            .apply_or(&mut preferences.open_to_work, default.open_to_work);
        self.email_notifications.apply_or(
            &mut preferences.email_notifications,
            default.email_notifications,
        );
        self.marketing_emails
            .apply_or(&mut preferences.marketing_emails, default.marketing_emails);
        let details = &mut preferences.details;
        for (change, field) in [
            (self.desired_titles, &mut details.desired_titles),
            (self.job_types, &mut details.job_types),
            (self.work_modes, &mut details.work_modes),
            (self.locations, &mut details.locations),
            (self.industries, &mut details.industries),
        ] {
            change.apply_or(field, Vec::new());
        }
        self.salary_min.apply(&mut details.salary_min);
        self.salary_max.apply(&mut details.salary_max);
        self.salary_currency.apply(&mut details.salary_currency);
        self.available_from.apply(&mut details.available_from);
        self.willing_to_relocate
            .apply_or(&mut details.willing_to_relocate, false);
        self.extra.apply_or(&mut details.extra, Map::new());
        details.must_agree()?;
        Ok(differing(&before, preferences))
    }
}

fn differing(before: &Preferences, after: &Preferences) -> Vec<&'static str> {
    let flags = [
        (
            "preferences.open_to_work",
            before.open_to_work != after.open_to_work,
        ),
        (
            "preferences.email_notifications",
            before.email_notifications != after.email_notifications,
        ),
        (
            "preferences.marketing_emails",
            before.marketing_emails != after.marketing_emails,
        ),
    ];
    let details = differing_details(&before.details, &after.details);
    details
        .into_iter()
        .chain(flags)
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
}

fn differing_details(
    old: &PreferencesDetails,
    new: &PreferencesDetails,
) -> [(&'static str, bool); 11] {
    [
        (
            "preferences.desired_titles",
            old.desired_titles != new.desired_titles,
        ),
        ("preferences.job_types", old.job_types != new.job_types),
        ("preferences.work_modes", old.work_modes != new.work_modes),
        ("preferences.locations", old.locations != new.locations),
        ("preferences.salary_min", old.salary_min != new.salary_min),
        ("preferences.salary_max", old.salary_max != new.salary_max),
        (
            "preferences.salary_currency",
            old.salary_currency != new.salary_currency,
        ),
        ("preferences.industries", old.industries != new.industries),
        (
            "preferences.available_from",
            old.available_from != new.available_from,
        ),
        (
            "preferences.willing_to_relocate",
            old.willing_to_relocate != new.willing_to_relocate,
        ),
        ("preferences.extra", old.extra != new.extra),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    fn salary(min: i64, max: i64) -> PreferencesChanges {
        PreferencesChanges {
            salary_min: Change::Set(min),
            salary_max: Change::Set(max),
            salary_currency: Change::Set("EUR".to_owned()),
            ..PreferencesChanges::default()
        }
    }

    fn codes(changes: PreferencesChanges, of: &Preferences) -> Vec<(&'static str, &'static str)> {
        match changes.apply(&mut of.clone()) {
            Err(Error::Invalid(all)) => all.iter().map(|v| (v.field, v.code)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_salary_agrees_after_a_change_of_any_of_its_fields() {
        let mut told = Preferences::default();
        assert_eq!(salary(1, 1).apply(&mut told).unwrap().len(), 3);
        let lower = PreferencesChanges {
            salary_max: Change::Set(0),
            ..PreferencesChanges::default()
        };
        assert_eq!(codes(lower, &told), [("salary_max", "mismatch")]);
        let without = PreferencesChanges {
            salary_currency: Change::Clear,
            ..PreferencesChanges::default()
        };
        assert_eq!(codes(without, &told), [("salary_currency", "required")]);
        let both = PreferencesChanges {
            salary_currency: Change::Clear,
            ..salary(2, 1)
        };
        let fresh = Preferences::default();
        assert_eq!(codes(both, &fresh).len(), 2);
    }

    #[test]
    fn an_emptied_flag_takes_its_default_and_only_what_differs_is_named() {
        let mut told = Preferences {
            email_notifications: false,
            ..Preferences::default()
        };
        let changes = PreferencesChanges {
            email_notifications: Change::Clear,
            marketing_emails: Change::Clear,
            job_types: Change::Set(vec!["contract".to_owned()]),
            ..PreferencesChanges::default()
        };
        let fields = changes.apply(&mut told).unwrap();
        let named = ["preferences.job_types", "preferences.email_notifications"];
        assert_eq!(fields, named);
    }
}
