//! When tokens and sessions end, to the second.

use super::{ME, REFRESH, refreshed, shown};
use crate::support::{TestApp, app::ADA, jwt, people::Person};
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn v9_2_1_an_access_token_lives_its_time_and_the_leeway() {
    let app = TestApp::start_with(&[("ACCESS_TOKEN_EXPIRE_MINUTES", "5")]).await;
    let bob = app.bob().await;
    app.advance(TimeDelta::seconds(304));
    app.get_as(&bob.access, ME).await.expect(200);
    app.advance(TimeDelta::seconds(1));
    let reply = app.get_as(&bob.access, ME).await;
    let reply = reply.expect_problem(401, "token_expired");
    assert!(reply.header("www-authenticate").starts_with("Bearer"));
    refreshed(&app, &bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_3_1_a_session_that_is_not_refreshed_in_time_ends() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let week = TimeDelta::days(7);
    app.advance(week - TimeDelta::seconds(1));
    let bob = refreshed(&app, &bob).await;
    app.advance(week);
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_expired");
    assert_eq!(app.audit().await.last().unwrap(), "refresh refused");
    app.get_as(&bob.access, ME).await.expect(401);
    // Nobody can use it any more, so nobody needs to end it.
    let again = app.sign_in(&bob.email).await;
    let list = app.get_as(&again.access, "/api/v1/auth/sessions").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_3_2_refreshing_does_not_move_the_absolute_end() {
    let app = TestApp::start().await;
    let mut bob = app.bob().await;
    for _ in 0..5 {
        app.advance(TimeDelta::days(5));
        bob = refreshed(&app, &bob).await;
    }
    app.advance(TimeDelta::days(5) - TimeDelta::seconds(20));
    let last = app.post(REFRESH, shown(&bob.refresh)).await.expect(200);
    assert_eq!(last.body["expires_in"], 20);
    let access = last.body["access_token"].as_str().unwrap();
    let claims = jwt::claims(access);
    assert_eq!(claims["exp"], app.now().timestamp() + 20);
    app.advance(TimeDelta::seconds(19));
    app.get_as(access, ME).await.expect(200);
    app.advance(TimeDelta::seconds(1));
    app.get_as(access, ME)
        .await
        .expect_problem(401, "session_ended");
    let refresh = last.body["refresh_token"].as_str().unwrap();
    app.post(REFRESH, shown(refresh))
        .await
        .expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_session_has_shorter_limits() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    app.advance(TimeDelta::minutes(60));
    app.post(REFRESH, shown(&ada.refresh))
        .await
        .expect_problem(401, "token_expired");
    let mut ada = app.ada().await;
    for _ in 0..24 {
        app.advance(TimeDelta::minutes(59));
        ada = refreshed(&app, &ada).await;
    }
    app.advance(TimeDelta::minutes(24));
    app.post(REFRESH, shown(&ada.refresh))
        .await
        .expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_access_token_does_not_get_round_the_idle_limit() {
    let app = TestApp::start_with(&[("ACCESS_TOKEN_EXPIRE_MINUTES", "1440")]).await;
    let form = json!({ "email": ADA, "password": crate::support::app::PASSWORD });
    let reply = app.post("/api/v1/auth/login", form).await.expect(200);
    assert_eq!(reply.body["expires_in"], 3600);
    let access = reply.body["access_token"].as_str().unwrap();
    app.advance(TimeDelta::seconds(3605));
    app.get_as(access, ME)
        .await
        .expect_problem(401, "token_expired");
}

/// Makes Bob an admin, as if another admin had.
async fn promote(app: &TestApp, bob: &Person) {
    let sql = "UPDATE user_roles SET role = 'admin' WHERE user_id = $id";
    app.set_in_users_table(&bob.email, &bob.id, sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_before_its_owner_became_admin_has_an_admins_absolute_limit() {
    let app = TestApp::start().await;
    let old = app.bob().await;
    app.advance(TimeDelta::hours(23));
    let young = app.sign_in(&old.email).await;
    app.advance(TimeDelta::minutes(30));
    let old = refreshed(&app, &old).await;
    promote(&app, &old).await;
    app.get_as(&old.access, ME).await.expect(200);
    app.advance(TimeDelta::minutes(29));
    let old = refreshed(&app, &old).await;
    assert_eq!(jwt::claims(&old.access)["exp"], app.now().timestamp() + 60);
    let young = refreshed(&app, &young).await;
    app.advance(TimeDelta::minutes(1));
    app.get_as(&old.access, ME)
        .await
        .expect_problem(401, "session_ended");
    app.post(REFRESH, shown(&old.refresh))
        .await
        .expect_problem(401, "session_ended");
    let list = app.get_as(&young.access, "/api/v1/auth/sessions").await;
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{}", list.text);
    assert_eq!(items[0]["expires_at"], "2026-01-07T11:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_before_its_owner_became_admin_has_an_admins_idle_limit() {
    let app = TestApp::start_with(&[("ACCESS_TOKEN_EXPIRE_MINUTES", "600")]).await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(60) - TimeDelta::seconds(1));
    promote(&app, &bob).await;
    app.get_as(&bob.access, ME).await.expect(200);
    app.advance(TimeDelta::seconds(1));
    app.get_as(&bob.access, ME)
        .await
        .expect_problem(401, "token_expired");
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_expired");
    let again = app.sign_in(&bob.email).await;
    let list = app.get_as(&again.access, "/api/v1/auth/sessions").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_lives_as_long_as_is_set() {
    let app = TestApp::start_with(&[("REFRESH_TOKEN_EXPIRE_DAYS", "2")]).await;
    let bob = app.bob().await;
    app.advance(TimeDelta::days(2) - TimeDelta::seconds(1));
    let bob = refreshed(&app, &bob).await;
    app.advance(TimeDelta::days(2));
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_expired");
}
