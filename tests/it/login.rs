//! Sign-in: who gets in, who does not, and what each is told.

mod cost;
mod strict;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::{BOB, CAROL, DAVE},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "WrongPass123";

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_opens_a_session() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    app.verify(BOB).await;
    let form = json!({ "email": "BOB@example.com", "password": PASSWORD });
    let reply = app.post(LOGIN, form).await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    insta::assert_json_snapshot!(reply.body, {
        ".access_token" => "[access token]",
        ".refresh_token" => "[refresh token]",
        ".user.id" => "[id]",
        ".user._links" => "[links]",
    }, @r#"
    {
      "access_token": "[access token]",
      "expires_in": 1800,
      "refresh_token": "[refresh token]",
      "token_type": "Bearer",
      "user": {
        "_links": "[links]",
        "avatar_url": null,
        "country": null,
        "created_at": "2026-01-05T12:00:00Z",
        "current_title": null,
        "email": "bob@example.com",
        "full_name": null,
        "id": "[id]",
        "is_active": true,
        "is_premium": false,
        "is_terminated": false,
        "is_verified": true,
        "last_login_at": "2026-01-05T12:00:00Z",
        "locale": null,
        "location": null,
        "roles": [
          "user"
        ],
        "state_province": null,
        "status": "active",
        "tier": "basic",
        "timezone": null,
        "updated_at": "2026-01-05T12:00:00Z",
        "username": null,
        "version": 2
      }
    }
    "#);
    let access = reply.body["access_token"].as_str().unwrap();
    let me = app.get_as(access, "/api/v1/users/me").await.expect(200);
    assert_eq!(me.body["last_login_at"], "2026-01-05T12:00:00Z");
    assert_eq!(app.audit().await.last().unwrap(), "login success");
    assert_eq!(app.events().await.last().unwrap(), "user.logged_in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_serves_as_well_as_the_address_in_either_field() {
    let app = TestApp::start().await;
    let form = json!({ "email": BOB, "password": PASSWORD, "username": "Bob.Builder" });
    app.post("/api/v1/auth/register", form).await.expect(201);
    app.verify(BOB).await;
    for form in [
        json!({ "username": "bob.builder", "password": PASSWORD }),
        json!({ "email": "BOB.BUILDER", "password": PASSWORD }),
    ] {
        let reply = app.post(LOGIN, form).await.expect(200);
        assert_eq!(reply.body["user"]["email"], BOB);
    }
    for form in [json!({ "password": PASSWORD }), json!({ "email": null })] {
        let reply = app.post(LOGIN, form).await;
        assert!(reply.violations().contains(&"email: required".to_owned()));
    }
}

/// All that a client sees, but for the request's own id.
fn seen(reply: Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut reply = reply.expect_problem(401, "invalid_credentials");
    reply.body["request_id"].take();
    let fields = reply.headers.iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let fields = fields.filter(|(name, _)| name != "x-request-id").collect();
    (reply.status, reply.body, fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn e1_nobody_a_wrong_password_and_a_terminated_account_look_alike() {
    let app = TestApp::start().await;
    app.bob().await;
    let gone = app.person("gone@example.com").await;
    let end = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&gone.access, "/terminate", end)
        .await
        .expect(204);
    let login = |email: &str, password: &str| json!({ "email": email, "password": password });
    let usual = seen(app.post(LOGIN, login("nobody@example.com", WRONG)).await);
    for n in 0..50 {
        let nobody = format!("nobody{n}@example.com");
        for form in [
            login(&nobody, WRONG),
            login(BOB, WRONG),
            login(&gone.email, PASSWORD),
            json!({ "username": format!("nobody{n}"), "password": WRONG }),
        ] {
            assert_eq!(seen(app.post(LOGIN, form.clone()).await), usual, "{form}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bars_the_way_is_told_only_after_the_right_password() {
    let app = TestApp::start().await;
    app.carol().await;
    app.dave().await;
    for (email, code) in [(CAROL, "email_not_verified"), (DAVE, "account_deactivated")] {
        let right = json!({ "email": email, "password": PASSWORD });
        app.post(LOGIN, right).await.expect_problem(403, code);
        assert_eq!(app.audit().await.last().unwrap(), "login refused");
        let wrong = json!({ "email": email, "password": WRONG });
        app.post(LOGIN, wrong)
            .await
            .expect_problem(401, "invalid_credentials");
        assert_eq!(app.audit().await.last().unwrap(), "login failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_required_verification_an_unconfirmed_person_gets_in() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    app.carol().await;
    let carol = app.sign_in(CAROL).await;
    let me = app.get_as(&carol.access, "/api/v1/users/me").await;
    assert_eq!(me.expect(200).body["is_verified"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_is_told_of_by_mail_and_a_known_one_is_not() {
    let app = TestApp::start().await;
    app.bob().await;
    let before = app.mails_to(BOB).await.len();
    app.sign_in(BOB).await;
    assert_eq!(app.mails_to(BOB).await.len(), before);
    let login = || {
        app.request(Method::POST, LOGIN)
            .header("user-agent", "curl/8.5.0")
            .from("198.51.100.7")
            .json(json!({ "email": BOB, "password": PASSWORD }))
    };
    login().send().await.expect(200);
    let mails = app.mails_to(BOB).await;
    assert_eq!(mails.len(), before + 1);
    let text = &mails.last().unwrap().text;
    assert!(
        text.contains("curl") && text.contains("198.51.100.7"),
        "{text}"
    );
    login().send().await.expect(200);
    assert_eq!(app.mails_to(BOB).await.len(), before + 1);
}

/// Hashes of `correct horse` by the reference implementations (libargon2, libxcrypt, OpenSSL).
const FOREIGN: [&str; 5] = [
    "$argon2i$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$7x0DEovheUe3rTI6Gdl+g8z50SqNX3QXuuWBAYjf02I",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    "pbkdf2_sha256$1000$seasalt2seasalt2$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=",
    "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_hash_works_and_is_replaced_by_the_first_right_password() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let stored = || async {
        let sql = "SELECT password_hash FROM credentials ORDER BY changed_at DESC, user_id DESC";
        app.db.texts(sql).await.remove(0)
    };
    let changed = "SELECT count(DISTINCT changed_at) FROM credentials";
    let changed_before = app.db.number(changed).await;
    for foreign in FOREIGN {
        let sql = format!("UPDATE credentials SET password_hash = '{foreign}' WHERE user_id = $id");
        app.set_in_users_table(BOB, &bob.id, &sql).await;
        let wrong = json!({ "email": BOB, "password": "correct Horse" });
        app.post(LOGIN, wrong).await.expect(401);
        assert_eq!(stored().await, foreign, "replaced by a wrong password");
        // The second time by the new hash.
        for _ in 0..2 {
            let right = json!({ "email": BOB, "password": "correct horse" });
            app.post(LOGIN, right).await.expect(200);
            let hash = stored().await;
            assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        }
    }
    assert_eq!(app.db.number(changed).await, changed_before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_races_a_password_reset_leaves_no_session() {
    let app = Arc::new(TestApp::start().await);
    app.bob().await;
    let (mut old, mut new) = (PASSWORD, "OtherPass4567");
    for round in 0..20 {
        app.advance(TimeDelta::minutes(1));
        // What the last round has left to send goes first, so that the reset is the newest mail.
        app.inbox().await;
        let ask = json!({ "email": BOB });
        app.post("/api/v1/auth/password-reset-request", ask)
            .await
            .expect(202);
        let token = app.last_token_to(BOB).await;
        let reset = json!({ "token": token, "new_password": new });
        let login = json!({ "email": BOB, "password": old });
        let mut posts = vec![(None, LOGIN, login); 6];
        posts.insert(3, (None, "/api/v1/auth/password-reset-confirm", reset));
        let replies = post_at_once(&[Arc::clone(&app)], posts).await;
        assert_eq!(replies[3].status, 200, "{}", replies[3].text);
        let live = "SELECT count(*) FROM user_sessions WHERE ended_at IS NULL";
        assert_eq!(app.db.number(live).await, 0, "round {round}");
        for access in replies
            .iter()
            .filter_map(|reply| reply.body["access_token"].as_str())
        {
            app.get_as(access, "/api/v1/users/me")
                .await
                .expect_problem(401, "session_ended");
        }
        std::mem::swap(&mut old, &mut new);
    }
    let entries = app.audit().await;
    let entries = entries.iter().filter(|entry| entry.starts_with("login "));
    assert_eq!(entries.count(), 1 + 20 * 6, "one entry for each sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_past_the_queue_a_sign_in_is_told_to_come_back() {
    let app = TestApp::start_with(&[
        ("HASH_QUEUE", "1"),
        ("HASH_THREADS", "1"),
        ("HASH_MEMORY_KIB", "65536"),
    ]);
    let app = Arc::new(app.await);
    let form = json!({ "email": "nobody@example.com", "password": WRONG });
    let replies = post_at_once(&[Arc::clone(&app)], vec![(None, LOGIN, form); 20]).await;
    let (judged, busy) = (count(&replies, 401), count(&replies, 503));
    assert_eq!(judged + busy, 20);
    assert!(judged >= 1 && busy >= 1, "{judged} {busy}");
    for reply in replies.into_iter().filter(|reply| reply.status == 503) {
        let reply = reply.expect_problem(503, "busy");
        assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    app.ada().await;
}
