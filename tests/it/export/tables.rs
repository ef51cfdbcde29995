//! The export against the schema: a new table that names people fails here until it is exported or excused.

use super::{EXPORT, busy_bob};
use crate::support::TestApp;
use std::collections::BTreeSet;

/// Tables with people in them, and their section.
const EXPORTED: &[(&str, &str)] = &[
    ("audit_log", "activity"),
    ("avatars", "account"),
    ("credentials", "password"),
    ("email_changes", "email_changes"),
    ("email_verifications", "email_verifications"),
    ("invitations", "invitations"),
    ("known_devices", "known_devices"),
    ("outbox_events", "events"),
    ("outbox_mails", "mails"),
    ("password_resets", "password_resets"),
    ("user_preferences", "preferences"),
    ("user_profiles", "profile"),
    ("user_roles", "roles"),
    ("user_sessions", "sessions"),
    ("users", "account"),
];

/// Tables with people in them that are left out, and why. `mail_requests` is not among them: a row of it names nobody, whether
/// somebody has its address is not known before it is gone, and what comes of it is in other tables.
const EXCUSED: &[(&str, &str)] = &[
    (
        "failed_logins",
        "gone when it is on record: in the audit trail, the events and the count",
    ),
    (
        "idempotency_keys",
        "answers that only their request opens, for a day",
    ),
    (
        "search_documents",
        "a copy of what account, profile and preferences hold",
    ),
    ("user_keys", "a wrapped key is no datum about the person"),
];

/// Columns that name a person.
pub const NAMES: &str = "'user_id', 'actor_id', 'subject_id', 'key_owner', 'viewer_id', 'owner_id'";

/// Every table that names people, by its columns or its foreign keys.
pub async fn tables_with_people(app: &TestApp) -> BTreeSet<String> {
    let sql = if app.db.is_postgres() {
        format!(
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name IN ({NAMES}) \
             UNION SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'users'::regclass"
        )
    } else {
        format!(
            "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name IN ({NAMES}) \
             UNION SELECT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f.\"table\" = 'users'"
        )
    };
    let mut all: BTreeSet<_> = app.db.texts(&sql).await.into_iter().collect();
    all.insert("users".to_owned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_names_people_is_exported_or_excused() {
    let app = TestApp::start().await;
    let bob = busy_bob(&app).await;
    let known: BTreeSet<_> = EXPORTED
        .iter()
        .chain(EXCUSED)
        .map(|(table, _)| (*table).to_owned())
        .collect();
    let found = tables_with_people(&app).await;
    assert!(found.len() > 12, "{found:?}");
    let new: Vec<_> = found.difference(&known).collect();
    assert!(
        new.is_empty(),
        "{new:?}: add to src/storage/export.rs and EXPORTED, or excuse here"
    );
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "{gone:?} are not in the schema");
    let told = app.get_as(&bob.access, EXPORT).await.expect(200).body;
    for (table, section) in EXPORTED {
        let rows = &told[section];
        // Nobody has invited Bob.
        let is_filled = rows.as_object().is_some_and(|row| !row.is_empty())
            || rows.as_array().is_some_and(|rows| !rows.is_empty())
            || *table == "invitations" && rows.is_array();
        assert!(is_filled, "{table}: {section} is {rows}");
    }
}
