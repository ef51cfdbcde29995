//! What one looks for in work, and which mails one wants.

use crate::support::{Reply, TestApp, at_once::count, people::Person};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const PREFERENCES: &str = "/api/v1/users/me/preferences";

async fn change(app: &TestApp, who: &Person, tag: Option<&str>, body: Value) -> Reply {
    let mut request = app.request(Method::PATCH, PREFERENCES).bearer(&who.access);
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    request.json(body).send().await
}

fn all() -> Value {
    json!({
        "desired_titles": [" Analyst ", "analyst"], "job_types": ["full_time", "contract", "full_time"],
        "work_modes": ["remote"], "locations": ["Utrecht", "Delft"], "salary_min": 0, "salary_max": 1_000_000_000_000_u64,
        "salary_currency": "eur", "industries": ["Engines"], "available_from": "2026-03-01", "willing_to_relocate": true,
        "open_to_work": true, "email_notifications": false, "marketing_emails": true,
        "extra": { "theme": "dark", "columns": [1, 2, { "deep": null }] },
        "version": 99, "user_id": "0",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_told_nothing_has_the_defaults_and_no_advertisement() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let told = app.get_as(&bob.access, PREFERENCES).await.expect(200);
    assert_eq!(told.header("etag"), "\"0\"");
    insta::assert_json_snapshot!(told.body, @r#"
    {
      "_links": {
        "self": {
          "href": "/api/v1/users/me/preferences"
        },
        "update": {
          "href": "/api/v1/users/me/preferences"
        }
      },
      "available_from": null,
      "desired_titles": [],
      "email_notifications": true,
      "extra": {},
      "industries": [],
      "job_types": [],
      "locations": [],
      "marketing_emails": false,
      "open_to_work": false,
      "salary_currency": null,
      "salary_max": null,
      "salary_min": null,
      "updated_at": null,
      "version": 0,
      "willing_to_relocate": false,
      "work_modes": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_kept() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let told = change(&app, &bob, None, all()).await.expect(200);
    assert_eq!(told.header("etag"), "\"1\"");
    insta::assert_json_snapshot!(told.body, @r#"
    {
      "_links": {
        "self": {
          "href": "/api/v1/users/me/preferences"
        },
        "update": {
          "href": "/api/v1/users/me/preferences"
        }
      },
      "available_from": "2026-03-01",
      "desired_titles": [
        "Analyst"
      ],
      "email_notifications": false,
      "extra": {
        "columns": [
          1,
          2,
          {
            "deep": null
          }
        ],
        "theme": "dark"
      },
      "industries": [
        "Engines"
      ],
      "job_types": [
        "full_time",
        "contract"
      ],
      "locations": [
        "Utrecht",
        "Delft"
      ],
      "marketing_emails": true,
      "open_to_work": true,
      "salary_currency": "EUR",
      "salary_max": 1000000000000,
      "salary_min": 0,
      "updated_at": "2026-01-05T12:00:00Z",
      "version": 1,
      "willing_to_relocate": true,
      "work_modes": [
        "remote"
      ]
    }
    "#);
    for path in [PREFERENCES, "/users/me/preferences"] {
        let read = app.get_as(&bob.access, path).await.expect(200);
        assert_eq!(read.body, told.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn null_restores_the_default() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    change(&app, &bob, None, all()).await.expect(200);
    let nothing: serde_json::Map<_, _> = all()
        .as_object()
        .unwrap()
        .keys()
        .map(|field| (field.clone(), Value::Null))
        .collect();
    let request = app.request(Method::PUT, PREFERENCES).bearer(&bob.access);
    let emptied = request
        .json(Value::Object(nothing))
        .send()
        .await
        .expect(200);
    let emptied = emptied.body;
    assert_eq!(emptied["version"], 2);
    assert_eq!(emptied["email_notifications"], true);
    assert_eq!(emptied["marketing_emails"], false);
    assert_eq!(emptied["extra"], json!({}));
    assert_eq!(emptied["salary_max"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_broken_fields_are_told_at_once_and_nothing_changes() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let deep = (0..16).fold(json!(1), |inner, _| json!([inner]));
    let broken = json!({
        "desired_titles": vec!["x"; 21], "job_types": ["full-time"], "work_modes": ["Remote"], "locations": [""],
        "salary_min": -1, "salary_max": 1_000_000_000_001_u64, "salary_currency": "XTS", "industries": "Engines",
        "available_from": "2026-02-29", "willing_to_relocate": "yes", "open_to_work": 1, "extra": { "a": deep },
    });
    let reply = change(&app, &bob, None, broken).await;
    assert_eq!(
        reply.violations(),
        [
            "available_from: format",
            "desired_titles: too_long",
            "extra: too_long",
            "industries: format",
            "job_types: unknown_value",
            "locations: too_short",
            "open_to_work: format",
            "salary_currency: unknown_value",
            "salary_max: out_of_range",
            "salary_min: out_of_range",
            "willing_to_relocate: format",
            "work_modes: unknown_value",
        ]
    );
    for extra in [
        json!([]),
        json!("x"),
        json!({ "a\0": 1 }),
        json!({ "a": "x".repeat(16_384) }),
    ] {
        let reply = change(&app, &bob, None, json!({ "extra": extra })).await;
        assert_eq!(reply.violations().len(), 1);
    }
    let read = app.get_as(&bob.access, PREFERENCES).await.expect(200);
    assert_eq!(read.body["version"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_salary_agrees_with_what_was_told_before() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let alone = change(&app, &bob, None, json!({ "salary_min": 5 })).await;
    assert_eq!(alone.violations(), ["salary_currency: required"]);
    let body = json!({ "salary_min": 5, "salary_currency": "EUR" });
    change(&app, &bob, None, body).await.expect(200);
    let below = change(&app, &bob, None, json!({ "salary_max": 4 })).await;
    assert_eq!(below.violations(), ["salary_max: mismatch"]);
    let without = change(&app, &bob, None, json!({ "salary_currency": null })).await;
    assert_eq!(without.violations(), ["salary_currency: required"]);
    let body = json!({ "salary_min": null, "salary_currency": null });
    change(&app, &bob, None, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_first_writes_at_once_none_is_lost_and_of_those_that_saw_the_same_one_wins() {
    const FIELDS: [&str; 4] = [
        "open_to_work",
        "marketing_emails",
        "willing_to_relocate",
        "extra",
    ];
    for tag in [None, Some("\"0\"")] {
        let app = Arc::new(TestApp::start().await);
        let bob = app.bob().await;
        let writers: Vec<_> = FIELDS
            .into_iter()
            .map(|field| {
                let (app, bob) = (Arc::clone(&app), bob.clone());
                let value = if field == "extra" {
                    json!({ "a": 1 })
                } else {
                    json!(true)
                };
                tokio::spawn(async move { change(&app, &bob, tag, json!({ field: value })).await })
            })
            .collect();
        let mut replies = Vec::new();
        for writer in writers {
            replies.push(writer.await.unwrap());
        }
        let read = app.get_as(&bob.access, PREFERENCES).await.expect(200).body;
        let told = FIELDS
            .iter()
            .filter(|field| read[**field] == true || read[**field] == json!({ "a": 1 }));
        let wins = if tag.is_some() { 1 } else { FIELDS.len() };
        assert_eq!((count(&replies, 200), told.count()), (wins, wins));
        assert_eq!(count(&replies, 412), FIELDS.len() - wins);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_once_by_names_and_no_change_not_at_all() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let body = json!({ "salary_max": 7, "salary_currency": "USD", "open_to_work": true, "marketing_emails": false });
    for _ in 0..2 {
        change(&app, &bob, None, body.clone()).await.expect(200);
    }
    let details = "SELECT details FROM audit_log WHERE action = 'update_preferences'";
    assert_eq!(
        app.db.texts(details).await,
        [
            r#"{"changed":["preferences.salary_max","preferences.salary_currency","preferences.open_to_work"]}"#
        ]
    );
    let events = app.events().await;
    let updated = events.iter().filter(|kind| *kind == "user.updated");
    assert_eq!(updated.count(), 1);
}
