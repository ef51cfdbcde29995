//! Sign-ups that nobody sends by mistake: rights in the form, text that breaks out, sizes out of bounds.

use super::{REGISTER, form};
use crate::support::{
    TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use axum::http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

const TEXT_FIELDS: [&str; 8] = [
    "email",
    "password",
    "confirm_password",
    "username",
    "full_name",
    "country",
    "state_province",
    "locale",
];

#[tokio::test(flavor = "multi_thread")]
async fn z1_nobody_gives_himself_rights_by_signing_up() {
    let app = TestApp::start().await;
    let greedy = json!({
        "id": "00000000-0000-7000-8000-000000000000", "role": "admin", "roles": ["admin"], "is_admin": true,
        "tier": "premium", "is_premium": true, "tier_until": "2099-01-01T00:00:00Z", "status": "active",
        "is_active": true, "is_verified": true, "email_verified": true, "verified_at": "2020-01-01T00:00:00Z",
        "password_hash": "$2b$04$x", "created_at": "2020-01-01T00:00:00Z", "version": 99, "permissions": ["*"],
    });
    let reply = app.post(REGISTER, form(BOB, &greedy)).await.expect(201);
    app.verify(BOB).await;
    let bob = app.sign_in(BOB).await;
    assert_ne!(bob.id, greedy["id"].as_str().unwrap());
    let me = app
        .get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let account = [&reply.body, &me.body].map(|account| {
        let names = ["roles", "tier", "is_premium", "is_terminated", "created_at"];
        json!(names.map(|name| account[name].clone()))
    });
    let ordinary = json!([["user"], "basic", false, false, "2026-01-05T12:00:00Z"]);
    assert_eq!(account, [ordinary.clone(), ordinary]);
    assert_eq!(
        [&reply.body["status"], &reply.body["is_verified"]],
        [&json!("pending"), &json!(false)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_named_twice_is_refused() {
    let app = TestApp::start().await;
    for body in [
        r#"{"email":"bob@example.com","email":"carol@example.com","password":"SecurePass123"}"#,
        r#"{"email":"bob@example.com","password":"SecurePass123","\u0065mail":"carol@example.com"}"#,
        r#"{"email":"bob@example.com","password":"SecurePass123","extra":{"a":1,"a":2}}"#,
    ] {
        let request = app.request(Method::POST, REGISTER);
        let request = request.header("content-type", "application/json");
        let reply = request.body(body).send().await;
        reply.expect_problem(400, "malformed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_nul_and_lone_surrogates_are_refused_in_every_field() {
    let app = TestApp::start().await;
    for field in TEXT_FIELDS {
        let good = if field == "email" { BOB } else { PASSWORD };
        let body = form(CAROL, &json!({ field: format!("{good}\0") }));
        let reply = app.post(REGISTER, body).await;
        let told = reply.violations();
        assert!(
            told.iter().any(|v| v.starts_with(field)),
            "{field}: {told:?}"
        );
        let body = form(CAROL, &json!({ field: "SURROGATE" })).to_string();
        let request = app.request(Method::POST, REGISTER);
        let request = request.header("content-type", "application/json");
        let reply = request
            .body(body.replace("SURROGATE", r"\ud800"))
            .send()
            .await;
        reply.expect_problem(400, "malformed");
    }
    for path in [
        "/verify-email?token=%00",
        "/verify-email?%00=a",
        "/api/v1/auth/%00",
        "/%00",
    ] {
        let status = app.get(path).await.status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let request = app
        .request(Method::POST, REGISTER)
        .header("cookie", "a=%00");
    let request = request.header("accept-language", "%00");
    request
        .json(form(CAROL, &json!({})))
        .send()
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn i8_an_address_has_64_and_254_bytes_at_most() {
    let app = TestApp::start().await;
    let label = |length: usize| "d".repeat(length);
    let domain = |last: usize| format!("{0}.{0}.{1}.io", label(63), label(last));
    for (email, lawful) in [
        (format!("{}@x.io", "a".repeat(64)), true),
        (format!("{}@x.io", "a".repeat(65)), false),
        (format!("{}@{}", "a".repeat(64), domain(58)), true),
        (format!("{}@{}", "a".repeat(64), domain(59)), false),
        (format!("a@{}io", "x.".repeat(10_000)), false),
        (format!("a@{}", "x".repeat(60_000)), false),
    ] {
        let reply = app.post(REGISTER, form(&email, &json!({}))).await;
        if lawful {
            assert_eq!(email.len() == 254, email.len() > 100);
            reply.expect(201);
        } else {
            assert_eq!(reply.violations(), ["email: too_long"]);
        }
    }
    let huge = form(&format!("{}@x.io", "a".repeat(1_000_000)), &json!({}));
    let reply = app.post(REGISTER, huge).await;
    reply.expect_problem(413, "payload_too_large");
}

/// The figure of how many passwords were hashed.
async fn hashed(app: &TestApp) -> String {
    let figures = app.get("/metrics").await.expect(200).text;
    let mut lines = figures.lines();
    let count = lines.find(|line| line.starts_with("usher_hash_seconds_count"));
    count.unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_an_oversized_password_is_refused_before_it_is_hashed() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    let before = hashed(&app).await;
    assert!(!before.ends_with(" 0"), "{before}");
    for path in [REGISTER, "/api/v1/auth/login"] {
        for (length, status) in [
            (1_025, 422),
            (60_000, 422),
            (1_000_000, 413),
            (10_000_000, 413),
        ] {
            let body = json!({ "email": BOB, "password": "Aa1".repeat(length / 3 + 1) });
            let body = bytes::Bytes::from(body.to_string());
            let (mut fastest, limit) = (Duration::MAX, Duration::from_millis(20));
            for _ in 0..50 {
                if fastest <= limit {
                    break;
                }
                let request = app.request(Method::POST, path);
                let request = request.header("content-type", "application/json");
                let request = request.body(body.clone());
                let begun = Instant::now();
                let reply = request.send().await;
                fastest = fastest.min(begun.elapsed());
                assert_eq!(reply.status, status, "{path} {length}");
            }
            assert!(fastest <= limit, "{path} {length}: {fastest:?}");
        }
    }
    assert_eq!(hashed(&app).await, before, "no password was hashed");
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_line_breaks_do_not_get_into_mails() {
    let app = TestApp::start().await;
    let injected = "x\r\nBcc: eve@evil.example";
    for field in [
        "email",
        "username",
        "full_name",
        "country",
        "state_province",
        "locale",
    ] {
        let text = if field == "email" {
            format!("{BOB}\r\nBcc: eve@evil.example")
        } else {
            injected.to_owned()
        };
        let reply = app
            .post(REGISTER, form(CAROL, &json!({ field: text })))
            .await;
        let told = reply.violations();
        assert!(told.len() == 1 && told[0].starts_with(field), "{told:?}");
    }
    let agent = "x%0d%0aBcc: eve@evil.example";
    let request = app
        .request(Method::POST, REGISTER)
        .header("user-agent", agent);
    request.json(form(BOB, &json!({}))).send().await.expect(201);
    let mails = app.inbox().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, BOB);
    assert!(!mails[0].subject.contains(['\r', '\n']));
    assert!(!mails[0].text.contains("Bcc") && !mails[0].html.contains("Bcc"));
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_name_is_text_in_mails_and_never_a_link() {
    let app = TestApp::start().await;
    for (at, (name, html)) in [
        ("<b>Bob & \"Co\"", "&#60;b&#62;Bob &#38; &#34;Co&#34;"),
        ("<img src=x onerror=alert(1)>", "&#60;img src=x onerror"),
        ("<img src=//evil>", "<img"),
        ("{{7*7}} {% include 'x' %} ${7*7}", "{{7*7}}"),
        ("Click https://evil.example now", "evil"),
        ("www.evil.example", "evil"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("bob{at}@example.com");
        let body = form(&email, &json!({ "full_name": name }));
        app.post(REGISTER, body).await.expect(201);
        let mail = app.mails_to(&email).await.pop().unwrap();
        let shown = mail.html.contains(html);
        assert_eq!(shown, at < 2 || at == 3, "{name}: {}", mail.html);
        assert!(!mail.html.contains("<b>Bob") && !mail.html.contains("49"));
        assert!(!mail.text.contains("evil"), "{}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_links_in_mails_begin_with_the_public_url_whatever_the_host_says() {
    let app = TestApp::start().await;
    for (at, fields) in [
        vec![("host", "evil.example")],
        vec![
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
        ],
        vec![("forwarded", "host=evil.example;proto=https")],
        vec![("host", "usher.test"), ("host", "evil.example")],
        vec![
            ("origin", "http://evil.example"),
            ("referer", "http://evil.example/"),
        ],
    ]
    .iter()
    .enumerate()
    {
        let email = format!("bob{at}@example.com");
        for (path, body) in [
            (REGISTER, form(&email, &json!({}))),
            (
                "/api/v1/auth/verify-email-request",
                json!({ "email": email }),
            ),
            (
                "/api/v1/auth/password-reset-request",
                json!({ "email": email }),
            ),
        ] {
            let request = app.request(Method::POST, path).json(body);
            let request = fields.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            let status = request.send().await.status;
            assert!(matches!(status, 201 | 202 | 400), "{path}: {status}");
        }
    }
    let path = "http://evil.example/api/v1/auth/verify-email-request";
    let absolute = app.request(Method::POST, path);
    let body = json!({ "email": "bob0@example.com" });
    absolute.json(body).send().await;
    let mails = app.inbox().await;
    assert!(mails.len() >= 3, "{}", mails.len());
    for mail in mails {
        for part in [&mail.text, &mail.html] {
            assert!(!part.contains("evil"), "{part}");
        }
        let link = [
            "http://usher.test/verify-email?token=",
            "http://usher.test/reset-password#token=",
        ];
        assert!(
            link.iter().any(|link| mail.text.contains(link)),
            "{}",
            mail.text
        );
    }
}
