//! The pages behind the links in mails, as a browser meets them.

mod safety;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use axum::http::Method;
use serde_json::json;

const NEW: &str = "AnotherPass456";
const PAGES: [&str; 6] = [
    "/forgot-password",
    "/resend-verification",
    "/reset-password",
    "/confirm-email-change",
    "/undo-email-change",
    "/accept-invitation",
];

impl TestApp {
    /// A form as the browser sends it from our own page.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .form(fields)
            .send()
            .await
    }
}

/// What every page must carry: words under a heading, and nothing that lets anything else in.
#[track_caller]
fn expect_page(reply: &Reply, status: u16, heading: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    let title = format!("<h1>{heading}</h1>");
    assert!(reply.text.contains(&title), "{heading}: {}", reply.text);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("x-frame-options"), "DENY");
    let csp = reply.header("content-security-policy");
    let nonce = csp
        .split_once("script-src 'nonce-")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(nonce, _)| nonce)
        .expect("a nonce");
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(csp.contains(rule), "{csp}");
    }
    let scripts = reply.text.matches("<script").count();
    let ours = format!("<script nonce=\"{nonce}\">");
    assert_eq!(reply.text.matches(&ours).count(), scripts);
    for outside in ["http://", "https://", "src=", "onclick", "javascript:"] {
        let body = reply
            .text
            .replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!body.contains(outside), "{outside}: {}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_with_its_own_nonce_and_nothing_from_outside() {
    let app = TestApp::start().await;
    let headings = [
        "Forgot your password?",
        "Confirm your e-mail address",
        "Choose a new password",
        "Confirm your new e-mail address",
        "Undo the change of your e-mail address",
        "Choose your password",
    ];
    for (path, heading) in PAGES.into_iter().zip(headings) {
        let (one, two) = (app.get(path).await, app.get(path).await);
        expect_page(&one, 200, heading);
        let csp = |reply: &Reply| reply.header("content-security-policy").to_owned();
        assert_ne!(csp(&one), csp(&two), "a nonce is never used twice");
        let field = format!("<form method=\"post\" action=\"{path}\"");
        assert!(one.text.contains(&field), "{}", one.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_another_site_is_refused() {
    let app = TestApp::start().await;
    app.bob().await;
    let before = app.inbox().await.len();
    for path in PAGES {
        for site in ["cross-site", "same-site", "nonsense"] {
            let form = [("email", BOB), ("token", "x")];
            app.request(Method::POST, path)
                .header("sec-fetch-site", site)
                .form(&form)
                .send()
                .await
                .expect(403);
        }
        let json = app
            .request(Method::POST, path)
            .json(json!({ "email": BOB }));
        json.header("sec-fetch-site", "same-origin")
            .send()
            .await
            .expect(415);
        app.request(Method::PUT, path).send().await.expect(405);
    }
    assert_eq!(app.inbox().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_in_the_browser() {
    let app = TestApp::start().await;
    app.bob().await;
    let known = app.submit("/forgot-password", &[("email", BOB)]).await;
    expect_page(&known, 202, "Check your mail");
    let unknown = [("email", "nobody@example.com")];
    let unknown = app.submit("/forgot-password", &unknown).await;
    let words = |reply: &Reply| {
        let (_, main) = reply.text.split_once("<main>").unwrap();
        main.split("<script").next().unwrap().to_owned()
    };
    assert_eq!(words(&known), words(&unknown), "nobody learns who is here");

    let token = app.last_token_to(BOB).await;
    let link = format!("http://usher.test/reset-password#token={token}");
    for (pasted, new, again, error) in [
        (&token, "short", "short", "new_password-error"),
        (&link, NEW, "Different456", "confirm_password-error"),
        (&link, "Password123", "Password123", "new_password-error"),
    ] {
        let fields = [
            ("token", pasted.as_str()),
            ("new_password", new),
            ("confirm_password", again),
        ];
        let reply = app.submit("/reset-password", &fields).await;
        expect_page(&reply, 422, "Choose a new password");
        assert!(reply.text.contains(&format!("id=\"{error}\"")), "{error}");
        assert!(reply.text.contains(&format!("value=\"{token}\"")));
        for typed in [new, again] {
            let echo = format!("value=\"{typed}\"");
            assert!(!reply.text.contains(&echo), "the password comes back");
        }
        assert!(!reply.text.contains(NEW) && !reply.text.contains("Different456"));
    }
    let fields = [
        ("token", link.as_str()),
        ("new_password", NEW),
        ("confirm_password", NEW),
    ];
    let done = app.submit("/reset-password", &fields).await;
    expect_page(&done, 200, "Your password is changed");
    let again = app.submit("/reset-password", &fields).await;
    expect_page(&again, 410, "This link was used before");
    assert_eq!(app.try_password(BOB, NEW).await, 200);
    let unknown = [
        ("token", "nonsense"),
        ("new_password", NEW),
        ("confirm_password", NEW),
    ];
    let reply = app.submit("/reset-password", &unknown).await;
    expect_page(&reply, 400, "This link does not work");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_a_page_comes_back_as_text() {
    let app = TestApp::start().await;
    for path in ["/forgot-password", "/resend-verification"] {
        let typed = "\"><script>alert(1)</script>{{7*7}}";
        let reply = app.submit(path, &[("email", typed)]).await;
        assert_eq!(reply.status, 422);
        assert!(!reply.text.contains("<script>alert"), "{}", reply.text);
        assert!(reply.text.contains("{{7*7}}"), "what was typed is lost");
        let reply = app.submit(path, &[]).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_changed_and_restored_in_the_browser() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let new = "bob.new@example.com";
    let body = json!({ "new_email": new, "password": PASSWORD });
    app.post_as(&bob.access, "/api/v1/auth/change-email", body)
        .await
        .expect(202);
    let token = app.last_token_to(new).await;
    let path = "/confirm-email-change";
    let reply = app.submit(path, &[("token", &token)]).await;
    expect_page(&reply, 200, "Your new e-mail address is in use");
    let reply = app.submit(path, &[("token", &token)]).await;
    expect_page(&reply, 410, "This link was used before");
    let path = "/undo-email-change";
    let undo = app.last_token_to(BOB).await;
    let reply = app.submit(path, &[("token", &undo)]).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(reply.text.contains("href=\"/forgot-password\""));
    for path in [path, "/confirm-email-change"] {
        let reply = app.submit(path, &[("token", "x")]).await;
        expect_page(&reply, 400, "This link does not work");
    }
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_chooses_the_password_in_the_browser() {
    let app = TestApp::start().await;
    app.carol().await;
    // Carol becomes an invited person: no password, and her link opens an invitation.
    for sql in [
        "DELETE FROM credentials WHERE user_id = (SELECT user_id FROM email_verifications)",
        "INSERT INTO invitations SELECT * FROM email_verifications",
        "DELETE FROM email_verifications",
    ] {
        assert_eq!(app.db.execute(sql).await, 1, "{sql}");
    }
    let token = app.last_token_to(CAROL).await;
    let submit = async |new: &str, again: &str| {
        let fields = [
            ("token", token.as_str()),
            ("new_password", new),
            ("confirm_password", again),
        ];
        app.submit("/accept-invitation", &fields).await
    };
    let reply = submit("carol@example", "carol@example").await;
    expect_page(&reply, 422, "Choose your password");
    assert!(reply.text.contains(&format!("value=\"{token}\"")));
    assert!(!reply.text.contains("carol@example\""));
    let reply = submit(NEW, NEW).await;
    expect_page(&reply, 200, "Your account is ready");
    let reply = submit(NEW, NEW).await;
    expect_page(&reply, 410, "This link was used before");
    assert_eq!(app.try_password(CAROL, NEW).await, 200);
}
