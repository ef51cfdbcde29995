//! A change of a profile as it comes.

use super::VisibilityName;
use crate::{
    domain::{
        Result,
        phone::phone,
        profile::{self, Education, EducationFields, ProfileChanges},
        web_link::web_link,
    },
    http::extract::{Check, Checked, Field},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where and what somebody has studied.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Education, example = json!({
    "institution": "TU Delft", "degree": "MSc", "field": "Mathematics", "start_year": 2001, "end_year": 2006
}))]
pub struct EducationItem {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    #[serde(default)]
    institution: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    degree: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    field: Option<String>,
    #[schema(minimum = 1900, maximum = 2100)]
    #[serde(default)]
    start_year: Option<i64>,
    /// Not before `start_year`.
    #[schema(minimum = 1900, maximum = 2100)]
    #[serde(default)]
    end_year: Option<i64>,
}

impl From<EducationItem> for EducationFields {
    fn from(item: EducationItem) -> Self {
        Self {
            institution: item.institution,
            degree: item.degree,
            field: item.field,
            start_year: item.start_year,
            end_year: item.end_year,
        }
    }
}

impl From<Education> for EducationItem {
    fn from(entry: Education) -> Self {
        Self {
            institution: Some(entry.institution),
            degree: entry.degree,
            field: entry.field,
            start_year: entry.start_year,
            end_year: entry.end_year,
        }
    }
}

/// A change of a profile: a field that is left out stays, `null` empties it; lists are replaced as a whole.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "headline": "Analyst of engines", "website": "https://ada.example", "skills": ["mathematics"], "phone": null
}))]
pub struct UpdateProfileRequest {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 150)]
    #[serde(default)]
    headline: Field<String>,
    /// With line breaks.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    #[serde(default)]
    bio: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    company: Field<String>,
    /// `http` or `https`, without user and password.
    #[schema(value_type = Option<String>, format = "uri", max_length = 2000)]
    #[serde(default)]
    website: Field<String>,
    /// Web addresses as in `website`.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    #[serde(default)]
    links: Field<Vec<String>>,
    /// With its country code; kept as E.164.
    #[schema(value_type = Option<String>, max_length = 40, example = "+31 20 794 6095")]
    #[serde(default)]
    phone: Field<String>,
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 80)]
    #[serde(default)]
    experience_years: Field<i64>,
    /// Each of at most 50 characters.
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    #[serde(default)]
    skills: Field<Vec<String>>,
    /// BCP 47.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(default)]
    languages: Field<Vec<String>>,
    #[schema(value_type = Option<Vec<EducationItem>>, max_items = 20)]
    #[serde(default)]
    education: Field<Vec<EducationItem>>,
    #[schema(value_type = Option<VisibilityName>)]
    #[serde(default)]
    visibility: Field<String>,
}

impl UpdateProfileRequest {
    /// The lawful changes, or all broken rules.
    pub fn parse(self) -> Result<ProfileChanges> {
        let mut check = Check::new();
        let headline = check.text_change("headline", self.headline, profile::headline);
        let bio = check.text_change("bio", self.bio, profile::bio);
        let company = check.text_change("company", self.company, profile::company);
        let website = check.text_change("website", self.website, web_link);
        let links = check.change("links", self.links, |all| profile::links(&all));
        let phone = check.text_change("phone", self.phone, phone);
        let experience = check.change(
            "experience_years",
            self.experience_years,
            profile::experience_years,
        );
        let skills = check.change("skills", self.skills, |all| profile::skills(&all));
        let languages = check.change("languages", self.languages, |all| profile::languages(&all));
        let education = check.list_change("education", self.education, |all| {
            Education::parse_all(all.into_iter().map(EducationFields::from).collect())
        });
        let visibility = check.text_change("visibility", self.visibility, profile::visibility);
        let texts = Checked::all((headline, bio, company, website, links, phone));
        let others = (experience, skills, languages, education, visibility);
        let (texts, others) = check.done((texts, Checked::all(others)))?;
        let (headline, bio, company, website, links, phone) = texts;
        let (experience_years, skills, languages, education, visibility) = others;
        Ok(ProfileChanges {
            headline,
            bio,
            company,
            website,
            links,
            phone,
            experience_years,
            skills,
            languages,
            education,
            visibility,
        })
    }
}
