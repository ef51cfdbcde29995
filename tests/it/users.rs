//! One's own account as the API shows it.

use crate::support::{TestApp, app::PASSWORD, people::BOB};
use axum::http::Method;
use serde_json::json;

const PATHS: [&str; 4] = [
    "/api/v1/users/me",
    "/users/me",
    "/api/v1/auth/me",
    "/auth/me",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_path_shows_the_same_account() {
    let app = TestApp::start().await;
    let form = json!({
        "email": BOB, "password": PASSWORD, "username": "bob_1", "full_name": "Bob O'Neil",
        "country": "Netherlands", "state_province": "Utrecht", "locale": "nl-NL",
    });
    app.post("/api/v1/auth/register", form).await.expect(201);
    app.verify(BOB).await;
    app.advance(chrono::TimeDelta::minutes(5));
    let bob = app.sign_in(BOB).await;
    for path in PATHS {
        let me = app.get_as(&bob.access, path).await.expect(200);
        assert_eq!(me.header("cache-control"), "no-store");
        assert_eq!(me.header("content-type"), "application/json");
        assert_eq!(me.body["id"], bob.id);
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(me.body, { ".id" => "[id]" }, @r#"
            {
              "_links": {
                "activity": {
                  "href": "/api/v1/users/me/activity"
                },
                "delete": {
                  "href": "/api/v1/users/me"
                },
                "export": {
                  "href": "/api/v1/users/me/export"
                },
                "preferences": {
                  "href": "/api/v1/users/me/preferences"
                },
                "profile": {
                  "href": "/api/v1/users/me/profile"
                },
                "self": {
                  "href": "/api/v1/users/me"
                },
                "sessions": {
                  "href": "/api/v1/auth/sessions"
                },
                "stats": {
                  "href": "/api/v1/users/me/stats"
                },
                "update": {
                  "href": "/api/v1/users/me"
                }
              },
              "avatar_url": null,
              "country": "NL",
              "created_at": "2026-01-05T12:00:00Z",
              "current_title": null,
              "email": "bob@example.com",
              "full_name": "Bob O'Neil",
              "id": "[id]",
              "is_active": true,
              "is_premium": false,
              "is_terminated": false,
              "is_verified": true,
              "last_login_at": "2026-01-05T12:05:00Z",
              "locale": "nl-NL",
              "location": null,
              "roles": [
                "user"
              ],
              "state_province": "Utrecht",
              "status": "active",
              "tier": "basic",
              "timezone": null,
              "updated_at": "2026-01-05T12:00:00Z",
              "username": "bob_1",
              "version": 2
            }
            "#);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_without_a_live_token() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for path in PATHS {
        let reply = app.get(path).await.expect_problem(401, "unauthenticated");
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        app.get_as("garbage", path).await.expect(401);
        app.get_as(&bob.refresh, path).await.expect(401);
        let basic = app.request(Method::GET, path);
        basic
            .header("authorization", &format!("Basic {}", bob.access))
            .send()
            .await
            .expect(401);
        let query = format!("{path}?access_token={}", bob.access);
        app.get(&query).await.expect(401);
        let reply = app.request(Method::DELETE, "/auth/me").send().await;
        assert_eq!(reply.expect(405).header("allow"), "GET,HEAD");
    }
    app.advance(chrono::TimeDelta::hours(1));
    app.get_as(&bob.access, PATHS[0])
        .await
        .expect_problem(401, "token_expired");
}
