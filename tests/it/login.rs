//! Sign-in: who gets in, who does not, and what each is told.

use crate::support::{
    TestApp,
    app::PASSWORD,
    people::{BOB, CAROL, DAVE},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_opens_a_session() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    app.verify(BOB).await;
    let reply = app
        .post(
            "/api/v1/auth/login",
            json!({ "email": BOB, "password": PASSWORD }),
        )
        .await
        .expect(200);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert_eq!(reply.body["expires_in"], 1800);
    assert_eq!(reply.body["user"]["email"], BOB);
    let access = reply.body["access_token"].as_str().unwrap();
    let me = app.get_as(access, "/api/v1/users/me").await.expect(200);
    assert_eq!(me.body["last_login_at"], "2026-01-05T12:00:00Z");
    assert_eq!(app.audit().await.last().unwrap(), "login success");
    assert_eq!(app.events().await.last().unwrap(), "user.logged_in");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_person_and_a_wrong_password_are_told_the_same() {
    let app = TestApp::start().await;
    app.bob().await;
    let login = |email: &str| {
        app.post(
            "/api/v1/auth/login",
            json!({ "email": email, "password": "WrongPass123" }),
        )
    };
    let wrong = login(BOB).await.expect_problem(401, "invalid_credentials");
    let unknown = login("nobody@example.com")
        .await
        .expect_problem(401, "invalid_credentials");
    assert_eq!(wrong.body["detail"], unknown.body["detail"]);
    let names = |reply: &crate::support::Reply| {
        reply
            .headers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&wrong), names(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bars_the_way_is_told_only_after_the_right_password() {
    let app = TestApp::start().await;
    app.carol().await;
    app.dave().await;
    for (email, code) in [(CAROL, "email_not_verified"), (DAVE, "account_deactivated")] {
        let right = json!({ "email": email, "password": PASSWORD });
        app.post("/api/v1/auth/login", right)
            .await
            .expect_problem(403, code);
        let wrong = json!({ "email": email, "password": "WrongPass123" });
        app.post("/api/v1/auth/login", wrong)
            .await
            .expect_problem(401, "invalid_credentials");
    }
}
