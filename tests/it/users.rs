//! Accounts as the API shows them: one's own, and others by id.

mod links;

use crate::support::{
    Reply, TestApp,
    app::{ADA, PASSWORD},
    document::{Document, target},
    people::{BOB, MAX},
};
use axum::http::Method;
use serde_json::{Value, json};

const USERS: &str = "/api/v1/users";
const PATHS: [&str; 4] = [
    "/api/v1/users/me",
    "/users/me",
    "/api/v1/auth/me",
    "/auth/me",
];

/// All that a client sees, but for what names the request itself.
fn seen(mut reply: Reply) -> (u16, Value, Vec<(String, String)>) {
    for name in ["request_id", "instance"] {
        reply.body[name].take();
    }
    let fields = reply.headers.iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let fields = fields.filter(|(name, _)| name != "x-request-id").collect();
    (reply.status, reply.body, fields)
}

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
            insta::assert_json_snapshot!(me.body, { ".id" => "[id]", "._links" => "[links]" }, @r#"
            {
              "_links": "[links]",
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

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_sees_everybody_with_what_can_be_done_about_them() {
    let app = TestApp::start().await;
    let (bob, max) = (app.bob().await, app.max().await);
    let page = app
        .get_as(&max.access, "/api/v1/users?sort=created_at&limit=2")
        .await
        .expect(200);
    assert_eq!(
        [0, 1].map(|at| page.body["items"][at]["email"].clone()),
        [ADA, BOB]
    );
    let link = page.header("link").to_owned();
    assert!(link.contains("rel=\"next\"") && link.contains("rel=\"first\""));
    let relations = |item: &Value| -> Vec<String> {
        item["_links"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let items = page.body["items"].as_array().unwrap();
    assert_eq!(relations(&items[0]), ["preferences", "profile", "self"]);
    assert_eq!(
        relations(&items[1]),
        ["deactivate", "preferences", "profile", "self", "update"]
    );
    let at = format!("{USERS}/{}", bob.id);
    assert_eq!(items[1]["_links"]["self"]["href"], at);
    let one = app.get_as(&max.access, &at).await.expect(200);
    assert_eq!(one.body, items[1]);
    assert_eq!(one.header("etag"), format!("\"{}\"", one.body["version"]));
    let own = app
        .get_as(&max.access, &format!("{USERS}/{}", max.id))
        .await;
    assert_eq!(
        own.expect(200).body["_links"]["self"]["href"],
        "/api/v1/users/me"
    );
    let trail = app.audit().await;
    assert_eq!(
        trail
            .iter()
            .filter(|row| *row == "get_user success")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn e6_who_may_not_see_others_learns_nothing_of_who_is_there() {
    let app = TestApp::start().await;
    let (bob, max) = (app.bob().await, app.max().await);
    let nobody = "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d";
    let at = format!("{USERS}/{}", max.id);
    app.get_as(&bob.access, &at)
        .await
        .expect_problem(403, "premium_required");
    let mut asked = 0;
    for operation in Document::of(&app).await.operations() {
        if !operation.path.starts_with("/api/v1/users/{") {
            continue;
        }
        asked += 1;
        let mut answers = Vec::new();
        for id in [max.id.as_str(), nobody] {
            let (method, at) = (operation.method.clone(), target(&operation.path, id));
            let body = operation.body.clone().unwrap_or_default();
            answers.push(seen(app.ask(method, &bob.access, &at, body).await));
        }
        assert_eq!(answers[0].0, 403, "{}", operation.place());
        assert_eq!(answers[0], answers[1], "{}", operation.place());
    }
    assert!(asked > 10, "only {asked}");
    let mut answers = Vec::new();
    for id in [max.id.as_str(), nobody] {
        let aside = app.post_as(
            &bob.access,
            "/api/v1/users/soft_delete",
            json!({ "ids": [id] }),
        );
        answers.push(seen(aside.await.expect_problem(403, "forbidden")));
    }
    assert_eq!(answers[0], answers[1]);
    app.get_as(&bob.access, USERS)
        .await
        .expect_problem(403, "forbidden");
    let own = app.get_as(&bob.access, &format!("/users/{}", bob.id)).await;
    assert_eq!(own.expect(200).body["email"], BOB);
    for id in [nobody, "me2", "x", "%00", "00000000"] {
        let reply = app.get_as(&max.access, &format!("{USERS}/{id}")).await;
        reply.expect_problem(404, "not_found");
    }
    assert_eq!(max.email, MAX);
}
