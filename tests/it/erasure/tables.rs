//! Erasing against the schema: a new table that names people fails here until an erased person leaves it.

use crate::{
    export::tables::{NAMES, tables_with_people},
    support::{TestApp, app::PASSWORD, people::Person},
};
use axum::http::Method;
use serde_json::json;
use std::collections::BTreeSet;

/// What stays, sealed under a key that is destroyed: the trail and the events that tell of it.
const STAY: [&str; 2] = ["audit_log", "outbox_events"];

/// What names nobody by itself: it goes with the session or by its time.
const BY_SESSION: &str =
    "SELECT count(*) FROM refresh_tokens WHERE session_id NOT IN (SELECT id FROM user_sessions)";

/// The tables that name this person.
async fn tables_of(app: &TestApp, id: &str) -> BTreeSet<String> {
    let id = if app.db.is_postgres() {
        format!("'{id}'")
    } else {
        format!("X'{}'", id.replace('-', ""))
    };
    let mut found = BTreeSet::new();
    for table in tables_with_people(app).await {
        let columns = if app.db.is_postgres() {
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
                 AND (column_name IN ({NAMES}) OR '{table}' = 'users' AND column_name = 'id')"
            )
        } else {
            format!(
                "SELECT name FROM pragma_table_info('{table}') WHERE name IN ({NAMES}) OR '{table}' = 'users' AND name = 'id'"
            )
        };
        for column in app.db.texts(&columns).await {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} = {id}");
            if app.db.number(&sql).await > 0 {
                found.insert(table.clone());
            }
        }
    }
    found
}

impl TestApp {
    /// Fills what an ordinary life leaves empty.
    async fn live_a_full_life(&self, ada: &Person, canary: &Person) {
        let new = json!({ "new_email": "canary.new@example.com", "password": PASSWORD });
        self.post_as(&canary.access, "/api/v1/auth/change-email", new)
            .await
            .expect(202);
        let upgrade = self.request(Method::POST, "/api/v1/users/me/upgrade");
        let upgrade = upgrade
            .bearer(&canary.access)
            .header("idempotency-key", "canary-1");
        upgrade.json(json!({})).send().await.expect(200);
        let prefer = json!({ "locations": ["Delft"] });
        let preferences = "/api/v1/users/me/preferences";
        self.ask(Method::PUT, &canary.access, preferences, prefer)
            .await
            .expect(200);
        let there = format!("/api/v1/users/{}", canary.id);
        self.get_as(&ada.access, &there).await.expect(200);
        let wrong = json!({ "email": super::EMAIL, "password": "WrongPass123" });
        self.post("/login", wrong).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_table_that_names_people_only_trail_and_events_still_name_the_erased() {
    let app = TestApp::start().await;
    let (ada, canary) = (app.ada().await, app.canary().await);
    app.live_a_full_life(&ada, &canary).await;
    let made = json!({ "email": "invited@example.com" });
    let made = app.post_as(&ada.access, "/api/v1/users", made).await;
    let invited = made.expect(201).body["id"].as_str().unwrap().to_owned();
    let mut filled = tables_of(&app, &canary.id).await;
    filled.extend(tables_of(&app, &invited).await);
    for table in [
        "audit_log",
        "credentials",
        "email_changes",
        "email_verifications",
        "idempotency_keys",
        "invitations",
        "known_devices",
        "outbox_events",
        "outbox_mails",
        "password_resets",
        "search_documents",
        "user_keys",
        "user_preferences",
        "user_profiles",
        "user_roles",
        "user_sessions",
        "users",
    ] {
        assert!(
            filled.contains(table),
            "{table} is empty before: {filled:?}"
        );
    }
    for id in [&canary.id, &invited] {
        app.erase(&ada, id).await.expect(204);
        app.catch_up().await;
        let left = tables_of(&app, id).await;
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        assert_eq!(left, STAY);
    }
    assert_eq!(app.db.number(BY_SESSION).await, 0);
}
