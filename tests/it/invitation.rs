//! Invitations from the command line to the first sign-in. The program runs by the machine's clock, so these tests begin
//! at its time.

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    database::TestDatabase,
    people::{BOB, CAROL},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use std::{process::Output, sync::Arc};
use tokio::{sync::Barrier, task::JoinSet};
use usher::Clock;

const ACCEPT: &str = "/api/v1/auth/accept-invitation";
const KEYS: (&str, &str) = (
    "ENCRYPTION_KEYS",
    "both:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
);
const PASSPHRASE: &str = "violet kettle anchors marsh";

/// The service at the machine's present time.
async fn start() -> TestApp {
    let clock = Clock::hand_wound(Clock::System.now());
    let db = Arc::new(TestDatabase::create().await);
    TestApp::start_on(db, clock, 1, &[KEYS]).await
}

/// `usher admin invite` on the same database.
async fn run_invite(app: &TestApp, email: &str) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["admin", "invite", "--email", email])
        .env_clear()
        .env("DATABASE_URL", app.db.url())
        .env("DATA_DIR", app.db.folder())
        .env(KEYS.0, KEYS.1)
        .env("PUBLIC_URL", "http://usher.test")
        .current_dir(app.db.folder())
        .output()
        .await
        .unwrap()
}

/// Invites somebody; the token from the mail, ten minutes after the start.
async fn invite(app: &TestApp, email: &str) -> String {
    let output = run_invite(app, email).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    app.advance(TimeDelta::minutes(10));
    app.last_token_to(email).await
}

async fn accept(app: &TestApp, token: &str, password: &str) -> Reply {
    app.post(ACCEPT, json!({ "token": token, "password": password }))
        .await
}

async fn login(app: &TestApp, password: &str) -> Reply {
    app.post(
        "/api/v1/auth/login",
        json!({ "email": BOB, "password": password }),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_chooses_the_password_once() {
    let app = start().await;
    let token = invite(&app, BOB).await;
    let mail = app.mails_to(BOB).await.pop().unwrap();
    assert!(mail.text.contains(&format!(
        "http://usher.test/accept-invitation#token={token}"
    )));
    login(&app, PASSPHRASE)
        .await
        .expect_problem(401, "invalid_credentials");
    app.catch_up().await;

    let form = json!({
        "token": token, "password": PASSPHRASE, "confirm_password": PASSPHRASE, "full_name": "Bob Builder",
        "roles": ["user"], "email": CAROL,
    });
    let reply = app.post(ACCEPT, form).await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let user = &reply.body["user"];
    let told =
        ["email", "full_name", "status", "is_verified", "roles"].map(|name| user[name].clone());
    assert_eq!(
        json!(told),
        json!([BOB, "Bob Builder", "active", true, ["admin"]])
    );
    assert_eq!(
        app.db.number("SELECT count(*) FROM user_sessions").await,
        0,
        "nobody is signed in"
    );
    assert_eq!(
        app.audit().await.last().unwrap(),
        "accept_invitation success"
    );
    assert_eq!(app.events().await.last().unwrap(), "user.verified");

    for password in [PASSPHRASE, PASSWORD] {
        accept(&app, &token, password)
            .await
            .expect_problem(410, "token_used");
    }
    login(&app, PASSWORD)
        .await
        .expect_problem(401, "invalid_credentials");
    login(&app, PASSPHRASE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lives_for_24_hours() {
    let app = start().await;
    let bob = invite(&app, BOB).await;
    app.advance(TimeDelta::hours(24) - TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    let weak = accept(&app, &bob, "short").await;
    assert_eq!(
        weak.violations(),
        ["password: password_weak", "password: too_short"]
    );
    app.advance(TimeDelta::minutes(10));
    accept(&app, &bob, PASSPHRASE)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(
        app.audit().await.last().unwrap(),
        "accept_invitation refused"
    );
    login(&app, PASSPHRASE)
        .await
        .expect_problem(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_leaves_the_invitation_open() {
    let app = start().await;
    let token = invite(&app, BOB).await;
    for (form, broken) in [
        (
            json!({ "token": token, "password": "Bob12345678" }),
            "password: password_context",
        ),
        (
            json!({ "token": token, "password": "Password123" }),
            "password: password_blocklisted",
        ),
        (
            json!({ "token": token, "password": "Nul\0inside 123" }),
            "password: format",
        ),
        (json!({ "token": token }), "password: required"),
        (json!({ "password": PASSPHRASE }), "token: required"),
        (
            json!({ "token": token, "password": PASSPHRASE, "confirm_password": PASSWORD }),
            "confirm_password: mismatch",
        ),
        (
            json!({ "token": token, "password": "builder builder", "full_name": "Builder Builder" }),
            "password: password_context",
        ),
        (
            json!({ "token": token, "password": PASSPHRASE, "full_name": " " }),
            "full_name: too_short",
        ),
    ] {
        assert_eq!(
            app.post(ACCEPT, form.clone()).await.violations(),
            [broken],
            "{form}"
        );
    }
    for wrong in [
        "x".to_owned(),
        "A".repeat(43),
        token.to_lowercase() + "=",
        format!(" {token}"),
    ] {
        accept(&app, &wrong, PASSPHRASE)
            .await
            .expect_problem(400, "token_invalid");
    }
    accept(&app, &token, PASSPHRASE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_accept_at_once_one_sets_the_password() {
    let app = Arc::new(start().await);
    let other = Arc::new(app.start_node(2, &[KEYS]).await);
    let token = invite(&app, BOB).await;
    let barrier = Arc::new(Barrier::new(10));
    let mut racing = JoinSet::new();
    for at in 0..10 {
        let node = Arc::clone(if at % 2 == 0 { &app } else { &other });
        let (barrier, token) = (Arc::clone(&barrier), token.clone());
        racing.spawn(async move {
            let password = format!("{PASSPHRASE} {at}");
            barrier.wait().await;
            (password.clone(), accept(&node, &token, &password).await)
        });
    }
    let mut winners = Vec::new();
    for (password, reply) in racing.join_all().await {
        if reply.status == 200 {
            winners.push(password);
        } else {
            reply.expect_problem(410, "token_used");
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    login(&app, &winners[0]).await.expect(200);
    app.inbox().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_address_does_not_lock_the_invited_person_out() {
    let app = start().await;
    let invitation = invite(&app, BOB).await;
    let ask = json!({ "email": BOB });
    app.post("/api/v1/auth/verify-email-request", ask)
        .await
        .expect(202);
    let newest = app.last_token_to(BOB).await;
    if newest != invitation {
        app.verify(BOB).await;
    }
    accept(&app, &invitation, PASSPHRASE).await.expect(200);
    login(&app, PASSPHRASE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_accepts_an_invitation_by_a_form() {
    let app = start().await;
    let token = invite(&app, BOB).await;
    let page = app
        .request(Method::GET, "/accept-invitation")
        .header("accept", "text/html");
    let page = page.send().await.expect(200);
    for field in ["token", "new_password", "confirm_password"] {
        assert!(page.text.contains(&format!(r#"name="{field}""#)), "{field}");
    }
    let submit = async |password: &str, site: &str| {
        let link = format!("http://usher.test/accept-invitation#token={token}");
        let fields = [
            ("token", link.as_str()),
            ("new_password", password),
            ("confirm_password", password),
        ];
        let request = app
            .request(Method::POST, "/accept-invitation")
            .form(&fields);
        request
            .header("accept", "text/html")
            .header("sec-fetch-site", site)
            .send()
            .await
    };
    submit(PASSPHRASE, "cross-site").await.expect(403);
    let weak = submit("Password123", "same-origin").await.expect(422);
    assert!(
        !weak.text.contains("Password123"),
        "a password comes back in a page"
    );
    let done = submit(PASSPHRASE, "same-origin").await.expect(200);
    assert!(done.text.contains("Your account is ready"));
    assert_eq!(done.header("set-cookie"), "");
    submit(PASSPHRASE, "same-origin").await.expect(410);
    login(&app, PASSPHRASE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_invited_to_a_taken_or_broken_address() {
    let app = start().await;
    app.sign_up(BOB).await;
    let before = app.inbox().await.len();
    for email in ["BOB@example.com", "no address"] {
        let output = run_invite(&app, email).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.lines().count() == 1,
            "{said}"
        );
        assert!(!said.contains(email), "an address in the log: {said}");
    }
    app.advance(TimeDelta::minutes(10));
    assert_eq!(app.inbox().await.len(), before);
}
