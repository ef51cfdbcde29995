//! Usernames of strict sign-ups: a wish until the address is confirmed, which tells nobody whether it was free.

use super::{
    REGISTER, form,
    privacy::{STRICT, register, visible},
};
use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::post_at_once,
    people::{BOB, CAROL, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const LOGIN: &str = "/api/v1/auth/login";
const ME: &str = "/api/v1/users/me";
const LAX: (&str, &str) = ("REQUIRE_EMAIL_VERIFICATION", "false");
const WISHES: &str = "SELECT count(*) FROM users WHERE wished_username IS NOT NULL";

/// Signs up strictly, confirms and signs in.
async fn person(app: &TestApp, email: &str, fields: Value) -> Person {
    register(app, email, fields).await.expect(202);
    app.verify(email).await;
    app.sign_in(email).await
}

async fn me(app: &TestApp, who: &Person) -> Value {
    app.get_as(&who.access, ME).await.expect(200).body
}

async fn by_name(app: &TestApp, name: &str) -> u16 {
    let form = json!({ "username": name, "password": PASSWORD });
    app.post(LOGIN, form).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_a_wished_username_does_not_tell_whether_the_address_was_free() {
    let app = TestApp::start_with(&[STRICT]).await;
    let bob = person(&app, BOB, json!({})).await;
    let eve = person(&app, "eve@example.com", json!({})).await;
    let wish = |name: &str| json!({ "username": name });
    let mut seen = Vec::new();
    for (email, name) in [(BOB, "of.taken"), (CAROL, "of.free")] {
        let mut told = vec![visible(&register(&app, email, wish(name)).await)];
        app.catch_up().await;
        // The same address again, and another one of the prober's.
        told.push(visible(&register(&app, email, wish(name)).await));
        let other = format!("{name}@example.com");
        told.push(visible(&register(&app, &other, wish(name)).await));
        app.catch_up().await;
        assert_eq!(by_name(&app, name).await, 401, "{name}");
        let take = app.request(Method::PATCH, ME).bearer(&eve.access);
        take.json(wish(name)).send().await.expect(200);
        // Now it belongs to who is confirmed.
        let third = format!("third.{name}@example.com");
        told.push(visible(&register(&app, &third, wish(name)).await));
        seen.push(told);
    }
    assert_eq!(seen[0], seen[1]);
    let statuses: Vec<u16> = seen[0].iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [202; 4]);
    assert_eq!(me(&app, &bob).await["username"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wished_username_is_nobodys_before_the_address_is_confirmed_and_then_theirs() {
    let app = TestApp::start_with(&[STRICT]).await;
    let ada = app.ada().await;
    register(&app, CAROL, json!({ "username": "Carol.C" }))
        .await
        .expect(202);
    app.catch_up().await;
    let found = "SELECT count(*) FROM search_documents WHERE document LIKE '%carol.c%'";
    let list = async || {
        let path = format!("/api/v1/users?email={CAROL}");
        app.get_as(&ada.access, &path).await.expect(200).body["items"][0].take()
    };
    assert_eq!(list().await["username"], Value::Null);
    assert_eq!(app.db.number(found).await, 0);
    assert_eq!(by_name(&app, "carol.c").await, 401);
    assert_eq!(app.db.number(WISHES).await, 1);
    app.verify(CAROL).await;
    assert_eq!(list().await["username"], "Carol.C");
    assert_eq!(app.db.number(found).await, 1);
    assert_eq!(by_name(&app, "carol.c").await, 200);
    assert_eq!(app.db.number(WISHES).await, 0);
    let carol = app.sign_in(CAROL).await;
    let told = app.get_as(&carol.access, "/api/v1/users/me/export").await;
    let told = told.expect(200).body;
    let of = |kind: &str| {
        let events = told["events"].as_array().unwrap().iter();
        let mut events = events.filter(|event| event["type"] == kind);
        events.next().unwrap()["data"]["user"]["username"].clone()
    };
    let names = [of("user.created"), of("user.verified")];
    assert_eq!(names, [Value::Null, json!("Carol.C")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_wished_for_one_username_the_first_to_confirm_has_it() {
    let app = Arc::new(TestApp::start_with(&[STRICT]).await);
    let other = Arc::new(app.start_node(2, &[STRICT]).await);
    let mut posts = Vec::new();
    let emails: Vec<String> = (0..10).map(|at| format!("bob{at}@example.com")).collect();
    for email in &emails {
        register(&app, email, json!({ "username": "Bob" }))
            .await
            .expect(202);
        let token = app.last_token_to(email).await;
        posts.push((None, "/api/v1/auth/verify-email", json!({ "token": token })));
    }
    let replies = post_at_once(&[Arc::clone(&app), other], posts).await;
    let mut named = 0;
    for (email, reply) in emails.iter().zip(replies) {
        reply.expect(200);
        let me = me(&app, &app.sign_in(email).await).await;
        assert_eq!(me["is_verified"], true);
        named += usize::from(me["username"] == "Bob");
    }
    assert_eq!(named, 1);
    assert_eq!(app.db.number(WISHES).await, 0);
    let named = "SELECT count(*) FROM users WHERE username_key = 'bob'";
    assert_eq!(app.db.number(named).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_takes_the_strangers_wish_away_with_all_else() {
    let app = TestApp::start_with(&[STRICT]).await;
    register(&app, BOB, json!({ "username": "eve" }))
        .await
        .expect(202);
    let token = app.reset_token(BOB).await;
    let reset = json!({ "token": token, "new_password": PASSWORD });
    app.post("/api/v1/auth/password-reset-confirm", reset)
        .await
        .expect(200);
    let bob = app.sign_in(BOB).await;
    assert_eq!(me(&app, &bob).await["username"], Value::Null);
    assert_eq!(app.db.number(WISHES).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_that_is_chosen_meanwhile_goes_before_the_wish() {
    let app = TestApp::start_with(&[STRICT, LAX]).await;
    register(&app, BOB, json!({ "username": "wished" }))
        .await
        .expect(202);
    app.catch_up().await;
    let bob = app.sign_in(BOB).await;
    let told = app.get_as(&bob.access, "/api/v1/users/me/export").await;
    let account = &told.expect(200).body["account"];
    let names = [&account["username"], &account["wished_username"]];
    assert_eq!(names, [&Value::Null, &json!("wished")]);
    for name in [json!("chosen"), Value::Null] {
        let change = app.request(Method::PATCH, ME).bearer(&bob.access);
        let reply = change.json(json!({ "username": name })).send().await;
        assert_eq!(reply.expect(200).body["username"], name);
        assert_eq!(app.db.number(WISHES).await, 0);
    }
    app.verify(BOB).await;
    assert_eq!(me(&app, &bob).await["username"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_strict_privacy_a_username_is_taken_at_once() {
    let app = TestApp::start().await;
    let named = form(BOB, &json!({ "username": "bob" }));
    let made = app.post(REGISTER, named).await.expect(201);
    assert_eq!(made.body["username"], "bob");
    let again = form(CAROL, &json!({ "username": "Bob" }));
    let again = app.post(REGISTER, again).await;
    again.expect_problem(409, "username_taken");
}
