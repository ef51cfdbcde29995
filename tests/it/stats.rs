//! Figures about one's own account.

use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

const STATS: &str = "/api/v1/users/me/stats";

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_counted() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let id = bob.id.clone();
    app.advance(TimeDelta::hours(47));
    let (bob, other) = (app.sign_in(BOB).await, app.sign_in(BOB).await);
    let end = app.post_as(&other.access, "/api/v1/auth/logout", json!({}));
    end.await.expect(204);
    let body = json!({ "headline": "Smith", "skills": ["iron"], "languages": ["nl"] });
    let profile = app.request(Method::PUT, "/api/v1/users/me/profile");
    let told = profile.bearer(&bob.access).json(body);
    told.send().await.expect(200);
    app.set_in_users_table(
        BOB,
        &id,
        "UPDATE users SET profile_views = 7 WHERE id = $id",
    )
    .await;
    let stats = app.get_as(&bob.access, STATS).await.expect(200);
    insta::assert_json_snapshot!(stats.body, @r#"
    {
      "account_age_days": 1,
      "active_sessions": 2,
      "last_login_at": "2026-01-07T11:00:00Z",
      "login_count": 3,
      "profile_completeness": {
        "missing": [
          "bio",
          "full_name",
          "country",
          "current_title",
          "avatar",
          "experience_years",
          "education"
        ],
        "percent": 35
      },
      "profile_views": 7,
      "tier": "basic",
      "tier_since": "2026-01-05T12:00:00Z"
    }
    "#);
    let again = app.get_as(&bob.access, "/users/me/stats").await.expect(200);
    assert_eq!(again.body, stats.body);
    assert_eq!(app.audit().await.last().unwrap(), "update_profile success");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tier_in_force_counts_and_since_when_it_is() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(10));
    let month = json!({ "months": 1 });
    app.post_as(&bob.access, "/api/v1/users/me/upgrade", month)
        .await
        .expect(200);
    let told = app.get_as(&bob.access, STATS).await.body;
    assert_eq!(
        (&told["tier"], &told["tier_since"]),
        (&json!("premium"), &json!("2026-01-05T12:10:00Z"))
    );
    app.advance(TimeDelta::days(40));
    let bob = app.sign_in(BOB).await;
    let told = app.get_as(&bob.access, STATS).await.body;
    assert_eq!(
        (&told["tier"], &told["tier_since"]),
        (&json!("basic"), &json!("2026-02-05T12:10:00Z"))
    );
    assert_eq!(told["account_age_days"], 40);
}
