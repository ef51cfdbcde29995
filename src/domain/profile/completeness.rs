//! How much of what others look for a person has told. The weights add up to 100 percent.

use super::Profile;
use crate::domain::user::User;

/// How complete an account and its profile are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// 0 to 100.
    pub percent: u8,
    /// What to tell next, what counts most first.
    pub missing: Vec<&'static str>,
}

/// Adds up the weights of what is there: headline, bio and skills 15 each; name, country, title and picture 10 each;
/// experience, education and languages 5 each.
pub fn completeness<E>(user: &User<E>, profile: &Profile) -> Completeness {
    let details = &profile.details;
    let told = [
        ("headline", 15, profile.headline.is_some()),
        ("bio", 15, details.bio.is_some()),
        ("skills", 15, !profile.skills.is_empty()),
        ("full_name", 10, user.full_name.is_some()),
        ("country", 10, user.country.is_some()),
        ("current_title", 10, user.current_title.is_some()),
        ("avatar", 10, user.avatar_tag.is_some()),
        ("experience_years", 5, details.experience_years.is_some()),
        ("education", 5, !details.education.is_empty()),
        ("languages", 5, !details.languages.is_empty()),
    ];
    let there = told.iter().filter(|(_, _, is_there)| *is_there);
    let missing = told.iter().filter(|(_, _, is_there)| !is_there);
    Completeness {
        percent: there.map(|(_, weight, _)| weight).sum(),
        missing: missing.map(|(name, _, _)| *name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::EmailAddress, id::UserId, profile::Education};

    fn bob() -> User {
        let email = EmailAddress::parse("bob@example.com").unwrap();
        let epoch = chrono::DateTime::UNIX_EPOCH;
        User::pending(UserId(uuid::Uuid::nil()), email, epoch)
    }

    #[test]
    fn who_has_told_nothing_is_at_0_and_who_has_told_all_at_100() {
        let nothing = completeness(&bob(), &Profile::default());
        assert_eq!((nothing.percent, nothing.missing.len()), (0, 10));
        assert_eq!(nothing.missing[0], "headline");
        let some = |text: &str| Some(text.to_owned());
        let user = User {
            full_name: some("Bob"),
            country: some("NL"),
            current_title: some("Smith"),
            avatar_tag: some("x"),
            ..bob()
        };
        let mut profile = Profile {
            headline: some("Smith"),
            skills: vec!["iron".to_owned()],
            ..Profile::default()
        };
        profile.details.bio = some("I forge.");
        profile.details.experience_years = Some(0);
        profile.details.languages = vec!["nl".to_owned()];
        let almost = completeness(&user, &profile);
        assert_eq!((almost.percent, almost.missing), (95, vec!["education"]));
        profile.details.education = vec![Education {
            institution: "Delft".to_owned(),
            degree: None,
            field: None,
            start_year: None,
            end_year: None,
        }];
        assert_eq!(completeness(&user, &profile).percent, 100);
    }
}
