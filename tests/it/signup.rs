//! Sign-up: what it asks for, what it makes of what people type, and what it never takes from them.

mod atomicity;
mod hostile;
mod privacy;
mod wishes;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use serde_json::{Value, json};

const REGISTER: &str = "/api/v1/auth/register";
const EVERY_FIELD: &str = "username,full_name,country,state_province,confirm_password,locale";

/// A form with these fields beside a good address and password.
fn form(email: &str, fields: &Value) -> Value {
    let mut form = json!({ "email": email, "password": PASSWORD });
    for (name, value) in fields.as_object().unwrap() {
        form[name] = value.clone();
    }
    form
}

/// The account in a reply, without what differs from run to run and what depends on who looks.
fn account(reply: &Reply) -> Value {
    let mut account = reply.body.clone();
    account.as_object_mut().unwrap().remove("_links");
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_waits_for_its_address_to_be_confirmed() {
    let app = TestApp::start().await;
    let fields = json!({
        "username": "Bob.B", "full_name": "  Bob Builder ", "country": "Netherlands", "state_province": "Utrecht",
        "confirm_password": PASSWORD, "locale": "nl-nl",
    });
    let reply = app.post(REGISTER, form(" BOB@Example.com ", &fields)).await;
    let reply = reply.expect(201);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("set-cookie"), "");
    insta::assert_json_snapshot!(account(&reply), { ".id" => "[id]" }, @r#"
    {
      "avatar_url": null,
      "country": "NL",
      "created_at": "2026-01-05T12:00:00Z",
      "current_title": null,
      "email": "bob@example.com",
      "full_name": "Bob Builder",
      "id": "[id]",
      "is_active": false,
      "is_premium": false,
      "is_terminated": false,
      "is_verified": false,
      "last_login_at": null,
      "locale": "nl-NL",
      "location": null,
      "roles": [
        "user"
      ],
      "state_province": "Utrecht",
      "status": "pending",
      "tier": "basic",
      "timezone": null,
      "updated_at": "2026-01-05T12:00:00Z",
      "username": "Bob.B",
      "version": 1
    }
    "#);
    assert_eq!(app.audit().await.last().unwrap(), "register success");
    let events = app.events().await;
    let ours = ["user.created", "user.verification_token.created"];
    assert!(events.ends_with(&ours.map(str::to_owned)), "{events:?}");
    let mails = app.mails_to(BOB).await;
    assert_eq!(mails.len(), 1);
    let link = "http://usher.test/verify-email?token=";
    assert!(mails[0].text.contains(link) && mails[0].html.contains(link));
    app.post(
        "/api/v1/auth/login",
        json!({ "email": BOB, "password": PASSWORD }),
    )
    .await
    .expect_problem(403, "email_not_verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_of_sign_up_makes_an_account() {
    let app = TestApp::start().await;
    let whole = json!({ "full_name": "Bob Builder", "country": "NL", "state_province": "Utrecht" });
    for (at, path) in [REGISTER, "/auth/register", "/signup", "/signup/"]
        .iter()
        .enumerate()
    {
        let email = format!("bob{at}@example.com");
        let reply = app.post(path, form(&email, &whole)).await.expect(201);
        assert_eq!(reply.body["email"], email);
    }
    let users = app.db.number("SELECT count(*) FROM users").await;
    assert_eq!(users, 5, "Ada and four more");
}

#[tokio::test(flavor = "multi_thread")]
async fn which_fields_are_required_depends_on_the_path_and_the_setting() {
    let app = TestApp::start().await;
    let required = async |app: &TestApp, path: &str, body: Value| {
        app.post(path, body)
            .await
            .expect_problem(422, "validation_failed")
            .violations()
    };
    let bare = required(&app, REGISTER, json!({})).await;
    assert_eq!(bare, ["email: required", "password: required"]);
    let nulls = json!({ "full_name": null, "country": null });
    let signup = required(&app, "/signup", form(BOB, &nulls)).await;
    let three = [
        "country: required",
        "full_name: required",
        "state_province: required",
    ];
    assert_eq!(signup, three);

    let app = TestApp::start_with(&[("SIGNUP_REQUIRED_FIELDS", EVERY_FIELD)]).await;
    for path in [REGISTER, "/auth/register", "/signup"] {
        let all = required(&app, path, json!({})).await;
        let names = format!("email,password,{EVERY_FIELD}");
        let mut expected: Vec<_> = names.split(',').map(|n| format!("{n}: required")).collect();
        expected.sort();
        assert_eq!(all, expected, "{path}");
    }
    let whole = json!({
        "username": "bob", "full_name": "Bob", "country": "NL", "state_province": "Utrecht",
        "confirm_password": PASSWORD, "locale": "nl",
    });
    app.post(REGISTER, form(BOB, &whole)).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_broken_fields_are_told_at_once() {
    let app = TestApp::start().await;
    let broken = json!({
        "email": "bob", "password": "short", "confirm_password": "other", "username": "b@b", "full_name": " ",
        "country": "Atlantis", "state_province": "", "locale": "!",
    });
    let reply = app.post(REGISTER, broken).await;
    insta::assert_json_snapshot!(reply.violations(), @r#"
    [
      "confirm_password: mismatch",
      "country: unknown_value",
      "email: format",
      "full_name: too_short",
      "locale: format",
      "password: password_weak",
      "password: too_short",
      "state_province: too_short",
      "username: format"
    ]
    "#);
    let wrong_types = json!({
        "email": BOB, "password": PASSWORD, "username": 7, "full_name": ["Bob"], "country": {}, "locale": true,
    });
    let reply = app.post(REGISTER, wrong_types).await;
    insta::assert_json_snapshot!(reply.violations(), @r#"
    [
      "country: format",
      "full_name: format",
      "locale: format",
      "username: format"
    ]
    "#);
    let users = app.db.number("SELECT count(*) FROM users").await;
    assert_eq!(users, 1, "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_2_3_a_state_of_another_country_is_refused() {
    let app = TestApp::start().await;
    for (at, (country, state, stored)) in [
        ("NL", "Utrecht", ["NL", "Utrecht"]),
        ("nld", "Elsewhere", ["NL", "Elsewhere"]),
        ("United States", "California", ["US", "California"]),
        ("USA", "CA", ["US", "CA"]),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = json!({ "country": country, "state_province": state });
        let email = format!("bob{at}@example.com");
        let reply = app.post(REGISTER, form(&email, &fields)).await.expect(201);
        let told = [&reply.body["country"], &reply.body["state_province"]];
        assert_eq!(told, stored);
    }
    for (country, state) in [
        ("NL", "California"),
        ("Netherlands", "US-CA"),
        ("US", "NL-UT"),
    ] {
        let fields = json!({ "country": country, "state_province": state });
        let reply = app.post(REGISTER, form(CAROL, &fields)).await;
        assert_eq!(
            reply.violations(),
            ["state_province: mismatch"],
            "{country} {state}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_spellings_of_one_address_are_one_account() {
    let app = TestApp::start().await;
    let register = async |email: &str| app.post(REGISTER, form(email, &json!({}))).await;
    register("A@x.io").await.expect(201);
    for again in ["a@X.IO", " a@x.io ", "a@\u{ff58}.io"] {
        let reply = register(again).await;
        reply.expect_problem(409, "email_taken");
        assert_eq!(app.audit().await.last().unwrap(), "register refused");
    }
    register("a+tag@x.io").await.expect(201);
    register("a.b@x.io").await.expect(201);
    app.verify("a@x.io").await;
    let spelled = json!({ "email": "A@X.io", "password": PASSWORD });
    app.post("/api/v1/auth/login", spelled).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_no_username_is_an_address_and_none_is_taken_twice() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    let named = async |email: &str, name: &str| {
        app.post(REGISTER, form(email, &json!({ "username": name })))
            .await
    };
    for address in [BOB, "bob@example", "@bob"] {
        let reply = named(CAROL, address).await;
        assert_eq!(reply.violations(), ["username: format"]);
    }
    named(CAROL, "Carol").await.expect(201);
    let reply = named("dave@example.com", "cAROL").await;
    reply.expect_problem(409, "username_taken");
    let users = app.db.number("SELECT count(*) FROM users").await;
    assert_eq!(users, 3);
}
