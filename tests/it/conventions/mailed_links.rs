//! Where the links in mails lead when they have been pointed at a front end of one's own.

use crate::support::{TestApp, app::PASSWORD, people::BOB};
use serde_json::json;

/// The token of such a link in the last mail to this address, which must be in both of its parts.
async fn token(app: &TestApp, email: &str, (before, after): (&str, &str)) -> String {
    let mail = app.mails_to(email).await.pop().unwrap();
    let (_, rest) = mail.text.split_once(before).unwrap();
    let (token, _) = rest.split_once(after).unwrap();
    assert!(mail.html.contains(&format!("{before}{token}{after}")));
    assert!(!mail.text.contains("#token="), "{}", mail.text);
    token.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_to_reset_and_to_accept_go_where_the_settings_say() {
    let app = TestApp::start_with(&[
        (
            "RESET_URL",
            "https://app.example.com/reset/{token}?from=mail",
        ),
        (
            "INVITE_URL",
            "https://join.example.com/#/welcome/{token}/now",
        ),
    ])
    .await;
    app.person(BOB).await;
    let forgotten = json!({ "email": BOB });
    app.post("/api/v1/auth/password-reset-request", forgotten)
        .await
        .expect(202);
    app.catch_up().await;
    let reset = token(&app, BOB, ("https://app.example.com/reset/", "?from=mail")).await;
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);

    let ada = app.ada().await;
    let new = json!({ "email": "new@example.com" });
    app.post_as(&ada.access, "/api/v1/users", new)
        .await
        .expect(201);
    let link = ("https://join.example.com/#/welcome/", "/now");
    let invited = token(&app, "new@example.com", link).await;
    let body = json!({ "token": invited, "password": PASSWORD });
    app.post("/api/v1/auth/accept-invitation", body)
        .await
        .expect(200);
}
