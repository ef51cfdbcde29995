//! `GET /api/v1/events`: who may, which events, in which form.

use super::{EVENTS, each, items, monitor, read};
use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_a_whole_cloud_event() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let bob = app.sign_up(BOB).await;
    let query = format!("?subject={bob}&type=user.created");
    let reply = read(&app, &ada, &query).await;
    insta::assert_json_snapshot!(items(&reply), {
        "[].id" => "[id]", "[].subject" => "[bob]", "[].data.user.id" => "[bob]", "[].requestid" => "[request]",
    }, @r#"
    [
      {
        "data": {
          "user": {
            "country": null,
            "created_at": "2026-01-05T12:00:00Z",
            "email": "bob@example.com",
            "full_name": null,
            "id": "[bob]",
            "is_verified": false,
            "roles": [
              "user"
            ],
            "state_province": null,
            "status": "pending",
            "tier": "basic",
            "username": null
          }
        },
        "datacontenttype": "application/json",
        "id": "[id]",
        "requestid": "[request]",
        "sequence": "00000000000000000001",
        "source": "http://usher.test",
        "specversion": "1.0",
        "subject": "[bob]",
        "time": "2026-01-05T12:00:00Z",
        "type": "user.created"
      }
    ]
    "#);
    assert_eq!(items(&reply)[0]["subject"], bob);
    let here = format!("{EVENTS}{query}");
    assert_eq!(reply.body["_links"]["self"]["href"], here);
    assert_eq!(reply.body["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_to_the_end_and_the_monitor_goes_on_from_there() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    app.bob().await;
    let all = each(&read(&app, &ada, "?limit=100").await, "id");
    assert!(all.len() > 4);
    let mut page = read(&app, &ada, "?limit=2").await;
    let mut seen = each(&page, "id");
    while let Some(next) = page.body["_links"]["next"]["href"].as_str() {
        page = app.get_as(&ada.access, next).await;
        seen.extend(each(&page, "id"));
    }
    assert_eq!(seen, all);
    let empty = read(&app, &ada, &monitor(&page)).await;
    assert_eq!(items(&empty).len(), 0);
    app.carol().await;
    let later = read(&app, &ada, &monitor(&empty)).await;
    assert_eq!(
        each(&later, "type"),
        ["user.created", "user.verification_token.created"]
    );
    assert!(later.header("link").contains("rel=\"monitor\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_batch_form_holds_the_same_events_and_links() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    app.bob().await;
    let page = read(&app, &ada, "?limit=3").await;
    let path = format!("{EVENTS}?limit=3");
    let batch = app.request(Method::GET, &path).bearer(&ada.access);
    let form = "application/cloudevents-batch+json";
    let batch = batch.header("accept", form).send().await.expect(200);
    assert_eq!(batch.header("content-type"), form);
    assert_eq!(&batch.body, &page.body["items"]);
    assert_eq!(batch.header("link"), page.header("link"));
    let none = app.request(Method::GET, &path).bearer(&ada.access);
    let none = none.header("accept", "text/csv").send().await;
    none.expect_problem(406, "not_acceptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_checked_all_at_once() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let query = "?type=user.sneezed&subject=bob&limit=0&cursor=x";
    let told = read(&app, &ada, query).await.violations();
    let expected = [
        "cursor: format",
        "limit: format",
        "subject: format",
        "type: unknown_value",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_an_entry_that_names_the_filters_and_a_refused_one_too() {
    let app = TestApp::start().await;
    let (ada, max) = (app.ada().await, app.max().await);
    read(&app, &max, "").await.expect_problem(403, "forbidden");
    assert_eq!(app.audit().await.last().unwrap(), "list_events refused");
    read(&app, &ada, "?type=user.created").await.expect(200);
    let details =
        "SELECT details FROM audit_log WHERE action = 'list_events' AND outcome = 'success'";
    assert_eq!(app.db.texts(details).await, [r#"{"filters":["type"]}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_person_the_feed_keeps_the_order_and_nothing_else() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let bob = app.bob().await;
    let query = format!("?subject={}", bob.id);
    let before = read(&app, &ada, &query).await;
    let path = format!("/api/v1/users/{}", bob.id);
    let erased = app.ask(Method::DELETE, &ada.access, &path, Value::Null);
    erased.await.expect(204);
    let after = read(&app, &ada, &query).await;
    let (last, gone) = items(&after).split_last().unwrap();
    assert_eq!(last["type"], "user.deleted");
    assert_eq!(last["data"], json!({ "mode": "erased" }));
    assert_eq!(last.get("withheld"), None);
    assert_eq!(gone.len(), items(&before).len());
    for (before, after) in items(&before).iter().zip(gone) {
        let mut expected = before.clone();
        expected["data"] = Value::Null;
        expected["withheld"] = json!("erased");
        assert_eq!(after, &expected);
    }
    assert!(!after.text.contains(BOB));
}
