//! A change of the preferences as it comes.

use super::{JobTypeName, WorkModeName};
use crate::{
    domain::{
        Result,
        preferences::{self, PreferencesChanges},
    },
    http::extract::{Check, Checked, Field},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A change of the preferences: a field that is left out stays, `null` empties it or restores its default; lists and
/// `extra` are replaced as a whole.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "desired_titles": ["Analyst"], "job_types": ["full_time"], "work_modes": ["remote", "hybrid"],
    "salary_min": 60000, "salary_currency": "EUR", "available_from": "2026-03-01", "open_to_work": true
}))]
pub struct UpdatePreferencesRequest {
    /// Each of at most 100 characters.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(default)]
    desired_titles: Field<Vec<String>>,
    #[schema(value_type = Option<Vec<JobTypeName>>, max_items = 20)]
    #[serde(default)]
    job_types: Field<Vec<String>>,
    #[schema(value_type = Option<Vec<WorkModeName>>, max_items = 20)]
    #[serde(default)]
    work_modes: Field<Vec<String>>,
    /// Each of at most 100 characters.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(default)]
    locations: Field<Vec<String>>,
    /// A year's pay in whole units of `salary_currency`.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_u64)]
    #[serde(default)]
    salary_min: Field<i64>,
    /// Not below `salary_min`.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000_000_u64)]
    #[serde(default)]
    salary_max: Field<i64>,
    /// ISO 4217; required with a salary.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 3)]
    #[serde(default)]
    salary_currency: Field<String>,
    /// Each of at most 100 characters.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(default)]
    industries: Field<Vec<String>>,
    #[schema(value_type = Option<String>, format = "date", max_length = 10)]
    #[serde(default)]
    available_from: Field<String>,
    #[schema(value_type = Option<bool>)]
    #[serde(default)]
    willing_to_relocate: Field<bool>,
    /// Whether others may find one as looking for work.
    #[schema(value_type = Option<bool>)]
    #[serde(default)]
    open_to_work: Field<bool>,
    /// Mails about the account's use; those about its safety are always sent.
    #[schema(value_type = Option<bool>)]
    #[serde(default)]
    email_notifications: Field<bool>,
    #[schema(value_type = Option<bool>)]
    #[serde(default)]
    marketing_emails: Field<bool>,
    /// Any object of at most 16 KiB and 16 levels.
    #[schema(value_type = Option<Object>)]
    #[serde(default)]
    extra: Field<Map<String, Value>>,
}

impl UpdatePreferencesRequest {
    /// The lawful changes, or all broken rules. Whether the salary's fields agree is seen when they are applied.
    pub fn parse(self) -> Result<PreferencesChanges> {
        let mut check = Check::new();
        let wishes = |all: Vec<String>| preferences::wishes(&all);
        let titles = check.change("desired_titles", self.desired_titles, wishes);
        let job_types = check.change("job_types", self.job_types, |all| {
            preferences::job_types(&all)
        });
        let work_modes = check.change("work_modes", self.work_modes, |all| {
            preferences::work_modes(&all)
        });
        let locations = check.change("locations", self.locations, wishes);
        let industries = check.change("industries", self.industries, wishes);
        let min = check.change("salary_min", self.salary_min, preferences::salary);
        let max = check.change("salary_max", self.salary_max, preferences::salary);
        let currency = check.text_change(
            "salary_currency",
            self.salary_currency,
            preferences::currency,
        );
        let from = check.text_change("available_from", self.available_from, preferences::day);
        let relocate = check.change("willing_to_relocate", self.willing_to_relocate, Ok);
        let open = check.change("open_to_work", self.open_to_work, Ok);
        let notify = check.change("email_notifications", self.email_notifications, Ok);
        let advertise = check.change("marketing_emails", self.marketing_emails, Ok);
        let extra = check.change("extra", self.extra, preferences::extra);
        let lists = Checked::all((titles, job_types, work_modes, locations, industries));
        let work = Checked::all((min, max, currency, from, relocate));
        let flags = Checked::all((open, notify, advertise));
        let (lists, work, flags, extra) = check.done((lists, work, flags, extra))?;
        Ok(PreferencesChanges {
            desired_titles: lists.0,
            job_types: lists.1,
            work_modes: lists.2,
            locations: lists.3,
            industries: lists.4,
            salary_min: work.0,
            salary_max: work.1,
            salary_currency: work.2,
            available_from: work.3,
            willing_to_relocate: work.4,
            open_to_work: flags.0,
            email_notifications: flags.1,
            marketing_emails: flags.2,
            extra,
        })
    }
}
