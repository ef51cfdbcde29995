//! Secrets of one purpose that are tried at another.

use super::{BOB, REQUEST, VERIFY, pending, sessions, signed_up};
use crate::support::TestApp;
use axum::http::Method;
use serde_json::json;

const DECLINE: &str = "/api/v1/auth/verify-email/decline";
const PASSPHRASE: &str = "violet kettle anchors marsh";

/// The operations that take a mailed token, with a body that is good but for it.
fn doors(token: &str) -> [(&'static str, serde_json::Value); 6] {
    [
        (VERIFY, json!({ "token": token })),
        (DECLINE, json!({ "token": token })),
        (
            "/api/v1/auth/password-reset-confirm",
            json!({ "token": token, "new_password": PASSPHRASE }),
        ),
        (
            "/api/v1/auth/accept-invitation",
            json!({ "token": token, "password": PASSPHRASE }),
        ),
        (
            "/api/v1/auth/confirm-email-change",
            json!({ "token": token }),
        ),
        ("/api/v1/auth/undo-email-change", json!({ "token": token })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn r8_a_token_of_one_purpose_opens_no_other_door() {
    let app = TestApp::start().await;
    let verification = signed_up(&app, BOB).await;
    app.post(
        "/api/v1/auth/password-reset-request",
        json!({ "email": BOB }),
    )
    .await
    .expect(202);
    let reset = app.last_token_to(BOB).await;
    assert_ne!(verification, reset);
    for (token, own) in [
        (&verification, vec![VERIFY, DECLINE]),
        (&reset, vec!["/api/v1/auth/password-reset-confirm"]),
    ] {
        for (path, body) in doors(token) {
            if !own.contains(&path) {
                app.post(path, body)
                    .await
                    .expect_problem(400, "token_invalid");
            }
        }
        app.get_as(token, "/api/v1/users/me")
            .await
            .expect_problem(401, "token_invalid");
        let refresh = json!({ "refresh_token": token });
        let reply = app.post("/api/v1/auth/refresh", refresh).await;
        assert!(matches!(reply.status, 400 | 401), "{}", reply.text);
        app.post_as(token, REQUEST, json!({}))
            .await
            .expect_problem(401, "token_invalid");
    }
    assert_eq!([pending(&app).await, sessions(&app).await], [1, 0]);
    let query = format!("/verify-email?token={reset}");
    app.get(&query).await.expect_problem(400, "token_invalid");
    let page = app.request(Method::POST, "/verify-email/decline");
    let page = page.header("sec-fetch-site", "same-origin");
    page.form(&[("token", &reset)]).send().await.expect(400);
    assert_eq!(pending(&app).await, 1);

    app.post(VERIFY, json!({ "token": verification }))
        .await
        .expect(200);
    let bob = app.sign_in(BOB).await;
    for token in [&bob.refresh, &bob.access] {
        for (path, body) in doors(token) {
            app.post(path, body)
                .await
                .expect_problem(400, "token_invalid");
        }
    }
    app.get_as(&bob.refresh, "/api/v1/users/me")
        .await
        .expect_problem(401, "token_invalid");
}
