//! One's own extended profile.

use crate::support::{Reply, TestApp, at_once::count, people::Person};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const PROFILE: &str = "/api/v1/users/me/profile";

async fn change(app: &TestApp, who: &Person, tag: Option<&str>, body: Value) -> Reply {
    let mut request = app.request(Method::PUT, PROFILE).bearer(&who.access);
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    request.json(body).send().await
}

fn all() -> Value {
    json!({
        "headline": " Analyst of engines ", "bio": "First line.\r\nSecond line.", "company": "Analytical Engines",
        "website": "https://Ada.example", "links": ["https://code.example/ada", "https://code.example/ada"],
        "phone": "+44 (0)20 7946 0958", "experience_years": 12, "skills": ["Mathematics", "mathematics", "Poetry"],
        "languages": ["EN-gb", "fr"], "visibility": "private",
        "education": [{ "institution": "At home", "field": "Mathematics", "start_year": 1930, "end_year": null }],
        "version": 99, "user_id": "0", "updated_at": null,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_told_nothing_has_an_empty_profile_at_version_0() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let profile = app.get_as(&bob.access, PROFILE).await.expect(200);
    assert_eq!(profile.header("etag"), "\"0\"");
    insta::assert_json_snapshot!(profile.body, @r#"
    {
      "_links": {
        "self": {
          "href": "/api/v1/users/me/profile"
        },
        "update": {
          "href": "/api/v1/users/me/profile"
        }
      },
      "bio": null,
      "company": null,
      "education": [],
      "experience_years": null,
      "headline": null,
      "languages": [],
      "links": [],
      "phone": null,
      "skills": [],
      "updated_at": null,
      "version": 0,
      "visibility": "members",
      "website": null
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_kept_in_its_standard_form() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let told = change(&app, &bob, None, all()).await.expect(200);
    assert_eq!(told.header("etag"), "\"1\"");
    insta::assert_json_snapshot!(told.body, @r#"
    {
      "_links": {
        "self": {
          "href": "/api/v1/users/me/profile"
        },
        "update": {
          "href": "/api/v1/users/me/profile"
        }
      },
      "bio": "First line.\nSecond line.",
      "company": "Analytical Engines",
      "education": [
        {
          "degree": null,
          "end_year": null,
          "field": "Mathematics",
          "institution": "At home",
          "start_year": 1930
        }
      ],
      "experience_years": 12,
      "headline": "Analyst of engines",
      "languages": [
        "en-GB",
        "fr"
      ],
      "links": [
        "https://code.example/ada"
      ],
      "phone": "+442079460958",
      "skills": [
        "Mathematics",
        "Poetry"
      ],
      "updated_at": "2026-01-05T12:00:00Z",
      "version": 1,
      "visibility": "private",
      "website": "https://ada.example/"
    }
    "#);
    for path in [PROFILE, "/users/me/profile"] {
        let read = app.get_as(&bob.access, path).await.expect(200);
        assert_eq!(read.body, told.body);
        assert_eq!(read.header("cache-control"), "no-store");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_left_out_stays_and_null_empties_it_by_put_and_patch_alike() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    change(&app, &bob, None, all()).await.expect(200);
    for (method, field) in [(Method::PUT, "bio"), (Method::PATCH, "skills")] {
        let request = app.request(method, PROFILE).bearer(&bob.access);
        let nothing = json!({ field: null });
        request.json(nothing).send().await.expect(200);
    }
    let body = json!({ "visibility": null, "education": null });
    let told = change(&app, &bob, None, body).await.expect(200).body;
    assert_eq!((&told["bio"], &told["skills"]), (&Value::Null, &json!([])));
    assert_eq!(told["visibility"], "members");
    assert_eq!(told["education"], json!([]));
    assert_eq!(told["company"], "Analytical Engines");
    assert_eq!(told["version"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_2_2_all_broken_fields_are_told_at_once_and_nothing_changes() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let broken = json!({
        "headline": "x".repeat(151), "bio": "x".repeat(2001), "company": "a\nb", "website": "javascript:alert(1)",
        "links": ["https://ok.example", "data:text/html,x"], "phone": "0612345678", "experience_years": 81,
        "skills": vec!["x"; 51], "languages": ["Klingon language"], "visibility": "Public",
        "education": [{ "degree": "" }, { "institution": "A", "start_year": 2000, "end_year": 1999 }],
    });
    let reply = change(&app, &bob, None, broken).await;
    assert_eq!(
        reply.violations(),
        [
            "bio: too_long",
            "company: format",
            "education.degree: too_short",
            "education.end_year: mismatch",
            "education.institution: required",
            "experience_years: out_of_range",
            "headline: too_long",
            "languages: format",
            "links: format",
            "phone: format",
            "skills: too_long",
            "visibility: unknown_value",
            "website: format",
        ]
    );
    assert!(!reply.text.contains("alert"), "{}", reply.text);
    let typed = json!({
        "headline": 1, "experience_years": 1.5, "skills": "a", "links": [1], "education": [{ "institution": 1 }],
    });
    let reply = change(&app, &bob, None, typed).await;
    assert_eq!(reply.violations().len(), 5, "{}", reply.text);
    let read = app.get_as(&bob.access, PROFILE).await.expect(200);
    assert_eq!(read.body["version"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_seen_is_changed() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let bio = |text: &str| json!({ "bio": text });
    change(&app, &bob, Some("\"1\""), bio("A"))
        .await
        .expect_problem(412, "stale");
    change(&app, &bob, Some("\"0\""), bio("A"))
        .await
        .expect(200);
    change(&app, &bob, Some("\"0\""), bio("B"))
        .await
        .expect_problem(412, "stale");
    change(&app, &bob, Some("*"), bio("C")).await.expect(200);
    let trail = app.audit().await;
    let of = |row: &str| trail.iter().filter(|told| *told == row).count();
    assert_eq!(of("update_profile refused"), 2);
    assert_eq!(of("update_profile success"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_first_writes_at_once_none_is_lost_and_none_wins_twice() {
    const FIELDS: [&str; 4] = ["headline", "bio", "company", "phone"];
    for tag in [None, Some("\"0\"")] {
        let app = Arc::new(TestApp::start().await);
        let bob = app.bob().await;
        let writers: Vec<_> = FIELDS
            .into_iter()
            .map(|field| {
                let (app, bob) = (Arc::clone(&app), bob.clone());
                let body = json!({ field: "+31612345678" });
                tokio::spawn(async move { change(&app, &bob, tag, body).await })
            })
            .collect();
        let mut replies = Vec::new();
        for writer in writers {
            replies.push(writer.await.unwrap());
        }
        let read = app.get_as(&bob.access, PROFILE).await.expect(200).body;
        let told = FIELDS.iter().filter(|field| !read[**field].is_null());
        let wins = if tag.is_some() { 1 } else { FIELDS.len() };
        assert_eq!((count(&replies, 200), told.count()), (wins, wins));
        assert_eq!(read["version"], json!(wins));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_can_be_found_at_once_and_not_when_it_is_private() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.bob().await, app.pia().await);
    let found = async || {
        let path = "/api/v1/users/search?q=blacksmith&open_to_work=true";
        let reply = app.get_as(&pia.access, path).await.expect(200);
        reply.body["items"].as_array().unwrap().len()
    };
    let put = async |path: &str, body: Value| {
        let path = format!("/api/v1/users/me/{path}");
        let request = app.request(Method::PUT, &path).bearer(&bob.access);
        request.json(body).send().await.expect(200);
    };
    put("profile", json!({ "headline": "Blacksmith" })).await;
    assert_eq!(found().await, 0);
    put("preferences", json!({ "open_to_work": true })).await;
    assert_eq!(found().await, 1);
    put("profile", json!({ "visibility": "private" })).await;
    assert_eq!(found().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_once_by_names_and_no_change_not_at_all() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for _ in 0..2 {
        let told = change(&app, &bob, None, all()).await.expect(200);
        assert_eq!(told.header("etag"), "\"1\"");
    }
    let body = json!({ "phone": null, "bio": null });
    change(&app, &bob, None, body).await.expect(200);
    let details = "SELECT details FROM audit_log WHERE action = 'update_profile' ORDER BY at, id";
    let details = app.db.texts(details).await;
    assert_eq!(details.len(), 2);
    assert_eq!(details[1], r#"{"changed":["profile.bio","profile.phone"]}"#);
    let events = app.events().await;
    let updated = events.iter().filter(|kind| *kind == "user.updated");
    assert_eq!(updated.count(), 2);
    let me = app.get_as(&bob.access, "/api/v1/users/me").await;
    assert_eq!(me.body["version"], 2, "the account is as it was");
}
