//! Secrets of one purpose that are tried at another.

use super::{BOB, REQUEST, VERIFY, pending, sessions, signed_up};
use crate::support::TestApp;
use serde_json::json;

const PASSPHRASE: &str = "violet kettle anchors marsh";

/// The operations that take a mailed token, with a body that is good but for it.
fn doors(token: &str) -> [(&'static str, serde_json::Value); 5] {
    [
        (VERIFY, json!({ "token": token })),
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
        (&verification, VERIFY),
        (&reset, "/api/v1/auth/password-reset-confirm"),
    ] {
        for (path, body) in doors(token) {
            if path != own {
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
