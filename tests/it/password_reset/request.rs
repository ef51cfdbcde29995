//! Asking for a reset link: who gets a mail, what strangers learn, and whose account it becomes.

use super::{CONFIRM, NEW, REQUEST};
use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL, DAVE},
};
use axum::http::Method;
use serde_json::json;

const GONE: &str = "gone@example.com";

/// What a stranger can compare.
fn seen(reply: &Reply) -> (u16, String, Vec<String>) {
    let names = reply.headers.keys().map(ToString::to_string).collect();
    (reply.status, reply.text.clone(), names)
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_every_address_gets_the_same_answer_and_only_accounts_in_use_a_mail() {
    let app = TestApp::start().await;
    app.bob().await;
    app.carol().await;
    app.dave().await;
    let gone = app.person(GONE).await;
    let body = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&gone.access, "/terminate", body)
        .await
        .expect(204);
    let before = app.inbox().await.len();
    for path in [REQUEST, "/api/v1/auth/verify-email-request"] {
        let mut answers = Vec::new();
        for email in [
            BOB,
            CAROL,
            DAVE,
            GONE,
            "nobody@example.com",
            "a+b'c@sub.example.org",
            "BOB@EXAMPLE.COM",
        ] {
            let reply = app.post(path, json!({ "email": email })).await.expect(202);
            answers.push(seen(&reply));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    let mails = app.inbox().await.split_off(before);
    let sent: Vec<_> = mails
        .iter()
        .map(|mail| format!("{}: {}", mail.to, mail.subject))
        .collect();
    let (reset, verify) = (
        "Reset your password for usher.test",
        "Confirm your e-mail address for usher.test",
    );
    let mut wanted = vec![
        format!("{BOB}: {reset}"),
        format!("{BOB}: {reset}"),
        format!("{CAROL}: {reset}"),
        format!("{CAROL}: {verify}"),
    ];
    let mut sent = sent;
    sent.sort();
    wanted.sort();
    assert_eq!(sent, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_the_link_names_the_configured_origin_whatever_the_request_says() {
    let app = TestApp::start().await;
    app.bob().await;
    for (path, headers) in [
        (REQUEST, vec![("host", "evil.example")]),
        (REQUEST, vec![("x-forwarded-host", "evil.example")]),
        (
            REQUEST,
            vec![("forwarded", "host=evil.example;proto=https")],
        ),
        (
            REQUEST,
            vec![("host", "usher.test"), ("host", "evil.example")],
        ),
        (
            "http://evil.example/api/v1/auth/password-reset-request",
            vec![],
        ),
    ] {
        let before = app.mails_to(BOB).await.len();
        let mut request = app
            .request(Method::POST, path)
            .json(json!({ "email": BOB }));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let reply = request.send().await;
        let mails = app.mails_to(BOB).await.split_off(before);
        if reply.status == 400 {
            assert!(mails.is_empty());
            continue;
        }
        reply.expect(202);
        let mail = mails.first().expect("a mail");
        let links = mail.text.matches("http").count();
        assert_eq!(links, 1, "{}", mail.text);
        let link = "\nhttp://usher.test/reset-password#token=";
        assert!(mail.text.contains(link), "{}", mail.text);
        assert!(!mail.html.contains("evil"), "{}", mail.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l5_a_look_alike_address_reaches_nobody() {
    let app = TestApp::start().await;
    app.person("mike@example.com").await;
    let before = app.inbox().await.len();
    for typed in [
        "m\u{131}ke@example.com",
        "mike@\u{212a}example.com",
        "m\u{ff49}ke@example.com",
    ] {
        let reply = app.post(REQUEST, json!({ "email": typed })).await;
        assert!([202, 422].contains(&reply.status), "{}", reply.text);
    }
    assert_eq!(app.inbox().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_line_breaks_in_any_field_reach_no_header() {
    let app = TestApp::start().await;
    let breaks = "Bob\r\nBcc: x@evil.example";
    for field in ["email", "full_name", "country", "locale", "username"] {
        let mut form = json!({ "email": BOB, "password": PASSWORD });
        form[field] = json!(if field == "email" {
            format!("{BOB}\r\nBcc: x@evil.example")
        } else {
            breaks.to_owned()
        });
        let reply = app.post("/api/v1/auth/register", form).await;
        assert_eq!(reply.violations().len(), 1, "{field}: {}", reply.text);
    }
    app.bob().await;
    let body = json!({ "email": format!("{BOB}\nBcc: x@evil.example") });
    app.post(REQUEST, body).await.expect(422);
    app.reset_token(BOB).await;
    for mail in app.inbox().await {
        assert_eq!(mail.to, BOB);
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r8_a_token_of_one_kind_opens_nothing_else() {
    let app = TestApp::start().await;
    app.bob().await;
    app.carol().await;
    let verification = app.last_token_to(CAROL).await;
    let reset = app.reset_token(BOB).await;
    let confirm = json!({ "token": verification, "new_password": NEW });
    app.post(CONFIRM, confirm)
        .await
        .expect_problem(400, "token_invalid");
    for (path, mut body) in [
        ("/api/v1/auth/verify-email", json!({})),
        ("/api/v1/auth/confirm-email-change", json!({})),
        ("/api/v1/auth/undo-email-change", json!({})),
        ("/api/v1/auth/accept-invitation", json!({ "password": NEW })),
    ] {
        body["token"] = json!(reset);
        app.post(path, body)
            .await
            .expect_problem(400, "token_invalid");
    }
    for token in [&verification, &reset] {
        app.get_as(token, "/api/v1/users/me").await.expect(401);
        let refresh = json!({ "refresh_token": token });
        app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    }
    let confirm = json!({ "token": reset, "new_password": NEW });
    app.post(CONFIRM, confirm).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_usable_address_is_refused() {
    let app = TestApp::start().await;
    let long = format!("{}@example.com", "a".repeat(300));
    for (body, broken) in [
        (json!({}), "email: required"),
        (json!({ "email": null }), "email: required"),
        (json!({ "email": "nobody" }), "email: format"),
        (json!({ "email": 5 }), "email: format"),
        (json!({ "email": long }), "email: too_long"),
    ] {
        let reply = app.post(REQUEST, body).await;
        assert_eq!(reply.violations(), [broken], "{}", reply.text);
    }
    let send = |body: &'static str| {
        app.request(Method::POST, REQUEST)
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    for body in ["", "{", "[]", "\"x\"", "{\"email\":\"a@b.example\"} x"] {
        let reply = send(body).await;
        assert!([400, 422].contains(&reply.status), "{body}: {}", reply.text);
    }
}
