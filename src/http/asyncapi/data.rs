//! What each type of event carries in `data`, as JSON Schema.

use crate::domain::event::EventType;
use serde_json::{Map, Value, json};

/// What happened, in a sentence.
pub fn summary(kind: EventType) -> &'static str {
    match kind {
        EventType::Created => "An account was made.",
        EventType::Updated => "The account, profile or preferences were changed.",
        EventType::Restored => "A deactivated or terminated account is active again.",
        EventType::RolesChanged => "An admin has set the roles.",
        EventType::SubscriptionChanged => "The tier or its end was changed.",
        EventType::Deleted => {
            "The account ended: deactivated (`soft`), by its owner (`terminated`), or for good (`erased`)."
        }
        EventType::VerificationTokenCreated => "A link that confirms the address was made.",
        EventType::PasswordResetRequested => "A link for a new password was made.",
        EventType::Verified => "The address was confirmed.",
        EventType::LoggedIn => "A session began.",
        EventType::LoginFailed => "A wrong password was given.",
        EventType::LoggedOut => "The person ended this session, or all.",
        EventType::PasswordChanged => "The password was changed or reset.",
        EventType::EmailChanged => "The account has another address.",
        EventType::Locked => "Too many wrong passwords: sign-in by password waits for a reset.",
        EventType::SessionRevoked => "Sessions were ended by somebody else or by the service.",
        EventType::MailRequested => "A mail is to be sent; only with `MAIL_TRANSPORT=events`.",
    }
}

/// The data of a type.
pub fn schema(kind: EventType) -> Value {
    let (properties, required) = fields(kind);
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Its members, and which of them are always there.
fn fields(kind: EventType) -> (Value, &'static [&'static str]) {
    match kind {
        EventType::Created | EventType::Restored | EventType::Verified => {
            (json!({ "user": part("User") }), &["user"])
        }
        EventType::Updated => (
            json!({ "user": part("User"), "changed": texts("The names of the changed fields.") }),
            &["user", "changed"],
        ),
        EventType::RolesChanged => (
            json!({ "user": part("User"), "previous_roles": texts("The roles before.") }),
            &["user", "previous_roles"],
        ),
        EventType::SubscriptionChanged => (
            json!({ "user": part("User"), "subscription": {
                "type": "object", "required": ["tier", "until"],
                "properties": { "tier": text("`basic` or `premium`."), "until": time_or_null("When it ends.") },
            } }),
            &["user", "subscription"],
        ),
        EventType::Deleted => (
            json!({ "mode": { "enum": ["soft", "terminated", "erased"] } }),
            &["mode"],
        ),
        EventType::VerificationTokenCreated => {
            link("verification_id", &["verification_id", "expires_at"])
        }
        EventType::PasswordResetRequested => {
            link("password_reset_id", &["password_reset_id", "expires_at"])
        }
        EventType::LoggedIn => (json!({ "session_id": id("The session.") }), &["session_id"]),
        EventType::LoginFailed => (json!({ "reason": text("A stable code.") }), &["reason"]),
        EventType::LoggedOut => (
            json!({
                "session_id": id("The session, if it was one."),
                "sessions_ended": count("How many ended, if it was all."),
            }),
            &[],
        ),
        EventType::PasswordChanged => (
            json!({
                "sessions_ended": count("How many sessions ended with it."),
                "reclaimed": flag("Whether an account that was never confirmed was handed over to the owner of its address."),
            }),
            &["sessions_ended"],
        ),
        EventType::EmailChanged => (json!({ "email": text("The new address.") }), &["email"]),
        EventType::Locked => (
            json!({ "failures": count("How many wrong passwords.") }),
            &["failures"],
        ),
        EventType::SessionRevoked => (
            json!({
                "session_id": id("The session, if it was one."),
                "sessions_ended": count("How many ended, if it was more."),
                "reason": text("Why, as a stable word."),
            }),
            &["reason"],
        ),
        EventType::MailRequested => (json!({ "mail": part("Mail") }), &["mail"]),
    }
}

/// What several types carry.
pub fn shared() -> Map<String, Value> {
    Map::from_iter([("User".to_owned(), user()), ("Mail".to_owned(), mail())])
}

fn user() -> Value {
    json!({
        "type": "object",
        "description": "The person after what happened.",
        "required": ["id", "email", "username", "full_name", "country", "state_province", "status", "roles", "tier", "is_verified", "created_at"],
        "properties": {
            "id": id("The person."),
            "email": text("The address."),
            "username": text_or_null("The username."),
            "full_name": text_or_null("The name."),
            "country": text_or_null("ISO 3166-1 alpha-2."),
            "state_province": text_or_null("Free text."),
            "status": { "enum": ["pending", "active", "deactivated", "terminated"] },
            "roles": { "type": "array", "items": { "enum": ["user", "manager", "admin"] }, "minItems": 1 },
            "tier": { "enum": ["basic", "premium"] },
            "is_verified": flag("Whether the address is confirmed."),
            "created_at": time("When the account was made."),
        },
    })
}

fn mail() -> Value {
    json!({
        "type": "object",
        "description": "A mail for another service to send; only with `MAIL_TRANSPORT=events`.",
        "required": ["to", "template", "locale", "name", "link", "values"],
        "properties": {
            "to": text("The recipient's address."),
            "template": text("What the mail is for, such as `verify_email`."),
            "locale": text_or_null("The person's language (BCP 47)."),
            "name": text_or_null("The person's name."),
            "link": text_or_null("Where the mail leads. A secret, as a rule: whoever has it can use it."),
            "values": { "type": "object", "description": "What else the mail says, by name." },
        },
    })
}

/// A mailed link, which is named and not told.
fn link(name: &str, required: &'static [&'static str]) -> (Value, &'static [&'static str]) {
    let expires = time("When the link ends.");
    let link = json!({ name: id("The link; not its secret."), "expires_at": expires, "mail": part("Mail") });
    (link, required)
}

fn part(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn id(description: &str) -> Value {
    json!({ "type": "string", "format": "uuid", "description": description })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn text_or_null(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

fn time_or_null(description: &str) -> Value {
    json!({ "type": ["string", "null"], "format": "date-time", "description": description })
}

fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}
