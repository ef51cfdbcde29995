//! A change of a profile, whoever makes it.

use super::{Education, Profile, Visibility};
use crate::domain::change::Change;

/// What becomes of each field.
#[derive(Clone, Default)]
pub struct ProfileChanges {
    pub headline: Change<String>,
    pub bio: Change<String>,
    pub company: Change<String>,
    pub website: Change<String>,
    pub links: Change<Vec<String>>,
    pub phone: Change<String>,
    pub experience_years: Change<u8>,
    pub skills: Change<Vec<String>>,
    pub languages: Change<Vec<String>>,
    pub education: Change<Vec<Education>>,
    pub visibility: Change<Visibility>,
}

impl ProfileChanges {
    /// Applies them; gives the names of the fields that differ afterwards.
    pub fn apply(self, profile: &mut Profile) -> Vec<&'static str> {
        let before = profile.clone();
        let details = &mut profile.details;
        self.bio.apply(&mut details.bio);
        self.company.apply(&mut details.company);
        self.website.apply(&mut details.website);
        self.links.apply_or(&mut details.links, Vec::new());
        self.phone.apply(&mut details.phone);
        self.experience_years.apply(&mut details.experience_years);
        self.languages.apply_or(&mut details.languages, Vec::new());
        self.education.apply_or(&mut details.education, Vec::new());
        self.headline.apply(&mut profile.headline);
        self.skills.apply_or(&mut profile.skills, Vec::new());
        let default = Visibility::default();
        self.visibility.apply_or(&mut profile.visibility, default);
        differing(&before, profile)
    }
}

fn differing(before: &Profile, after: &Profile) -> Vec<&'static str> {
    let (old, new) = (&before.details, &after.details);
    [
        ("profile.headline", before.headline != after.headline),
        ("profile.bio", old.bio != new.bio),
        ("profile.company", old.company != new.company),
        ("profile.website", old.website != new.website),
        ("profile.links", old.links != new.links),
        ("profile.phone", old.phone != new.phone),
        (
            "profile.experience_years",
            old.experience_years != new.experience_years,
        ),
        ("profile.skills", before.skills != after.skills),
        ("profile.languages", old.languages != new.languages),
        ("profile.education", old.education != new.education),
        ("profile.visibility", before.visibility != after.visibility),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_left_out_stays_and_an_emptied_one_takes_its_default() {
        let mut profile = Profile {
            headline: Some("Smith".to_owned()),
            skills: vec!["iron".to_owned()],
            visibility: Visibility::Private,
            ..Profile::default()
        };
        let changes = ProfileChanges {
            bio: Change::Set("I forge.".to_owned()),
            skills: Change::Clear,
            visibility: Change::Clear,
            phone: Change::Clear,
            ..ProfileChanges::default()
        };
        let fields = changes.apply(&mut profile);
        assert_eq!(
            fields,
            ["profile.bio", "profile.skills", "profile.visibility"]
        );
        assert_eq!(profile.headline.as_deref(), Some("Smith"));
        assert_eq!(profile.visibility, Visibility::Members);
    }
}
