//! What every page refrains from: leading elsewhere, and standing in the way of a password manager.

use super::{NEW, PAGES};
use crate::support::{Reply, TestApp, people::BOB};
use axum::http::Method;
use serde_json::json;

/// The tags of an input with this name.
fn inputs<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let tags = page.split("<input ").skip(1);
    let tags = tags.map(|tag| tag.split('>').next().unwrap());
    tags.filter(|tag| tag.contains(&format!("name=\"{name}\"")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_2_6_a_password_is_hidden_and_may_be_pasted_and_filled_in() {
    let app = TestApp::start().await;
    for path in ["/reset-password", "/accept-invitation"] {
        let page = app.get(path).await.expect(200);
        for name in ["new_password", "confirm_password"] {
            let found = inputs(&page.text, name);
            let [input] = found[..] else {
                panic!("{path} {name}: {found:?}");
            };
            for part in ["type=\"password\"", "autocomplete=\"new-password\""] {
                assert!(input.contains(part), "{path} {part}: {input}");
            }
            for barrier in ["maxlength", "readonly", "pattern", "onpaste", "value="] {
                assert!(!input.contains(barrier), "{path} {barrier}: {input}");
            }
        }
        assert_eq!(page.text.matches("type=\"password\"").count(), 2, "{path}");
        assert!(page.text.contains("id=\"show-password\""), "{path}");
        for barrier in ["paste", "\"copy\"", "keydown", "contextmenu"] {
            let scripts = page.text.split("<script").skip(1);
            let mut scripts = scripts.map(|rest| rest.split("</script>").next().unwrap());
            assert!(
                !scripts.any(|script| script.contains(barrier)),
                "{path} {barrier}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_no_page_leads_to_another_site() {
    let app = TestApp::start().await;
    let away = "next=https%3A%2F%2Fevil.example&redirect_to=%2F%2Fevil.example&return_to=javascript%3Aalert(1)\
                &url=https%3A%2F%2Fevil.example&configUrl=%2F%2Fevil.example%2Fx.json";
    let others = [
        "/docs",
        "/redoc",
        "/.well-known/jwks.json",
        "/verify-email",
        "/",
    ];
    for path in PAGES.into_iter().chain(others) {
        for path in [format!("{path}?{away}"), format!("//evil.example{path}")] {
            let reply = app.request(Method::GET, &path).send().await;
            leads_nowhere(&reply, &path);
        }
    }
    for path in PAGES {
        let fields = [
            ("email", BOB),
            ("token", "https://evil.example/#token=x"),
            ("redirect_to", "https://evil.example"),
            ("new_password", NEW),
            ("confirm_password", NEW),
        ];
        let path = format!("{path}?{away}");
        leads_nowhere(&app.submit(&path, &fields).await, &path);
    }
    let ask = json!({ "email": BOB, "redirect_to": "https://evil.example", "verify_url": "https://evil.example" });
    for path in [
        "password-reset-request",
        "verify-email-request",
        "register",
        "login",
    ] {
        let path = format!("/api/v1/auth/{path}?{away}");
        leads_nowhere(&app.post(&path, ask.clone()).await, &path);
    }
    for mail in app.inbox().await {
        assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
    }
}

#[track_caller]
fn leads_nowhere(reply: &Reply, path: &str) {
    for name in ["location", "refresh", "content-location", "link"] {
        let value = reply.header(name);
        assert!(
            !value.contains("evil") && !value.contains("script:"),
            "{path} {name}: {value}"
        );
    }
    assert!(
        !(300..400).contains(&reply.status),
        "{path}: {}",
        reply.status
    );
    let page = reply.header("content-type").starts_with("text/html");
    let leads = reply.text.contains("evil.example") || reply.text.contains("alert(1)");
    assert!(!page || !leads, "{path}: {}", reply.text);
}
