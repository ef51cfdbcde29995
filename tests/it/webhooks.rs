//! Webhooks as admins keep them: made, shown, changed and deleted; secrets that are shown once; never more than fifty.

use crate::{
    secrecy::disk,
    support::{TestApp, at_once::ask_at_once, at_once::count},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

pub const WEBHOOKS: &str = "/api/v1/webhooks";

impl TestApp {
    /// Makes a webhook; its reply, with the secret.
    pub async fn webhook(&self, token: &str, url: &str, events: &[&str]) -> Value {
        let form = json!({ "url": url, "events": events });
        self.post_as(token, WEBHOOKS, form).await.expect(201).body
    }
}

/// The path of a webhook.
pub fn path(webhook: &Value) -> String {
    webhook["_links"]["self"]["href"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_and_shown() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let form = json!({
        "url": "https://hooks.example.com/in?a=b", "events": ["user.deleted", "user.created"], "description": " Billing ",
    });
    let made = app.post_as(&ada.access, WEBHOOKS, form).await.expect(201);
    let at = path(&made.body);
    assert_eq!(made.header("location"), at);
    assert_eq!(made.header("etag"), "\"1\"");
    insta::assert_json_snapshot!(made.body, {
        ".id" => "[id]", ".secret" => "[secret]", "._links.*.href" => "[path]",
    }, @r#"
    {
      "_links": {
        "delete": {
          "href": "[path]"
        },
        "deliveries": {
          "href": "[path]"
        },
        "rotate_secret": {
          "href": "[path]"
        },
        "self": {
          "href": "[path]"
        },
        "update": {
          "href": "[path]"
        }
      },
      "created_at": "2026-01-05T12:00:00Z",
      "description": "Billing",
      "disabled_at": null,
      "disabled_reason": null,
      "enabled": true,
      "events": [
        "user.created",
        "user.deleted"
      ],
      "failing_since": null,
      "id": "[id]",
      "previous_secret_until": null,
      "secret": "[secret]",
      "updated_at": "2026-01-05T12:00:00Z",
      "url": "https://hooks.example.com/in?a=b",
      "version": 1
    }
    "#);
    let mut shown = made.body.clone();
    shown.as_object_mut().unwrap().remove("secret");
    let read = app.get_as(&ada.access, &at).await.expect(200);
    assert_eq!(read.body, shown);
    let listed = app.get_as(&ada.access, WEBHOOKS).await.expect(200);
    assert_eq!(listed.body["items"], json!([shown]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_changed_field_by_field_and_deleted() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let form = json!({ "url": "https://example.com/in", "events": ["user.created"], "description": "Billing" });
    let made = app.post_as(&ada.access, WEBHOOKS, form).await.expect(201);
    let at = path(&made.body);
    let change = json!({ "events": ["*"], "description": null, "enabled": false });
    let changed = app.ask(Method::PATCH, &ada.access, &at, change).await;
    let changed = changed.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    for (field, value) in [
        ("events", json!(["*"])),
        ("description", Value::Null),
        ("enabled", json!(false)),
        ("disabled_reason", json!("by_admin")),
        ("url", json!("https://example.com/in")),
        ("secret", Value::Null),
    ] {
        assert_eq!(changed.body[field], value, "{field}");
    }
    let same = json!({ "enabled": false });
    let same = app.ask(Method::PATCH, &ada.access, &at, same).await;
    assert_eq!(same.expect(200).body["version"], 2);
    let delete = app.ask(Method::DELETE, &ada.access, &at, Value::Null);
    delete.await.expect(204);
    app.get_as(&ada.access, &at)
        .await
        .expect_problem(404, "not_found");
    let trail = app.audit().await;
    for action in ["create_webhook", "update_webhook", "delete_webhook"] {
        let entry = format!("{action} success");
        let entries = trail.iter().filter(|told| **told == entry).count();
        assert_eq!(entries, 1, "{action}: {trail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_a_webhook_is_told_at_once() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let long = "a".repeat(201);
    for (form, broken) in [
        (json!({}), &["events: required", "url: required"][..]),
        (
            json!({ "url": "ftp://example.com", "events": [], "description": long }),
            &["description: too_long", "events: too_short", "url: format"],
        ),
        (
            json!({ "url": "https://a@example.com", "events": ["user.flown"] }),
            &["events: unknown_value", "url: format"],
        ),
        (
            json!({ "url": 7, "events": "user.created" }),
            &["events: format", "url: format"],
        ),
    ] {
        let reply = app.post_as(&ada.access, WEBHOOKS, form).await;
        assert_eq!(reply.violations(), broken);
    }
    let made = app
        .webhook(&ada.access, "https://example.com", &["*"])
        .await;
    let nothing = json!({ "url": null, "events": null, "enabled": null });
    let at = path(&made);
    let reply = app.ask(Method::PATCH, &ada.access, &at, nothing);
    assert_eq!(
        reply.await.violations(),
        ["enabled: required", "events: required", "url: required"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_version_that_was_not_seen_is_refused_and_leaves_a_trace() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let made = app
        .webhook(&ada.access, "https://example.com", &["*"])
        .await;
    let at = path(&made);
    let change = |version: &str| {
        app.request(Method::PATCH, &at)
            .bearer(&ada.access)
            .header("if-match", version)
            .json(json!({ "description": version }))
            .send()
    };
    change("\"1\"").await.expect(200);
    change("\"1\"").await.expect_problem(412, "stale");
    for (method, at) in [
        (Method::DELETE, at.clone()),
        (Method::POST, format!("{at}/rotate-secret")),
    ] {
        let stale = app.request(method, &at).bearer(&ada.access);
        let stale = stale.header("if-match", "\"1\"").send().await;
        stale.expect_problem(412, "stale");
    }
    let trail = app.audit().await;
    for action in ["update_webhook", "delete_webhook", "rotate_webhook_secret"] {
        let entry = format!("{action} refused");
        assert!(trail.contains(&entry), "{entry}: {trail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_webhooks_made_at_once_on_two_nodes_fifty_are_made() {
    let app = TestApp::start().await;
    let other = app.start_node(2, &[]).await;
    let ada = app.ada().await;
    let nodes = [Arc::new(app), Arc::new(other)];
    let asks = (0..60).map(|number| {
        let url = format!("https://example.com/{number}");
        let form = json!({ "url": url, "events": ["*"] });
        (Method::POST, ada.access.clone(), WEBHOOKS.to_owned(), form)
    });
    let replies = ask_at_once(&nodes, asks.collect()).await;
    assert_eq!((count(&replies, 201), count(&replies, 409)), (50, 10));
    let full = replies.into_iter().find(|reply| reply.status == 409);
    full.unwrap().expect_problem(409, "webhook_limit");
    let [app, _] = &nodes;
    let all = format!("{WEBHOOKS}?limit=100");
    let listed = app.get_as(&ada.access, &all).await.expect(200).body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 50);
    let at = path(&listed["items"][20]);
    let delete = app.ask(Method::DELETE, &ada.access, &at, Value::Null);
    delete.await.expect(204);
    app.webhook(&ada.access, "https://example.com", &["*"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_a_secret_is_shown_once_and_neither_it_nor_the_address_can_be_read_anywhere() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let create = || {
        let form =
            json!({ "url": "https://example.com/canary-in-path?canary-in-query", "events": ["*"] });
        app.request(Method::POST, WEBHOOKS)
            .bearer(&ada.access)
            .header("idempotency-key", "once")
            .json(form)
            .send()
    };
    let first = create().await.expect(201);
    let again = create().await.expect(201);
    assert_eq!(first.body, again.body);
    let at = path(&first.body);
    let rotate = format!("{at}/rotate-secret");
    let rotate = app.post_as(&ada.access, &rotate, Value::Null);
    let rotated = rotate.await.expect(200).body;
    let secrets = [&first.body, &rotated].map(|reply| reply["secret"].as_str().unwrap().to_owned());
    assert_ne!(secrets[0], secrets[1]);
    assert_eq!(rotated["previous_secret_until"], "2026-01-06T12:00:00Z");
    for place in [at.as_str(), WEBHOOKS] {
        let told = app.get_as(&ada.access, place).await.expect(200).text;
        assert!(!told.contains("whsec_"), "{told}");
    }
    app.app.do_housekeeping().await.unwrap();
    let figures = app.get("/metrics").await.expect(200).text;
    let trail = app
        .get_as(&ada.access, "/api/v1/audit-logs?limit=100")
        .await;
    let places = [
        ("the disk", disk::contents(&app.db).await),
        ("the log", app.logs.text()),
        ("the figures", figures),
        ("the trail", trail.expect(200).text),
    ];
    for (place, text) in places {
        for secret in [
            "canary-in-path",
            "canary-in-query",
            &secrets[0][6..],
            &secrets[1][6..],
        ] {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
}
