//! An account that was never confirmed goes to the owner of its address, and nothing of a stranger's with it.

use super::{CONFIRM, NEW};
use crate::support::{
    TestApp,
    app::PASSWORD,
    people::{CAROL, Person},
};
use axum::http::Method;
use serde_json::{Value, json};

/// What a stranger tells of himself on an account with another's address.
const TOLD_BY_MALLORY: [(&str, &str); 2] = [
    (
        "profile",
        r#"{"headline": "Saboteur", "bio": "I dig.", "phone": "+31207946095", "skills": ["tunnels"]}"#,
    ),
    (
        "preferences",
        r#"{"open_to_work": true, "extra": {"mole": true}}"#,
    ),
];

/// Tells much, takes premium and asks for another address; the secret that would confirm it.
async fn settle_in(app: &TestApp, who: &Person) -> String {
    for (path, told) in TOLD_BY_MALLORY {
        let told: Value = serde_json::from_str(told).unwrap();
        let at = format!("/api/v1/users/me/{path}");
        let put = app.ask(Method::PUT, &who.access, &at, told).await;
        put.expect(200);
    }
    app.post_as(&who.access, "/api/v1/users/me/upgrade", json!({}))
        .await
        .expect(200);
    let elsewhere = json!({ "new_email": "mallory@example.com", "password": PASSWORD });
    app.post_as(&who.access, "/api/v1/auth/change-email", elsewhere)
        .await
        .expect(202);
    app.last_token_to("mallory@example.com").await
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_a_reset_takes_an_unconfirmed_account_from_whoever_made_it() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    let form = json!({
        "email": CAROL, "password": PASSWORD, "username": "mallory", "full_name": "Mallory Mole",
        "country": "NL", "state_province": "Utrecht", "locale": "nl-NL",
    });
    app.post("/api/v1/auth/register", form).await.expect(201);
    let mallory = app.sign_in(CAROL).await;
    let change = settle_in(&app, &mallory).await;
    let token = app.reset_token(CAROL).await;
    let body = json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body).await.expect(200);

    app.post(
        "/api/v1/auth/confirm-email-change",
        json!({ "token": change }),
    )
    .await
    .expect_problem(410, "token_expired");

    app.get_as(&mallory.access, "/api/v1/users/me")
        .await
        .expect(401);
    let refresh = json!({ "refresh_token": mallory.refresh });
    app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    assert_eq!(app.try_password(CAROL, PASSWORD).await, 401);
    let login = json!({ "email": CAROL, "password": NEW });
    let carol = app.post("/api/v1/auth/login", login).await.expect(200);
    let user = &carol.body["user"];
    assert_eq!(user["is_verified"], true);
    for field in [
        "username",
        "full_name",
        "country",
        "state_province",
        "current_title",
        "location",
        "locale",
        "timezone",
    ] {
        assert!(user[field].is_null(), "{field} is left: {user}");
    }
    assert_eq!(user["tier"], "basic");
    for table in ["user_profiles", "user_preferences"] {
        let left = format!("SELECT count(*) FROM {table}");
        assert_eq!(app.db.number(&left).await, 0, "{table}");
    }
    let pia = app.pia().await;
    for query in [
        "q=Mole",
        "q=Saboteur",
        "skills=tunnels",
        "open_to_work=true",
    ] {
        let at = format!("/api/v1/users/search?{query}");
        let found = app.get_as(&pia.access, &at).await.expect(200);
        assert_eq!(found.body["items"], json!([]), "{query}");
    }
}
