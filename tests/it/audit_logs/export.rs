//! All that match as one stream of lines, however many.

use super::{LOGS, read};
use crate::support::{Reply, TestApp, people::Person};
use axum::http::Method;
use serde_json::Value;

const MANY: usize = 1_234;

async fn export(app: &TestApp, who: &Person, query: &str) -> Reply {
    let request = app.request(Method::GET, &format!("{LOGS}{query}"));
    let request = request.bearer(&who.access);
    request
        .header("accept", "application/x-ndjson")
        .send()
        .await
}

fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let lines = reply.text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Entries of one moment, as nobody could make them.
async fn add_many(app: &TestApp) {
    let (id, from, at) = if app.db.is_postgres() {
        let from = format!("FROM generate_series(1, {MANY})");
        (
            "gen_random_uuid()",
            from,
            "'2026-01-04T12:00:00Z'::timestamptz",
        )
    } else {
        let from = format!(
            "FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) SELECT i FROM n)"
        );
        ("randomblob(16)", from, "'2026-01-04T12:00:00+00:00'")
    };
    let sql = format!(
        "INSERT INTO audit_log (id, at, action, outcome, actor_type, request_id, details)
         SELECT {id}, {at}, 'made_up', 'success', 'system', 'r', '{{}}' {from}"
    );
    assert_eq!(app.db.execute(&sql).await, MANY as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_entry_once_and_not_itself() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    add_many(&app).await;
    let all = app.db.number("SELECT count(*) FROM audit_log").await;
    let reply = export(&app, &ada, "?limit=1").await.expect(200);
    let entries = lines(&reply);
    assert_eq!(i64::try_from(entries.len()).unwrap(), all);
    let mut ids: Vec<&str> = entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), entries.len());
    assert!(entries.is_sorted_by(|a, b| a["at"].as_str() >= b["at"].as_str()));
    let of_one_action = lines(&export(&app, &ada, "?action=made_up").await);
    assert_eq!(of_one_action.len(), MANY);
    let page = read(&app, &ada, "?limit=1&action=made_up").await;
    assert_eq!(page.body["items"][0], of_one_action[0]);
    let details = "SELECT details FROM audit_log WHERE action = 'list_audit_logs' ORDER BY at, id";
    let read: Value = serde_json::from_str(&app.db.texts(details).await[0]).unwrap();
    assert_eq!(read["format"], "ndjson");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_refused_like_a_page() {
    let app = TestApp::start().await;
    let (ada, bob, max) = (app.ada().await, app.bob().await, app.max().await);
    export(&app, &bob, "").await.expect(403);
    export(&app, &ada, "?ip=x").await.expect(422);
    let subjects = lines(&export(&app, &max, "").await);
    assert!(
        subjects
            .iter()
            .all(|entry| entry["subject"]["id"] == bob.id.as_str())
    );
    assert!(!subjects.is_empty());
    let page = app.request(Method::GET, LOGS).bearer(&ada.access);
    let page = page.header("accept", "text/html").send().await;
    page.expect_problem(406, "not_acceptable");
}
