//! Changing one's own account.

use crate::support::{
    Reply, TestApp,
    at_once::count,
    people::{BOB, CAROL, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const ME: &str = "/api/v1/users/me";

impl TestApp {
    async fn change(&self, who: &Person, method: Method, tag: Option<&str>, body: Value) -> Reply {
        let mut request = self.request(method, ME).bearer(&who.access).json(body);
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        request.send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_left_out_stays_and_null_clears_by_put_and_patch_alike() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let all = json!({
        "full_name": " Bob  O'Neil ", "username": "bob.o", "country": "Netherlands", "state_province": "Utrecht",
        "current_title": "Smith", "location": "Utrecht", "locale": "NL-nl", "timezone": "europe/amsterdam",
        "id": "0", "roles": ["admin"], "tier": "premium", "status": "terminated", "email": "x@example.com",
    });
    let reply = app.change(&bob, Method::PUT, None, all).await.expect(200);
    assert_eq!(reply.header("etag"), "\"3\"");
    for (field, value) in [
        ("full_name", json!("Bob  O'Neil")),
        ("username", json!("bob.o")),
        ("country", json!("NL")),
        ("locale", json!("nl-NL")),
        ("timezone", json!("Europe/Amsterdam")),
        ("roles", json!(["user"])),
        ("tier", json!("basic")),
        ("status", json!("active")),
        ("email", json!(BOB)),
        ("version", json!(3)),
    ] {
        assert_eq!(reply.body[field], value, "{field}");
    }
    for (method, body) in [
        (Method::PATCH, json!({ "location": null })),
        (Method::PUT, json!({ "current_title": null })),
    ] {
        app.change(&bob, method, None, body).await.expect(200);
    }
    let me = app.get_as(&bob.access, ME).await.expect(200);
    assert_eq!(me.body["location"], Value::Null);
    assert_eq!(me.body["current_title"], Value::Null);
    assert_eq!(me.body["full_name"], "Bob  O'Neil");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_broken_fields_are_told_at_once_and_nothing_changes() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let broken = json!({
        "full_name": "", "username": "a b", "country": "Atlantis", "current_title": 7, "location": "x".repeat(101),
        "locale": "english language", "timezone": "Mars/Olympus",
    });
    let reply = app.change(&bob, Method::PATCH, None, broken).await;
    assert_eq!(
        reply.violations(),
        [
            "country: unknown_value",
            "current_title: format",
            "full_name: too_short",
            "locale: format",
            "location: too_long",
            "timezone: unknown_value",
            "username: format",
        ]
    );
    let elsewhere = json!({ "country": "NL", "state_province": "California" });
    let reply = app.change(&bob, Method::PATCH, None, elsewhere).await;
    assert_eq!(reply.violations(), ["state_province: mismatch"]);
    let me = app.get_as(&bob.access, ME).await.expect(200);
    assert_eq!(
        (&me.body["version"], &me.body["country"]),
        (&json!(2), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_seen_is_changed() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let tag = app.get_as(&bob.access, ME).await.header("etag").to_owned();
    let first = app
        .change(&bob, Method::PATCH, Some(&tag), json!({ "location": "A" }))
        .await
        .expect(200);
    for stale in [tag.as_str(), "W/\"3\"", "\"x\""] {
        app.change(&bob, Method::PATCH, Some(stale), json!({ "location": "B" }))
            .await
            .expect_problem(412, "stale");
    }
    let list = format!("\"77\", {}", first.header("etag"));
    app.change(&bob, Method::PATCH, Some(&list), json!({ "location": "C" }))
        .await
        .expect(200);
    app.change(&bob, Method::PATCH, Some("*"), json!({ "location": "D" }))
        .await
        .expect(200);
    let trail = app.audit().await;
    let refused = trail.iter().filter(|row| *row == "update_me refused");
    assert_eq!(refused.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_writers_who_saw_the_same_version_one_wins() {
    let app = Arc::new(TestApp::start().await);
    let bob = app.bob().await;
    let tag = app.get_as(&bob.access, ME).await.header("etag").to_owned();
    let writers = (0..20).map(|n| {
        let (app, bob, tag) = (Arc::clone(&app), bob.clone(), tag.clone());
        tokio::spawn(async move {
            let body = json!({ "location": format!("Place {n}") });
            app.change(&bob, Method::PATCH, Some(&tag), body).await
        })
    });
    let mut replies = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        replies.push(writer.await.unwrap());
    }
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 19));
    let me = app.get_as(&bob.access, ME).await;
    assert_eq!(me.body["version"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_of_another_is_refused_in_any_case() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.bob().await, app.pia().await);
    let name = |name: &str| json!({ "username": name });
    app.change(&bob, Method::PATCH, None, name("The.Bob"))
        .await
        .expect(200);
    app.change(&pia, Method::PATCH, None, name("the.bob"))
        .await
        .expect_problem(409, "username_taken");
    app.change(&bob, Method::PATCH, None, name("the.BOB"))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_3_7_a_changed_username_is_told_by_mail_three_times_an_hour() {
    let app = TestApp::start_with(&[("RATE_LIMIT_RECIPIENT", "3/1h")]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let before = app.mails_to(BOB).await.len();
    let set = async |name: &str, by_staff: bool| {
        let body = json!({ "username": name, "location": "Delft" });
        let (token, path) = if by_staff {
            (&ada.access, format!("/api/v1/users/{}", bob.id))
        } else {
            (&bob.access, ME.to_owned())
        };
        app.ask(Method::PATCH, token, &path, body).await.expect(200);
        app.mails_to(BOB).await.len() - before
    };
    assert_eq!(set("the.bob", false).await, 1);
    assert_eq!(set("the.bob", false).await, 1, "it is the same name");
    let mail = app.mails_to(BOB).await.pop().unwrap();
    assert_eq!(mail.subject, "Your username for usher.test was changed");
    assert!(mail.text.contains("http://usher.test/forgot-password"));
    assert_eq!(set("bobby", true).await, 2, "by staff");
    assert_eq!(set("robert", false).await, 3);
    assert_eq!(set("roberta", false).await, 3, "a mailbox is not flooded");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_confirmed_an_address_gets_no_mails_about_the_username_there() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    app.carol().await;
    let carol = app.sign_in(CAROL).await;
    let before = app.mails_to(CAROL).await.len();
    let body = json!({ "username": "carol" });
    app.change(&carol, Method::PATCH, None, body)
        .await
        .expect(200);
    assert_eq!(app.mails_to(CAROL).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_once_and_no_change_not_at_all() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let body = json!({ "full_name": "Bob", "location": null });
    app.change(&bob, Method::PATCH, None, body.clone())
        .await
        .expect(200);
    let again = app
        .change(&bob, Method::PATCH, None, body)
        .await
        .expect(200);
    assert_eq!(again.header("etag"), "\"3\"");
    let changes = "SELECT details FROM audit_log WHERE action = 'update_me'";
    assert_eq!(
        app.db.texts(changes).await,
        [r#"{"changed":["full_name"]}"#]
    );
    let events = app.events().await;
    let updated = events.iter().filter(|kind| *kind == "user.updated");
    assert_eq!(updated.count(), 1);
}
