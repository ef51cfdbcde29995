//! Asking for another link: the same answer for everybody, and not too many mails for anybody.

use super::{PASSWORD, REQUEST, VERIFY, signed_up};
use crate::support::{
    Reply, TestApp,
    at_once::{count, post_at_once},
    people::{BOB, CAROL, DAVE, PIA},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

const RESET: &str = "/api/v1/auth/password-reset-request";

/// The answer without what differs from request to request.
fn visible(reply: &Reply) -> (u16, Value, Vec<String>) {
    let names = reply.headers.keys().map(ToString::to_string).collect();
    (reply.status, reply.body.clone(), names)
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_asking_for_a_mail_tells_nothing_about_the_address() {
    let app = TestApp::start().await;
    app.bob().await;
    app.carol().await;
    app.dave().await;
    let pia = app.person(PIA).await;
    app.set_in_users_table(
        PIA,
        &pia.id,
        "UPDATE users SET status = 'terminated' WHERE id = $id",
    )
    .await;
    for path in [
        REQUEST,
        RESET,
        "/auth/resend-verification",
        "/password-reset-request",
    ] {
        let mut replies = Vec::new();
        for email in [
            BOB,
            CAROL,
            DAVE,
            PIA,
            "nobody@example.com",
            "o'brien+x@xn--bcher-kva.example",
        ] {
            let reply = app.post(path, json!({ "email": email })).await.expect(202);
            replies.push(visible(&reply));
        }
        replies.dedup();
        assert_eq!(replies.len(), 1, "{path}: {replies:?}");
        let reply = app.post(path, json!({ "email": "no address" })).await;
        assert_eq!(reply.violations(), ["email: format"]);
    }
    let mails = app.inbox().await;
    let count = |email: &str| mails.iter().filter(|mail| mail.to == email).count();
    assert_eq!([BOB, CAROL, DAVE, PIA].map(count), [3, 5, 1, 1]);
    let strange = ["nobody@example.com", "o'brien+x@xn--bcher-kva.example"];
    assert_eq!(strange.map(count), [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn l5_a_look_alike_address_gets_no_mail_and_causes_none() {
    let app = TestApp::start().await;
    app.person("mike@example.com").await;
    app.sign_up("kim@example.com").await;
    let before = app.inbox().await.len();
    for typed in [
        "m\u{131}ke@example.com",
        "\u{212a}im@example.com",
        "k\u{131}m@example.com",
        "\u{ff4d}ike@example.com",
    ] {
        for path in [REQUEST, RESET] {
            let status = app.post(path, json!({ "email": typed })).await.status;
            assert!(matches!(status, 202 | 422), "{typed}: {status}");
        }
    }
    let later: Vec<_> = app
        .inbox()
        .await
        .split_off(before)
        .into_iter()
        .map(|mail| mail.to)
        .collect();
    let stored = |to: &String| to == "kim@example.com" || to == "mike@example.com";
    assert!(later.iter().all(stored), "{later:?}");
    assert!(!later.contains(&"mike@example.com".to_owned()), "{later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_an_address_gets_at_most_three_mails_of_a_kind_an_hour() {
    let app = TestApp::start_with(&[("RATE_LIMIT_RECIPIENT", "3/1h")]).await;
    app.bob().await;
    app.carol().await;
    let before = app.inbox().await.len();
    let flood = async || {
        for _ in 0..10 {
            for email in [BOB, CAROL, "nobody@example.com"] {
                app.post(REQUEST, json!({ "email": email }))
                    .await
                    .expect(202);
                app.post(RESET, json!({ "email": email.to_uppercase() }))
                    .await
                    .expect(202);
            }
        }
    };
    flood().await;
    let mails = app.inbox().await.split_off(before);
    let count = |email: &str, link: &str| {
        let ours = mails
            .iter()
            .filter(|mail| mail.to == email && mail.text.contains(link));
        ours.count()
    };
    let kinds = ["/verify-email?", "/reset-password#"];
    assert_eq!(kinds.map(|kind| count(BOB, kind)), [0, 3]);
    // The mail of the sign-up counts, too.
    assert_eq!(kinds.map(|kind| count(CAROL, kind)), [2, 3]);
    assert_eq!(
        app.audit().await.last().unwrap(),
        "request_password_reset refused"
    );
    app.advance(TimeDelta::hours(1));
    flood().await;
    assert_eq!(app.inbox().await.len(), before + 17, "three more of each");
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_no_hour_has_more_than_three_mails_of_a_kind() {
    let app = TestApp::start_with(&[("RATE_LIMIT_RECIPIENT", "3/1h")]).await;
    app.bob().await;
    let before = app.mails_to(BOB).await.len();
    let mut sent = Vec::new();
    for _ in 0..7 {
        for _ in 0..5 {
            app.post(RESET, json!({ "email": BOB })).await.expect(202);
        }
        sent.push(app.mails_to(BOB).await.len() - before);
        app.advance(TimeDelta::minutes(20));
    }
    // By the process alone one more would trickle through every twenty minutes.
    assert_eq!(sent[..3], [3, 3, 3]);
    assert!(sent[3] > 3 && sent[6] > sent[3], "{sent:?}");
    for hour in sent.windows(4) {
        assert!(hour[3] - hour[0] <= 3, "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_parallel_requests_on_two_nodes_do_not_get_round_the_limit() {
    let settings = [
        ("RATE_LIMIT_RECIPIENT", "3/1h"),
        ("SIGNUP_PRIVACY", "strict"),
    ];
    let app = TestApp::start_with(&settings).await;
    app.post(
        "/api/v1/auth/register",
        json!({ "email": BOB, "password": PASSWORD }),
    )
    .await
    .expect(202);
    let app = Arc::new(app);
    let nodes = [
        Arc::clone(&app),
        Arc::new(app.start_node(2, &settings).await),
    ];
    let by_email = json!({ "email": BOB });
    let sign_up = json!({ "email": BOB, "password": PASSWORD });
    for (path, body, template, mails) in [
        (RESET, &by_email, "password_reset", 3),
        (REQUEST, &by_email, "verify_email", 3),
        ("/api/v1/auth/register", &sign_up, "account_exists", 3),
    ] {
        let replies = post_at_once(&nodes, vec![(None, path, body.clone()); 20]).await;
        assert_eq!(count(&replies, 202), 20, "{path}");
        tokio::join!(nodes[0].catch_up(), nodes[1].catch_up());
        let sql = format!("SELECT count(*) FROM outbox_mails WHERE template = '{template}'");
        assert_eq!(app.db.number(&sql).await, mails, "{path}");
    }
    app.inbox().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_in_person_needs_not_name_the_address() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    let first = signed_up(&app, BOB).await;
    let bob = app.sign_in(BOB).await;
    let request = || app.request(Method::POST, REQUEST);
    request().bearer(&bob.access).send().await.expect(202);
    app.post_as(&bob.access, REQUEST, json!({}))
        .await
        .expect(202);
    app.post_as(&bob.access, REQUEST, json!({ "email": null }))
        .await
        .expect(202);
    let sent = app.mails_to(BOB).await;
    let links = sent
        .iter()
        .filter(|mail| mail.text.contains("/verify-email?"));
    assert_eq!(links.count(), 4);
    for nobody in [request().send().await, app.post(REQUEST, json!({})).await] {
        assert_eq!(nobody.violations(), ["email: required"]);
    }
    let garbage = request().bearer("garbage").json(json!({ "email": BOB }));
    garbage.send().await.expect_problem(401, "token_invalid");
    app.post(VERIFY, json!({ "token": first }))
        .await
        .expect_problem(410, "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_who_resets_an_unconfirmed_account_finds_nothing_of_a_stranger_in_it() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    let planted = json!({
        "email": BOB, "password": PASSWORD, "username": "eve", "full_name": "Eve", "country": "NL",
        "state_province": "Utrecht", "locale": "nl-NL",
    });
    app.post("/api/v1/auth/register", planted).await.expect(201);
    let link = app.last_token_to(BOB).await;
    let eve = app.sign_in(BOB).await;
    app.post(RESET, json!({ "email": BOB })).await.expect(202);
    let token = app.last_token_to(BOB).await;
    let new = json!({ "token": token, "new_password": "violet kettle anchors marsh" });
    app.post("/api/v1/auth/password-reset-confirm", new)
        .await
        .expect(200);

    app.get_as(&eve.access, "/api/v1/users/me")
        .await
        .expect_problem(401, "session_ended");
    let refresh = json!({ "refresh_token": eve.refresh });
    let status = app.post("/api/v1/auth/refresh", refresh).await.status;
    assert_eq!(status, 401);
    let old = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/login", old)
        .await
        .expect_problem(401, "invalid_credentials");
    app.post(VERIFY, json!({ "token": link }))
        .await
        .expect_problem(410, "token_expired");
    let login = json!({ "email": BOB, "password": "violet kettle anchors marsh" });
    let reply = app.post("/api/v1/auth/login", login).await.expect(200);
    let user = &reply.body["user"];
    assert_eq!(
        [&user["status"], &user["is_verified"]],
        [&json!("active"), &json!(true)]
    );
    for field in [
        "username",
        "full_name",
        "country",
        "state_province",
        "locale",
    ] {
        assert_eq!(user[field], json!(null), "{field}");
    }
    let free = json!({ "email": CAROL, "password": PASSWORD, "username": "eve" });
    app.post("/api/v1/auth/register", free).await.expect(201);
}
