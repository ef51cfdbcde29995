//! People who come from another system, one record each. A record is refused as a whole, with all its reasons.

use super::{
    Timestamp, country,
    email::EmailAddress,
    error::{Fault, Violation},
    password::PasswordHash,
    permission::{Role, Roles},
    text,
    user::{Tier, UserStatus},
    username::Username,
};
use serde_json::{Map, Value};

/// A record that can become an account.
#[derive(Debug, Clone)]
pub struct ImportedPerson {
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub full_name: Option<String>,
    pub country: Option<String>,
    pub state_province: Option<String>,
    pub current_title: Option<String>,
    pub location: Option<String>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    /// As the other system made it; verified and renewed at the first login.
    pub password_hash: Option<PasswordHash>,
    pub is_verified: bool,
    pub status: UserStatus,
    pub roles: Roles,
    pub tier: Tier,
    pub tier_until: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
}

impl ImportedPerson {
    /// Reads a record; `null` and empty text count as left out. Who is verified is active unless the record says
    /// otherwise, and who is active is verified.
    pub fn read(record: &Map<String, Value>) -> Result<Self, Vec<Violation>> {
        let mut reader = Reader {
            record,
            broken: Vec::new(),
        };
        let email = reader.text("email", EmailAddress::parse);
        if email.is_none() && reader.broken.is_empty() {
            reader.broken.push(Violation::required("email"));
        }
        let country = reader.text("country", country::country);
        let state_province = reader.text("state_province", |state| {
            country::state_province(country.as_deref(), state)
        });
        let verified = reader.text("verified", boolean);
        let status = reader.text("status", status);
        let is_verified = verified.unwrap_or(matches!(status, Some(UserStatus::Active)));
        let by_default = if is_verified {
            UserStatus::Active
        } else {
            UserStatus::Pending
        };
        let username = reader.text("username", Username::parse);
        let roles = reader.roles();
        let tier = reader.text("tier", tier).unwrap_or(Tier::Basic);
        let created_at = reader.text("created_at", time);
        let person = email.map(|email| Self {
            email,
            username,
            full_name: reader.text("full_name", line),
            country,
            state_province,
            current_title: reader.text("current_title", line),
            location: reader.text("location", line),
            locale: reader.text("locale", text::locale),
            timezone: reader.text("timezone", text::timezone),
            password_hash: reader.text("password_hash", |hash| {
                Ok(PasswordHash::new(hash.to_owned()))
            }),
            is_verified,
            status: status.unwrap_or(by_default),
            roles,
            tier,
            tier_until: reader.text("tier_until", time),
            created_at,
        });
        match person {
            Some(person) if reader.broken.is_empty() => Ok(person),
            _ => Err(reader.broken),
        }
    }
}

/// Reads fields and gathers what is wrong with them.
struct Reader<'a> {
    record: &'a Map<String, Value>,
    broken: Vec<Violation>,
}

impl Reader<'_> {
    fn text<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let read = match self.record.get(field)? {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => parse(text),
            Value::Bool(flag) => parse(if *flag { "true" } else { "false" }),
            _ => Err(Fault::new("format", "This field has the wrong type.")),
        };
        read.map_err(|fault| self.broken.push(fault.of(field))).ok()
    }

    /// A list, or names between semicolons or spaces.
    fn roles(&mut self) -> Roles {
        let names: Vec<String> = match self.record.get("roles") {
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().unwrap_or("?").to_owned())
                .collect(),
            Some(Value::String(names)) => names
                .split([';', ' ', ','])
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(_) => vec!["?".to_owned()],
        };
        let roles: Vec<Option<Role>> = names.iter().map(|name| Role::parse(name)).collect();
        if roles.contains(&None) {
            self.broken.push(Violation::new(
                "roles",
                "unknown_value",
                "There is no such role.",
            ));
        }
        Roles::new(roles.into_iter().flatten())
    }
}

fn line(text: &str) -> Result<String, Fault> {
    text::line(100, text)
}

fn boolean(text: &str) -> Result<bool, Fault> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(Fault::new("format", "Send true or false.")),
    }
}

fn status(text: &str) -> Result<UserStatus, Fault> {
    UserStatus::parse(text.trim()).ok_or(Fault::new("unknown_value", "There is no such status."))
}

fn tier(text: &str) -> Result<Tier, Fault> {
    Tier::parse(text.trim()).ok_or(Fault::new("unknown_value", "There is no such tier."))
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    chrono::DateTime::parse_from_rfc3339(text.trim())
        .map(|time| time.to_utc())
        .map_err(|_| Fault::new("format", "This is not a time such as 2026-01-31T12:00:00Z."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(record: Value) -> Result<ImportedPerson, Vec<(&'static str, &'static str)>> {
        let Value::Object(fields) = record else {
            panic!("{record}")
        };
        ImportedPerson::read(&fields)
            .map_err(|broken| broken.iter().map(|v| (v.field, v.code)).collect())
    }

    #[test]
    fn a_record_may_be_text_throughout_as_in_a_table() {
        let person = read(json!({
            "email": "ADA@example.com", "full_name": "Ada", "country": "GBR", "verified": "1", "roles": "manager;user",
            "tier": "premium", "tier_until": "2027-01-01T00:00:00+01:00", "username": "", "locale": null, "shoe": 42,
        }))
        .unwrap();
        assert_eq!(person.roles.names(), ["user", "manager"]);
        assert_eq!(
            (person.status, person.is_verified),
            (UserStatus::Active, true)
        );
        assert_eq!(person.country.as_deref(), Some("GB"));
        assert_eq!(
            person.tier_until.unwrap().to_rfc3339(),
            "2026-12-31T23:00:00+00:00"
        );
        assert!(person.username.is_none());
    }

    #[test]
    fn who_is_not_known_to_be_verified_waits() {
        let plain = read(json!({ "email": "a@example.com" })).unwrap();
        assert_eq!(
            (plain.status, plain.is_verified),
            (UserStatus::Pending, false)
        );
        let active = read(json!({ "email": "a@example.com", "status": "active" })).unwrap();
        assert!(active.is_verified);
        let away =
            read(json!({ "email": "a@example.com", "status": "deactivated", "verified": true }))
                .unwrap();
        assert_eq!(away.status, UserStatus::Deactivated);
    }

    #[test]
    fn all_reasons_of_a_refusal_are_told() {
        let broken = read(json!({
            "email": "nobody", "username": "a b", "country": "Atlantis", "roles": ["king"], "tier": "gold",
            "created_at": "yesterday", "verified": 7,
        }));
        let mut broken = broken.unwrap_err();
        broken.sort_unstable();
        assert_eq!(
            broken,
            [
                ("country", "unknown_value"),
                ("created_at", "format"),
                ("email", "format"),
                ("roles", "unknown_value"),
                ("tier", "unknown_value"),
                ("username", "format"),
                ("verified", "format"),
            ]
        );
        assert_eq!(
            read(json!({ "full_name": "Ada" })).unwrap_err(),
            [("email", "required")]
        );
    }

    proptest! {
        #[test]
        fn no_record_breaks_the_reading(field in "(username|country|locale|timezone|verified|roles|tier_until)", text in "\\PC{0,30}") {
            let mut record = Map::new();
            record.insert("email".to_owned(), json!("a@example.com"));
            record.insert(field, json!(text));
            let _ = ImportedPerson::read(&record);
        }
    }
}
