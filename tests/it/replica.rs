//! Lists, search and exports come from a streaming copy while it keeps up; who may do what, and what people see of their own, never.

mod servers;

use crate::support::{
    TestApp,
    app::{BEGIN, PASSWORD},
    database::TestDatabase,
    people::{BOB, Person},
};
use serde_json::json;
use servers::Servers;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use usher::Clock;

const USERS: &str = "/api/v1/users";
const ME: &str = "/api/v1/users/me";

/// A primary and its copy; none in a run on SQLite, which has no copies.
async fn servers() -> Option<Servers> {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return None;
    }
    let programs = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
    let programs = db.texts(programs).await.remove(0);
    Some(Servers::start(programs.into()).await)
}

async fn start(servers: &Servers) -> TestApp {
    let (db, copy) = (Arc::new(servers.database().await), servers.copy_url());
    let clock = Clock::hand_wound(BEGIN.parse().unwrap());
    TestApp::start_on(db, clock, 1, &[("DATABASE_REPLICA_URL", &copy)]).await
}

/// The addresses in the list of all people.
async fn listed(app: &TestApp, ada: &Person) -> BTreeSet<String> {
    let list = app.get_as(&ada.access, USERS).await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    let email = |item: &serde_json::Value| item["email"].as_str().unwrap().to_owned();
    items.iter().map(email).collect()
}

/// Lets the copy stand still as it is now, with the service sure that it keeps up.
async fn freeze(app: &TestApp, servers: &Servers) {
    servers
        .ask_copy("SELECT pg_wal_replay_resume()::text")
        .await;
    let caught_up =
        "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_flush_lsn()";
    while app.db.number(caught_up).await == 0 {
        tokio::task::yield_now().await;
    }
    app.app.do_housekeeping().await.unwrap();
    while app.db.number(caught_up).await == 0 {
        tokio::task::yield_now().await;
    }
    app.app.do_housekeeping().await.unwrap();
    servers.ask_copy("SELECT pg_wal_replay_pause()::text").await;
    while servers
        .ask_copy("SELECT pg_get_wal_replay_pause_state()")
        .await
        != "paused"
    {
        tokio::task::yield_now().await;
    }
}

/// Somebody who is on the primary and not on the copy that lists are read from.
async fn unseen(app: &TestApp, servers: &Servers, ada: &Person) -> String {
    // On a busy machine the copy may count as too old before the list is asked.
    for attempt in 0..20 {
        let email = format!("carol{attempt}@example.com");
        freeze(app, servers).await;
        app.sign_up(&email).await;
        if !listed(app, ada).await.contains(&email) {
            return email;
        }
    }
    panic!("the copy is never read from");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_from_the_copy_and_access_is_decided_on_the_primary() {
    let Some(servers) = servers().await else {
        return;
    };
    let app = start(&servers).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let carol = unseen(&app, &servers, &ada).await;

    let path = format!("{USERS}/{}/deactivate", bob.id);
    app.post_as(&ada.access, &path, json!({})).await.expect(200);
    app.get_as(&bob.access, ME).await.expect(401);
    let form = json!({ "refresh_token": bob.refresh });
    app.post("/api/v1/auth/refresh", form).await.expect(401);
    let form = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/login", form).await.expect(403);
    let path = format!("{USERS}/{}", bob.id);
    let shown = app.get_as(&ada.access, &path).await.expect(200);
    assert_eq!(shown.body["status"], "deactivated");
    let change = json!({ "full_name": "Ada Lovelace" });
    app.ask(axum::http::Method::PATCH, &ada.access, ME, change)
        .await
        .expect(200);
    let own = app.get_as(&ada.access, ME).await.expect(200);
    assert_eq!(own.body["full_name"], "Ada Lovelace");

    // The copy stands still: it is soon too old to be read from.
    while !listed(&app, &ada).await.contains(&carol) {
        app.app.do_housekeeping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_dies_is_replaced_by_the_primary_within_the_same_request() {
    let Some(servers) = servers().await else {
        return;
    };
    let app = start(&servers).await;
    let ada = app.ada().await;
    let carol = unseen(&app, &servers, &ada).await;
    servers.kill_copy();
    assert!(listed(&app, &ada).await.contains(&carol));
    let paths = [
        "/api/v1/users/search?q=carol",
        "/api/v1/audit-logs",
        "/health",
        ME,
    ];
    for path in paths {
        app.get_as(&ada.access, path).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_none_or_is_away_is_never_read_from() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return;
    }
    let mut empty: url::Url = db.url().parse().unwrap();
    empty.set_path("template1");
    for copy in [empty.as_str(), "postgresql://127.0.0.1:1/usher"] {
        let app = TestApp::start_with(&[("DATABASE_REPLICA_URL", copy)]).await;
        app.app.do_housekeeping().await.unwrap();
        let ada = app.ada().await;
        let bob = app.bob().await;
        assert!(listed(&app, &ada).await.contains(BOB));
        app.get_as(&bob.access, ME).await.expect(200);
        app.get_as(&ada.access, "/api/v1/users/search?q=bob")
            .await
            .expect(200);
    }
}

#[test]
fn only_lists_search_and_exports_read_from_the_copy() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services");
    let mut readers = BTreeSet::new();
    for file in std::fs::read_dir(services).unwrap() {
        let path = file.unwrap().path();
        if path.is_file()
            && std::fs::read_to_string(&path)
                .unwrap()
                .contains(".read_lists(")
        {
            readers.insert(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    let may = ["audit_logs.rs", "search.rs", "user_export.rs", "users.rs"];
    assert_eq!(readers, may.map(str::to_owned).into());
}
