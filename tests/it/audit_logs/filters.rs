//! Which entries: every filter alone and together, and what is no filter.

use super::{items, read, told};
use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_gives_what_it_names() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::hours(1));
    let form = json!({ "email": BOB, "password": "WrongPass123" });
    let guess = app.request(Method::POST, "/api/v1/auth/login").json(form);
    guess.from("2001:db8::7").send().await.expect(401);
    app.catch_up().await;
    app.advance(TimeDelta::hours(1));
    let ada = app.ada().await;
    let guess = ["login failed"];
    for query in [
        "?outcome=failed",
        "?ip=2001:db8::7",
        "?ip=2001:0db8:0:0:0:0:0:7",
        "?from=2026-01-05T12:30:00Z&to=2026-01-05T13:30:00Z",
        "?from=2026-01-05T13:00:00Z&to=2026-01-05T13:00:00.000001Z",
        "?action=login&outcome=failed&ip=2001:db8::7",
        "?from=2026-01-05T14:30:00%2B01:30&outcome=failed",
    ] {
        assert_eq!(told(&read(&app, &ada, query).await), guess, "{query}");
    }
    let mine = read(&app, &ada, &format!("?actor={}", bob.id)).await;
    assert!(
        items(&mine)
            .iter()
            .all(|item| item["actor"]["id"] == bob.id.as_str())
    );
    assert!(told(&mine).contains(&"login success".to_owned()));
    let on_me = read(&app, &ada, &format!("?subject={}&outcome=failed", bob.id)).await;
    assert_eq!(told(&on_me), guess);
    let actions = read(&app, &ada, "?action=register").await;
    assert_eq!(told(&actions), ["register success"]);
    for nothing in [
        "?ip=192.0.2.9",
        "?action=no_such_action",
        "?to=2020-01-01T00:00:00Z",
        "?actor=01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f",
    ] {
        assert_eq!(
            items(&read(&app, &ada, nothing).await).len(),
            0,
            "{nothing}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_total_counts_all_that_match_and_that_one_may_read() {
    let app = TestApp::start().await;
    app.bob().await;
    let (ada, max) = (app.ada().await, app.max().await);
    let all = app.db.number("SELECT count(*) FROM audit_log").await;
    let reply = read(&app, &ada, "?include=total&limit=1").await;
    assert_eq!(items(&reply).len(), 1);
    assert_eq!(reply.body["total"], all);
    let logins = read(&app, &ada, "?include=total&action=register").await;
    assert_eq!(logins.body["total"], items(&logins).len());
    let few = read(&app, &max, "?include=total&limit=100").await;
    assert_eq!(few.body["total"], items(&few).len());
    assert!(few.body["total"].as_i64().unwrap() < all);
    let without = read(&app, &ada, "").await;
    assert!(without.body.get("total").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_filters_are_told_all_at_once() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let query = "?actor=1&subject=x&action=DROP%20TABLE&outcome=good&ip=1.2.3&from=yesterday&to=1&limit=101&cursor=x";
    let told = read(&app, &ada, query).await.violations();
    let expected = [
        "action: format",
        "actor: format",
        "cursor: format",
        "from: format",
        "ip: format",
        "limit: format",
        "outcome: unknown_value",
        "subject: format",
        "to: format",
    ];
    assert_eq!(told, expected);
    let backwards = "?from=2026-01-05T12:00:00Z&to=2026-01-04T12:00:00Z";
    let told = read(&app, &ada, backwards).await.violations();
    assert_eq!(told, ["to: mismatch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_was_changed_is_refused() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let id = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f";
    let cursors = [
        json!({ "o": "created_at", "k": "1", "i": id }),
        json!({ "o": "-at", "k": "soon", "i": id }),
        json!({ "o": "-at", "k": null, "i": id }),
        json!({ "o": "-at", "k": "99999999999999999999999", "i": id }),
        json!({ "o": "-at", "k": "1", "i": "7" }),
        json!([]),
    ];
    for cursor in cursors {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let text = URL_SAFE_NO_PAD.encode(cursor.to_string());
        let told = read(&app, &ada, &format!("?cursor={text}"))
            .await
            .violations();
        assert_eq!(told, ["cursor: format"], "{cursor}");
    }
}
