//! The same in a browser: the page behind the link, its form, and forms of other sites.

use super::{BOB, pending, sessions, signed_up};
use crate::support::{Reply, TestApp};
use axum::http::Method;
use chrono::TimeDelta;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn open(app: &TestApp, path: &str) -> Reply {
    let request = app.request(Method::GET, path).header("accept", BROWSER);
    request.header("sec-fetch-site", "none").send().await
}

async fn submit(app: &TestApp, token: &str, site: Option<&str>) -> Reply {
    let request = app
        .request(Method::POST, "/verify-email")
        .header("accept", BROWSER);
    let request = site.into_iter().fold(request, |request, site| {
        request.header("sec-fetch-site", site)
    });
    request.form(&[("token", token)]).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_behind_the_link_uses_nothing_up_and_its_button_does() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    for path in ["/verify-email", "/auth/verify-email"] {
        for _ in 0..3 {
            let page = open(&app, &format!("{path}?token={token}"))
                .await
                .expect(200);
            assert!(page.header("content-type").starts_with("text/html"));
            assert!(
                page.text
                    .contains(r#"method="post" action="/verify-email""#),
                "{}",
                page.text
            );
            assert!(page.text.contains(&format!(r#"value="{token}""#)));
            assert_eq!(
                [page.header("cache-control"), page.header("referrer-policy")],
                ["no-store", "no-referrer"]
            );
            let policy = page.header("content-security-policy");
            for rule in [
                "default-src 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                assert!(policy.contains(rule), "{rule}: {policy}");
            }
            assert_eq!(pending(&app).await, 1);
        }
    }
    let done = submit(&app, &token, Some("same-origin")).await.expect(200);
    assert!(
        done.text.contains("Your e-mail address is confirmed"),
        "{}",
        done.text
    );
    assert_eq!([pending(&app).await, sessions(&app).await], [0, 0]);
    assert_eq!(done.header("set-cookie"), "");
    let again = submit(&app, &token, Some("same-origin")).await.expect(200);
    assert!(again.text.contains("This was done before"));
    app.advance(TimeDelta::hours(24));
    let late = submit(&app, &token, Some("same-origin")).await.expect(410);
    assert!(late.text.contains("This link has run out"));
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_is_refused() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    for site in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
        submit(&app, &token, Some(site)).await.expect(403);
    }
    for (kind, body) in [
        ("text/plain", format!("token={token}")),
        ("application/json", "{}".to_owned()),
    ] {
        let request = app
            .request(Method::POST, "/verify-email")
            .header("content-type", kind);
        request.body(body).send().await.expect(415);
    }
    let api = app
        .request(Method::POST, super::VERIFY)
        .form(&[("token", &token)]);
    api.send()
        .await
        .expect_problem(415, "unsupported_media_type");
    for origin in [
        "https://evil.example",
        "https://usher.test",
        "http://usher.test:81",
    ] {
        let request = app.request(Method::POST, "/verify-email");
        let request = request.header("origin", origin);
        request.form(&[("token", &token)]).send().await.expect(403);
    }
    assert_eq!(pending(&app).await, 1);
    let request = app
        .request(Method::POST, "/verify-email")
        .header("sec-fetch-site", "same-origin")
        // What browsers send from a page whose policy is no-referrer.
        .header("origin", "null");
    request.form(&[("token", &token)]).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_link_shows_a_page_that_shows_nothing_of_it() {
    let app = TestApp::start().await;
    for query in [
        "",
        "?token=",
        "?token=%3Cscript%3Ealert(1)%3C/script%3E",
        "?token=%22%3E%3Cb%3Ebold",
        "?token=%00",
        "?%",
    ] {
        let page = open(&app, &format!("/verify-email{query}"))
            .await
            .expect(400);
        assert!(page.text.contains("This link does not work"), "{query}");
        assert!(
            !page.text.contains("alert(1)") && !page.text.contains("<b>bold"),
            "{query}"
        );
    }
    let unknown = "A".repeat(43);
    submit(&app, &unknown, Some("same-origin"))
        .await
        .expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_no_parameter_leads_to_another_site() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    for name in [
        "redirect_to",
        "redirect_uri",
        "next",
        "return_to",
        "url",
        "continue",
    ] {
        for value in [
            "https%3A%2F%2Fevil.example",
            "%2F%2Fevil.example",
            "%2F%5Cevil.example",
            "javascript%3Aalert(1)",
        ] {
            let page = open(&app, &format!("/verify-email?{name}={value}&token={token}"))
                .await
                .expect(200);
            assert_eq!(page.header("location"), "");
            assert!(
                !page.text.contains("evil") && !page.text.contains("alert("),
                "{}",
                page.text
            );
        }
    }
    let request = app.request(Method::POST, "/verify-email?next=https://evil.example");
    let form = [
        ("token", token.as_str()),
        ("redirect_to", "https://evil.example"),
    ];
    let reply = request.form(&form).send().await.expect(200);
    assert!(reply.header("location").is_empty() && !reply.text.contains("evil"));
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_new_link_in_a_browser_tells_nothing() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    let page = open(&app, "/resend-verification").await.expect(200);
    assert!(page.text.contains(r#"name="email""#));
    for email in [BOB, "nobody@example.com"] {
        let request = app
            .request(Method::POST, "/resend-verification")
            .header("accept", BROWSER);
        let reply = request.form(&[("email", email)]).send().await.expect(202);
        assert!(reply.text.contains("Check your mail") && !reply.text.contains(email));
    }
    assert_eq!(app.inbox().await.len(), 2);
    let request = app.request(Method::POST, "/resend-verification");
    let reply = request
        .form(&[("email", "<b>bold@")])
        .send()
        .await
        .expect(422);
    assert!(!reply.text.contains("<b>bold"));
}
