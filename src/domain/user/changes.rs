//! A change of an account's basic fields, whoever makes it.

use super::User;
use crate::domain::{
    change::Change,
    country,
    error::{Error, Result},
    username::Username,
};

/// What becomes of each basic field.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    pub username: Change<Username>,
    pub full_name: Change<String>,
    pub country: Change<String>,
    pub state_province: Change<String>,
    pub current_title: Change<String>,
    pub location: Change<String>,
    pub locale: Change<String>,
    pub timezone: Change<String>,
}

impl UserChanges {
    /// Applies them; gives the names of the fields that differ afterwards. Country and state must agree in the end.
    pub fn apply(self, user: &mut User) -> Result<Vec<&'static str>> {
        let before = user.clone();
        self.username.apply(&mut user.username);
        self.full_name.apply(&mut user.full_name);
        self.country.apply(&mut user.country);
        self.state_province.apply(&mut user.state_province);
        self.current_title.apply(&mut user.current_title);
        self.location.apply(&mut user.location);
        self.locale.apply(&mut user.locale);
        self.timezone.apply(&mut user.timezone);
        let changed = differing(&before, user);
        if changed.contains(&"username") {
            user.wished_username = None;
        }
        if changed.contains(&"country") || changed.contains(&"state_province") {
            must_agree(user)?;
        }
        Ok(changed)
    }
}

fn must_agree(user: &User) -> Result<()> {
    let Some(state) = &user.state_province else {
        return Ok(());
    };
    country::state_province(user.country.as_deref(), state)
        .map(|_| ())
        .map_err(|fault| Error::Invalid(vec![fault.of("state_province")]))
}

fn differing(before: &User, after: &User) -> Vec<&'static str> {
    [
        ("username", before.username != after.username),
        ("full_name", before.full_name != after.full_name),
        ("country", before.country != after.country),
        (
            "state_province",
            before.state_province != after.state_province,
        ),
        ("current_title", before.current_title != after.current_title),
        ("location", before.location != after.location),
        ("locale", before.locale != after.locale),
        ("timezone", before.timezone != after.timezone),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::EmailAddress, id::UserId};

    fn bob() -> User {
        let email = EmailAddress::parse("bob@example.com").unwrap();
        let mut bob = User::pending(
            UserId(uuid::Uuid::nil()),
            email,
            chrono::DateTime::UNIX_EPOCH,
        );
        bob.country = Some("NL".to_owned());
        bob.state_province = Some("Utrecht".to_owned());
        bob
    }

    #[test]
    fn only_what_differs_is_named() {
        let mut user = bob();
        let changes = UserChanges {
            full_name: Change::Set("Bob".to_owned()),
            country: Change::Set("NL".to_owned()),
            location: Change::Clear,
            ..UserChanges::default()
        };
        assert_eq!(changes.apply(&mut user).unwrap(), ["full_name"]);
    }

    #[test]
    fn country_and_state_agree_after_a_change_of_either() {
        let to_us = UserChanges {
            country: Change::Set("US".to_owned()),
            ..UserChanges::default()
        };
        assert!(matches!(
            to_us.clone().apply(&mut bob()),
            Err(Error::Invalid(_))
        ));
        let both = UserChanges {
            state_province: Change::Clear,
            ..to_us
        };
        assert_eq!(
            both.apply(&mut bob()).unwrap(),
            ["country", "state_province"]
        );
    }
}
