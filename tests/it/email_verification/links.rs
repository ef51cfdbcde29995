//! The mailed link as programs follow it: clients of the API, and scanners that only look.

use super::{BOB, VERIFY, pending, signed_up};
use crate::support::TestApp;
use axum::http::Method;

#[tokio::test(flavor = "multi_thread")]
async fn the_get_forms_confirm_for_clients_of_the_api() {
    let app = TestApp::start().await;
    for (at, (path, accept)) in [
        ("/verify-email", None),
        ("/auth/verify-email", Some("application/json")),
        ("/verify-email", Some("*/*")),
        (
            "/auth/verify-email",
            Some("application/json, text/html;q=0.5"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("bob{at}@example.com");
        let token = signed_up(&app, &email).await;
        let get = async || {
            let request = app.request(Method::GET, &format!("{path}?token={token}"));
            let request = accept
                .into_iter()
                .fold(request, |request, accept| request.header("accept", accept));
            request.send().await.expect(200)
        };
        for already in [false, true, true] {
            let reply = get().await;
            assert_eq!(reply.body["already_verified"], already);
            assert_eq!(reply.body["user"]["email"], email);
            let fields = ["content-type", "cache-control", "referrer-policy"]
                .map(|name| reply.header(name).to_owned());
            assert_eq!(fields, ["application/json", "no-store", "no-referrer"]);
            assert!(
                reply.header("vary").to_lowercase().contains("accept"),
                "{:?}",
                reply.headers
            );
        }
        app.sign_in(&email).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_l7_a_scanner_that_asks_for_head_or_options_changes_nothing() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    for path in ["/verify-email", "/auth/verify-email", VERIFY] {
        for method in [
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::DELETE,
            Method::TRACE,
        ] {
            for accept in ["application/json", "*/*", "text/html"] {
                let target = format!("{path}?token={token}");
                let request = app
                    .request(method.clone(), &target)
                    .header("accept", accept);
                let reply = request.send().await;
                assert!(reply.status < 500, "{method} {path}: {}", reply.status);
                assert_eq!(pending(&app).await, 1, "{method} {path} {accept}");
            }
        }
    }
    let head = app.request(Method::HEAD, &format!("/verify-email?token={token}"));
    let head = head.send().await.expect(200);
    assert_eq!(head.text, "");
    let get = app
        .get(&format!("/verify-email?token={token}"))
        .await
        .expect(200);
    assert_eq!(get.body["already_verified"], false);
}
