//! Reading the audit trail: who may, which entries, page by page and as a stream.

mod export;
mod filters;

use crate::support::{
    Reply, TestApp,
    app::ADA,
    people::{BOB, Person},
};
use serde_json::{Value, json};

const LOGS: &str = "/api/v1/audit-logs";

/// The trail as somebody reads it.
async fn read(app: &TestApp, who: &Person, query: &str) -> Reply {
    app.get_as(&who.access, &format!("{LOGS}{query}")).await
}

/// `action outcome` of the entries.
fn told(reply: &Reply) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items(reply)
        .iter()
        .map(|item| format!("{} {}", text(&item["action"]), text(&item["outcome"])))
        .collect()
}

fn items(reply: &Reply) -> &Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["items"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_tells_who_what_on_whom_when_from_where_and_how_it_ended() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let ada = app.ada().await;
    let query = format!("?action=login&actor={}", bob.id);
    let reply = read(&app, &ada, &query).await.expect(200);
    let expected = json!({
        "id": reply.body["items"][0]["id"],
        "at": "2026-01-05T12:00:00Z",
        "action": "login",
        "outcome": "success",
        "actor": { "type": "user", "id": bob.id },
        "subject": { "type": "user", "id": bob.id },
        "ip": "192.0.2.1",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "request_id": reply.body["items"][0]["request_id"],
        "details": reply.body["items"][0]["details"],
    });
    let here = format!("{LOGS}{query}");
    let whole = json!({
        "items": [expected],
        "next_cursor": null,
        "_links": { "self": { "href": here }, "first": { "href": here } },
    });
    assert_eq!(reply.body, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_through_all_entries_newest_first_and_back() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    for _ in 0..7 {
        app.sign_in(ADA).await;
    }
    let all = app
        .db
        .texts("SELECT request_id FROM audit_log ORDER BY at DESC, id DESC")
        .await;
    let ids = |reply: &Reply| -> Vec<String> {
        let ids = items(reply).iter().map(|item| &item["request_id"]);
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    // Each read adds an entry, which lies before the first page and moves nothing.
    let first = read(&app, &ada, "?limit=3").await;
    assert_eq!(ids(&first), all[..3]);
    assert!(first.body["_links"]["prev"].is_null());
    let mut seen = ids(&first);
    let mut page = first;
    while let Some(cursor) = page.body["next_cursor"].as_str() {
        let next = page.body["_links"]["next"]["href"].as_str().unwrap();
        assert_eq!(next, format!("{LOGS}?limit=3&cursor={cursor}"));
        let next = app.get_as(&ada.access, next).await;
        seen.extend(ids(&next));
        page = next;
    }
    assert_eq!(seen, all);
    let before = page.body["_links"]["prev"]["href"].as_str().unwrap();
    let before = ids(&app.get_as(&ada.access, before).await);
    let place = all.len() - items(&page).len();
    assert_eq!(before, all[place - 3..place]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_reads_what_was_done_to_users_and_nothing_on_staff() {
    let app = TestApp::start().await;
    let (bob, max, ada) = (app.bob().await, app.max().await, app.ada().await);
    let subjects = |reply: &Reply| -> Vec<String> {
        let ids = items(reply).iter().map(|item| &item["subject"]["id"]);
        let mut ids: Vec<String> = ids.map(|id| id.as_str().unwrap_or("").to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(subjects(&read(&app, &max, "?limit=100").await), [bob.id]);
    for staff in [&max.id, &ada.id] {
        let query = format!("?subject={staff}");
        assert_eq!(items(&read(&app, &max, &query).await).len(), 0);
        assert_ne!(items(&read(&app, &ada, &query).await).len(), 0);
    }
    assert!(subjects(&read(&app, &ada, "?limit=100").await).len() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_the_trail_is_refused_and_it_is_written_down() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let refused = read(&app, &bob, "").await;
    refused.expect_problem(403, "forbidden");
    assert_eq!(app.audit().await.last().unwrap(), "list_audit_logs refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_an_entry_that_names_the_filters_and_no_values() {
    let app = TestApp::start().await;
    let max = app.max().await;
    let query = "?ip=203.0.113.99&action=secret_action&outcome=failed";
    assert_eq!(items(&read(&app, &max, query).await).len(), 0);
    let details = "SELECT details FROM audit_log WHERE action = 'list_audit_logs'";
    let written = app.db.texts(details).await;
    assert_eq!(written.len(), 1);
    let written: Value = serde_json::from_str(&written[0]).unwrap();
    let expected = json!({ "filters": ["action", "outcome", "ip"], "format": "json" });
    assert_eq!(written, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_forgotten_by_the_trail_and_what_happened_is_not() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let ada = app.ada().await;
    let query = format!("?subject={}", bob.id);
    let before = read(&app, &ada, &query).await;
    app.set_in_users_table(BOB, &bob.id, "DELETE FROM user_keys WHERE user_id = $id")
        .await;
    let after = read(&app, &ada, &query).await;
    assert_eq!(told(&before), told(&after));
    for (before, after) in items(&before).iter().zip(items(&after)) {
        assert_eq!(before["ip"], "192.0.2.1");
        assert_eq!(
            (&after["ip"], &after["user_agent"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(after["request_id"], before["request_id"]);
    }
}
