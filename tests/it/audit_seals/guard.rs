//! The database itself refuses what would change the trail (16.4.2); sealing, retention and erasure have their way.

use super::{fault, seal};
use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use chrono::TimeDelta;

/// Columns of an entry that say something.
const TOLD: [&str; 13] = [
    "id",
    "at",
    "action",
    "outcome",
    "actor_type",
    "actor_id",
    "subject_id",
    "key_owner",
    "ip_sealed",
    "ip_index",
    "user_agent_sealed",
    "request_id",
    "details",
];

/// Two sealed batches, and entries that are not sealed yet.
async fn trail() -> TestApp {
    let app = TestApp::start().await;
    app.bob().await;
    seal(&app).await;
    app.sign_in(BOB).await;
    seal(&app).await;
    app.sign_in(BOB).await;
    app
}

/// Everything in both tables.
async fn all(app: &TestApp) -> Vec<String> {
    let columns = TOLD.map(|column| {
        if app.db.is_postgres() {
            format!("coalesce(CAST({column} AS text), '')")
        } else {
            format!("hex({column})")
        }
    });
    let entries = format!(
        "SELECT {} || coalesce(sequence, 0) FROM audit_log ORDER BY at, id",
        columns.join(" || ' ' || ")
    );
    let seals = "SELECT kind || sequence || CAST(at AS text) FROM audit_seals ORDER BY sequence";
    let mut all = app.db.texts(&entries).await;
    all.extend(app.db.texts(seals).await);
    all
}

async fn is_refused(app: &TestApp, sql: &str) {
    let before = all(app).await;
    assert!(app.db.refusal(sql).await.is_some(), "{sql}");
    assert_eq!(all(app).await, before, "{sql}");
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_the_database_refuses_to_change_or_delete_entries_and_checkpoints() {
    let app = trail().await;
    for column in TOLD {
        for which in ["sequence = 2", "sequence IS NULL"] {
            let update = format!("UPDATE audit_log SET {column} = {column} WHERE {which}");
            is_refused(&app, &update).await;
        }
    }
    let mut tries = vec![
        "UPDATE audit_log SET sequence = NULL WHERE sequence = 2",
        "UPDATE audit_log SET sequence = -sequence WHERE sequence = 2",
        "UPDATE audit_log SET hash = NULL WHERE sequence = 2",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE sequence = 1",
        "DELETE FROM audit_log WHERE sequence IS NULL",
        "DELETE FROM audit_seals",
        "UPDATE audit_seals SET count = count + 1",
        "UPDATE audit_seals SET signature = hash",
        "UPDATE audit_seals SET kind = 'beginning', sequence = sequence + 1000",
        "INSERT INTO audit_seals SELECT 1000000, 'beginning', hash, count, at, key_id, signature FROM audit_seals",
    ];
    if app.db.is_postgres() {
        tries.extend(["TRUNCATE audit_log", "TRUNCATE audit_seals"]);
    } else {
        tries.extend([
            "REPLACE INTO audit_log SELECT * FROM audit_log WHERE sequence IS NULL",
            "REPLACE INTO audit_log SELECT * FROM audit_log WHERE sequence = 2",
            "REPLACE INTO audit_seals SELECT * FROM audit_seals",
        ]);
    }
    for sql in tries {
        is_refused(&app, sql).await;
    }
    seal(&app).await;
    assert_eq!(fault(&app.db, &[]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_what_is_deleted_behind_a_false_beginning_is_found() {
    let app = trail().await;
    let first = app.db.number("SELECT min(sequence) FROM audit_seals").await;
    let forge = format!("UPDATE audit_seals SET kind = 'beginning' WHERE sequence = {first}");
    app.db.execute(&forge).await;
    let after = format!("DELETE FROM audit_log WHERE sequence = {}", first + 1);
    is_refused(&app, &after).await;
    let before = format!("DELETE FROM audit_log WHERE sequence = {first}");
    assert_eq!(app.db.execute(&before).await, 1);
    let found = format!("checkpoint_changed {first}");
    assert_eq!(fault(&app.db, &[]).await, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_stands_in_the_way_of_no_erasure_sealing_or_retention() {
    let app = TestApp::start_with(&[("AUDIT_RETENTION_DAYS", "30")]).await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    seal(&app).await;
    let path = format!("/api/v1/users/{}", bob.id);
    let erase = app.request(Method::DELETE, &path).bearer(&ada.access);
    erase.send().await.expect(204);
    for _ in 0..4 {
        app.advance(TimeDelta::days(15));
        app.ada().await;
        seal(&app).await;
    }
    let kept = app.db.number("SELECT min(sequence) FROM audit_log").await;
    assert!(kept > 1, "nothing went");
    assert_eq!(fault(&app.db, &[]).await, "");
}
