//! Sessions as their owner sees and ends them.

use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::{BOB, Person},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

const ME: &str = "/api/v1/users/me";
const SESSIONS: &str = "/api/v1/auth/sessions";
const REFRESH: &str = "/api/v1/auth/refresh";

/// Bob on another device.
async fn on_a_phone(app: &TestApp) -> Person {
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
    let reply = app
        .request(Method::POST, "/api/v1/auth/login")
        .header("user-agent", agent)
        .from("2001:db8::7")
        .json(json!({ "email": BOB, "password": PASSWORD }))
        .send()
        .await
        .expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Person {
        id: text(&reply.body["user"]["id"]),
        email: BOB.to_owned(),
        access: text(&reply.body["access_token"]),
        refresh: text(&reply.body["refresh_token"]),
    }
}

async fn must_be_over(app: &TestApp, person: &Person) {
    app.get_as(&person.access, ME)
        .await
        .expect_problem(401, "session_ended");
    let form = json!({ "refresh_token": person.refresh });
    app.post(REFRESH, form)
        .await
        .expect_problem(401, "session_ended");
}

async fn items(app: &TestApp, access: &str) -> Vec<Value> {
    let list = app.get_as(access, SESSIONS).await.expect(200);
    list.body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_as_devices_that_people_recognise() {
    let app = TestApp::start().await;
    app.bob().await;
    app.advance(TimeDelta::hours(1));
    let phone = on_a_phone(&app).await;
    app.advance(TimeDelta::minutes(2));
    let list = app.get_as(&phone.access, SESSIONS).await.expect(200);
    assert_eq!(list.header("cache-control"), "no-store");
    insta::assert_json_snapshot!(list.body, { ".items[].id" => "[id]", ".items[]._links.*.href" => "/api/v1/auth/sessions/[id]" }, @r#"
    {
      "_links": {
        "first": {
          "href": "/api/v1/auth/sessions"
        },
        "self": {
          "href": "/api/v1/auth/sessions"
        }
      },
      "items": [
        {
          "_links": {
            "delete": {
              "href": "/api/v1/auth/sessions/[id]"
            },
            "self": {
              "href": "/api/v1/auth/sessions/[id]"
            }
          },
          "browser": "Safari",
          "created_at": "2026-01-05T13:00:00Z",
          "current": true,
          "device": "Safari on iPhone",
          "expires_at": "2026-02-04T13:00:00Z",
          "id": "[id]",
          "ip": "2001:db8::7",
          "last_seen_at": "2026-01-05T13:02:00Z",
          "os": "iPhone"
        },
        {
          "_links": {
            "delete": {
              "href": "/api/v1/auth/sessions/[id]"
            },
            "self": {
              "href": "/api/v1/auth/sessions/[id]"
            }
          },
          "browser": "Firefox",
          "created_at": "2026-01-05T12:00:00Z",
          "current": false,
          "device": "Firefox on Linux",
          "expires_at": "2026-02-04T12:00:00Z",
          "id": "[id]",
          "ip": "192.0.2.1",
          "last_seen_at": "2026-01-05T12:00:00Z",
          "os": "Linux"
        }
      ],
      "next_cursor": null
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_session_was_last_seen_outlives_the_process() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(5));
    app.get_as(&bob.access, ME).await.expect(200);
    app.app.do_housekeeping().await.unwrap();
    let other = app.start_node(2, &[]).await;
    app.advance(TimeDelta::minutes(5));
    let phone = on_a_phone(&other).await;
    let seen = items(&other, &phone.access).await;
    assert_eq!(seen[1]["last_seen_at"], "2026-01-05T12:05:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_a_session_is_its_owners_to_see_and_to_end() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let phone = on_a_phone(&app).await;
    let ada = app.ada().await;
    assert_eq!(items(&app, &ada.access).await.len(), 1);
    let of_phone = items(&app, &phone.access).await;
    let of_phone = of_phone
        .iter()
        .find(|item| item["current"] == true)
        .unwrap();
    let path = of_phone["_links"]["self"]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    let read = app.get_as(&bob.access, &path).await.expect(200);
    let mut same = of_phone.clone();
    same["current"] = json!(false);
    assert_eq!(read.body, same);
    assert_eq!(read.header("cache-control"), "no-store");
    let end = |access: &str, path: &str| app.request(Method::DELETE, path).bearer(access).send();
    let unknown = format!("{SESSIONS}/019b8e5a-0000-7000-8000-000000000000");
    let others = end(&ada.access, &path)
        .await
        .expect_problem(404, "not_found");
    let nobodys = end(&ada.access, &unknown)
        .await
        .expect_problem(404, "not_found");
    assert_eq!(others.body["detail"], nobodys.body["detail"]);
    for hidden in [&path, &unknown, &format!("{SESSIONS}/x")] {
        let read = app.get_as(&ada.access, hidden).await;
        let read = read.expect_problem(404, "not_found");
        assert_eq!(read.body["detail"], others.body["detail"]);
    }
    end(&ada.access, &format!("{SESSIONS}/x"))
        .await
        .expect_problem(404, "not_found");
    app.get_as(&phone.access, ME).await.expect(200);

    end(&bob.access, &path).await.expect(204);
    must_be_over(&app, &phone).await;
    assert_eq!(app.events().await.last().unwrap(), "user.session_revoked");
    app.get_as(&bob.access, &path)
        .await
        .expect_problem(404, "not_found");
    end(&bob.access, &path)
        .await
        .expect_problem(404, "not_found");
    assert_eq!(items(&app, &bob.access).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn j9_after_logout_the_access_token_is_dead_on_every_node() {
    let app = TestApp::start().await;
    let other = app.start_node(2, &[]).await;
    for path in ["/api/v1/auth/logout", "/logout", "/auth/logout"] {
        let bob = app.person(&format!("bob{}@example.com", path.len())).await;
        other.get_as(&bob.access, ME).await.expect(200);
        app.post_as(&bob.access, path, json!({})).await.expect(204);
        must_be_over(&app, &bob).await;
        must_be_over(&other, &bob).await;
        other
            .post_as(&bob.access, path, json!({}))
            .await
            .expect_problem(401, "session_ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_everywhere_ends_every_session_of_this_person_only() {
    let app = TestApp::start().await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    let phone = on_a_phone(&app).await;
    app.post_as(&phone.access, "/api/v1/auth/logout-all", json!({}))
        .await
        .expect(204);
    must_be_over(&app, &bob).await;
    must_be_over(&app, &phone).await;
    app.get_as(&ada.access, ME).await.expect(200);
    assert_eq!(app.events().await.last().unwrap(), "user.logged_out");
    assert_eq!(items(&app, &app.sign_in(BOB).await.access).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_logouts_end_a_session_once() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.start_node(2, &[]).await);
    for path in ["/api/v1/auth/logout", "/api/v1/auth/logout-all"] {
        let bob = app.person(&format!("bob{}@example.com", path.len())).await;
        let nodes = [Arc::clone(&app), Arc::clone(&other)];
        let posts = vec![(Some(bob.access), path, json!({})); 10];
        let replies = post_at_once(&nodes, posts).await;
        assert_eq!(
            (count(&replies, 204), count(&replies, 401)),
            (1, 9),
            "{path}"
        );
    }
    let events = app.events().await;
    let events = events.iter().filter(|event| *event == "user.logged_out");
    assert_eq!(events.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_a_changed_password_ends_the_other_sessions() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let phone = on_a_phone(&app).await;
    let form = json!({ "current_password": PASSWORD, "new_password": "OtherPass4567" });
    app.post_as(&bob.access, "/api/v1/auth/change-password", form)
        .await
        .expect(204);
    must_be_over(&app, &phone).await;
    app.get_as(&bob.access, ME).await.expect(200);
    let form = json!({ "refresh_token": bob.refresh });
    app.post(REFRESH, form).await.expect(200);
}
