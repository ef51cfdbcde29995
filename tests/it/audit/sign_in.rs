//! Signing in, and the tokens that come of it.

use super::trail::{Trail, UNKNOWN};
use crate::support::{TestApp, app::PASSWORD, people::BOB};
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn i4_sign_in_and_its_tokens_leave_a_row_but_for_plain_refreshes() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let trail = Trail::of(&app);
    let login = |password: &str| json!({ "email": BOB, "password": password });
    trail
        .post(
            "login",
            login("WrongPass123"),
            "401 | login failed by anonymous | user.login_failed",
        )
        .await;
    let nobody = json!({ "email": "nobody@example.com", "password": PASSWORD });
    trail
        .post("login", nobody, "401 | login failed by anonymous | ")
        .await;
    trail
        .post(
            "login",
            login(PASSWORD),
            "200 | login success by user | user.logged_in",
        )
        .await;
    trail.get(&bob, "/api/v1/auth/me", "200 |  | ").await;
    trail.get(&bob, "/api/v1/auth/sessions", "200 |  | ").await;
    let refresh = json!({ "refresh_token": bob.refresh });
    trail.post("refresh", refresh.clone(), "200 |  | ").await;
    trail
        .post(
            "refresh",
            json!({ "refresh_token": UNKNOWN }),
            "401 | refresh failed by anonymous | ",
        )
        .await;
    app.advance(TimeDelta::seconds(11));
    trail
        .post(
            "refresh",
            refresh.clone(),
            "401 | refresh refused by anonymous | user.session_revoked",
        )
        .await;
    trail
        .post("refresh", refresh, "401 | refresh refused by anonymous | ")
        .await;
    trail.is_whole().await;
}
