//! Making and changing other people's accounts.

mod own;
mod status;

use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    people::{BOB, Person},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

const USERS: &str = "/api/v1/users";
const NEW: &str = "new@example.com";

fn at(person: &Person) -> String {
    format!("{USERS}/{}", person.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_made_for_somebody_waits_for_its_owner_alone() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let form = json!({
        "email": NEW, "full_name": "Nova New", "username": "nova", "country": "Netherlands", "state_province": "Utrecht",
        "current_title": "Smith", "password": "ChosenByAda123", "status": "active", "tier": "premium",
    });
    let made = app.post_as(&ada.access, USERS, form).await.expect(201);
    let place = format!("{USERS}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.header("location"), place);
    assert_eq!(made.header("etag"), "\"1\"");
    for (field, value) in [
        ("email", json!(NEW)),
        ("full_name", json!("Nova New")),
        ("country", json!("NL")),
        ("current_title", json!("Smith")),
        ("roles", json!(["user"])),
        ("status", json!("pending")),
        ("tier", json!("basic")),
        ("is_verified", json!(false)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(app.try_password(NEW, "ChosenByAda123").await, 401);
    let token = app.last_token_to(NEW).await;
    let accept = json!({ "token": token, "password": PASSWORD });
    app.post("/api/v1/auth/accept-invitation", accept)
        .await
        .expect(200);
    let nova = app.sign_in(NEW).await;
    let me = app.get_as(&nova.access, &place).await.expect(200).body;
    assert_eq!(me["full_name"], "Nova New");
    let trail = app.audit().await;
    assert!(trail.contains(&"create_user success".to_owned()));
    assert!(app.events().await.contains(&"user.created".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_or_taken_makes_no_account() {
    let app = TestApp::start().await;
    let (ada, _) = (app.ada().await, app.bob().await);
    let broken = json!({ "roles": ["root"], "country": "Atlantis", "timezone": 1 });
    let reply = app.post_as(&ada.access, USERS, broken).await;
    assert_eq!(
        reply.violations(),
        [
            "country: unknown_value",
            "email: required",
            "roles: unknown_value",
            "timezone: format"
        ]
    );
    let apart = json!({ "email": NEW, "country": "NL", "state_province": "California" });
    let reply = app.post_as(&ada.access, USERS, apart).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    let taken = json!({ "email": "Bob@Example.com" });
    app.post_as(&ada.access, "/users", taken)
        .await
        .expect_problem(409, "email_taken");
    assert_eq!(app.audit().await.last().unwrap(), "create_user refused");
    assert_eq!(app.db.number("SELECT count(*) FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn z3_an_admin_is_made_only_with_a_fresh_proof_of_the_password() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    app.advance(TimeDelta::minutes(10));
    let form = |roles: Value| json!({ "email": NEW, "roles": roles });
    app.post_as(&ada.access, USERS, form(json!(["user", "admin"])))
        .await
        .expect_problem(403, "reauthentication_required");
    let ada = app.ada().await;
    let made = app.post_as(&ada.access, USERS, form(json!(["admin", "user", "admin"])));
    assert_eq!(
        made.await.expect(201).body["roles"],
        json!(["user", "admin"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_4_6_staff_changes_what_the_owner_could_but_never_the_password() {
    let app = TestApp::start().await;
    let (bob, max) = (app.bob().await, app.max().await);
    let body = json!({
        "full_name": "Robert", "location": "Delft", "password": "ChosenByMax123", "roles": ["admin"],
        "tier": "premium", "id": "0", "is_verified": false,
    });
    let reply = app.ask(Method::PATCH, &max.access, &at(&bob), body).await;
    let reply = reply.expect(200);
    assert_eq!(reply.header("etag"), "\"3\"");
    assert_eq!(reply.body["full_name"], "Robert");
    assert_eq!(reply.body["roles"], json!(["user"]));
    assert_eq!(reply.body["tier"], "basic");
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    assert_eq!(app.try_password(BOB, "ChosenByMax123").await, 401);
    let stale = app.request(Method::PUT, &at(&bob)).bearer(&max.access);
    let stale = stale.header("if-match", "\"2\"");
    let stale = stale.json(json!({ "location": null })).send().await;
    stale.expect_problem(412, "stale");
    let fresh = app.request(Method::PUT, &at(&bob)).bearer(&max.access);
    let fresh = fresh.header("if-match", "\"3\"");
    let fresh = fresh.json(json!({ "location": null })).send().await;
    assert_eq!(fresh.expect(200).body["location"], Value::Null);
    let details = "SELECT details FROM audit_log WHERE action = 'update_user' ORDER BY at, id";
    assert_eq!(
        app.db.texts(details).await,
        [
            r#"{"changed":["full_name","location"]}"#,
            r#"{"code":"stale"}"#,
            r#"{"changed":["location"]}"#
        ]
    );
    let same = app
        .ask(Method::PATCH, &max.access, &at(&bob), json!({}))
        .await;
    assert_eq!(same.expect(200).header("etag"), "\"4\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_an_admin_sets_holds_at_once_and_waits_for_its_mail() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let reset = app.reset_token(BOB).await;
    let body = json!({ "email": NEW });
    let reply = app.ask(Method::PATCH, &ada.access, &at(&bob), body).await;
    let reply = reply.expect(200);
    let told = ["email", "is_verified", "status"].map(|name| reply.body[name].clone());
    assert_eq!(json!(told), json!([NEW, false, "active"]));
    let old = app.mails_to(BOB).await.pop().unwrap();
    assert!(
        old.text.contains("by the people who run it"),
        "{}",
        old.text
    );
    assert!(!old.text.contains("http") && !old.text.contains(NEW));
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.try_password(BOB, PASSWORD).await, 401);
    assert_eq!(app.try_password(NEW, PASSWORD).await, 200);
    app.verify(NEW).await;
    let me = app.get_as(&bob.access, "/api/v1/users/me").await;
    assert_eq!(me.expect(200).body["is_verified"], true);
    app.sign_up(BOB).await;
    let events = app.events().await;
    assert!(events.contains(&"user.email_changed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_set_only_by_an_admin_with_a_fresh_proof_and_only_if_it_is_free() {
    let app = TestApp::start().await;
    let (ada, bob, max) = (app.ada().await, app.bob().await, app.max().await);
    let body = json!({ "email": NEW, "full_name": "Half Done" });
    app.ask(Method::PATCH, &max.access, &at(&bob), body.clone())
        .await
        .expect_problem(403, "forbidden");
    let taken = json!({ "email": ADA, "full_name": "Half Done" });
    app.ask(Method::PATCH, &ada.access, &at(&bob), taken)
        .await
        .expect_problem(409, "email_taken");
    app.advance(TimeDelta::minutes(10));
    app.ask(Method::PATCH, &ada.access, &at(&bob), body)
        .await
        .expect_problem(403, "reauthentication_required");
    let bob = app.get_as(&ada.access, &at(&bob)).await.expect(200).body;
    let told = ["email", "full_name", "version"].map(|name| bob[name].clone());
    assert_eq!(json!(told), json!([BOB, null, 2]), "all or nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_at_an_address_that_an_admin_set_takes_nothing_from_its_owner() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let body = json!({ "email": NEW, "full_name": "Bob Builder" });
    app.ask(Method::PATCH, &ada.access, &at(&bob), body)
        .await
        .expect(200);
    let token = app.reset_token(NEW).await;
    let body = json!({ "token": token, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);
    let bob = app.get_as(&ada.access, &at(&bob)).await.expect(200).body;
    let told = ["full_name", "is_verified", "status"].map(|name| bob[name].clone());
    assert_eq!(json!(told), json!(["Bob Builder", true, "active"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_went_to_a_wrong_address_is_void_and_goes_to_the_right_one() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let wrong = json!({ "email": "wrong@example.com" });
    let made = app.post_as(&ada.access, USERS, wrong).await.expect(201);
    let lost = app.last_token_to("wrong@example.com").await;
    let there = made.header("location").to_owned();
    let body = json!({ "email": NEW });
    app.ask(Method::PATCH, &ada.access, &there, body)
        .await
        .expect(200);
    let accept = |token: String| json!({ "token": token, "password": PASSWORD });
    app.post("/api/v1/auth/accept-invitation", accept(lost))
        .await
        .expect_problem(410, "token_expired");
    let right = app.last_token_to(NEW).await;
    app.post("/api/v1/auth/accept-invitation", accept(right))
        .await
        .expect(200);
    app.sign_in(NEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v10_3_3_a_token_is_its_persons_whoever_has_the_address_now() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let body = json!({ "email": NEW });
    let moved = app.ask(Method::PATCH, &ada.access, &at(&bob), body).await;
    moved.expect(200);
    let other = app.person(BOB).await;
    assert_ne!(other.id, bob.id);
    let who = async |token: &str| {
        let me = app.get_as(token, "/api/v1/users/me").await.expect(200);
        json!([me.body["id"], me.body["email"]])
    };
    assert_eq!(who(&bob.access).await, json!([bob.id, NEW]));
    assert_eq!(who(&other.access).await, json!([other.id, BOB]));
    let refresh = json!({ "refresh_token": bob.refresh });
    let again = app.post("/api/v1/auth/refresh", refresh).await.expect(200);
    assert_eq!(again.body["user"]["id"], json!(bob.id));
}
