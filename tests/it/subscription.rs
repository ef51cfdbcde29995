//! Upgrading and downgrading oneself.

use crate::support::{
    TestApp,
    at_once::{count, post_at_once},
    people::BOB,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

const UPGRADE: &str = "/api/v1/users/me/upgrade";
const DOWNGRADE: &str = "/api/v1/users/me/downgrade";
const UNTIL: &str = "SELECT CAST(tier_until AS TEXT) FROM users WHERE tier = 'premium'";

#[tokio::test(flavor = "multi_thread")]
async fn premium_is_in_force_at_once_and_runs_out_by_the_calendar() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let up = app
        .post_as(&bob.access, UPGRADE, json!({ "months": 1 }))
        .await
        .expect(200);
    assert_eq!(
        (up.body["tier"].as_str(), up.header("etag")),
        (Some("premium"), "\"3\"")
    );
    assert_eq!(up.body["is_premium"], true);
    app.post_as(&bob.access, "/users/me/upgrade", json!({ "months": 1 }))
        .await
        .expect(200);
    let until = app.db.texts(UNTIL).await.remove(0);
    assert!(until.starts_with("2026-03-05"), "{until}");
    for (days, tier) in [(58, "premium"), (1, "basic")] {
        app.advance(TimeDelta::days(days));
        let bob = app.sign_in(BOB).await;
        let me = app.get_as(&bob.access, "/api/v1/users/me").await.body;
        assert_eq!(me["tier"], tier);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_months_premium_is_for_good_until_a_downgrade() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let nothing = app.request(Method::POST, UPGRADE).bearer(&bob.access);
    nothing.send().await.expect(200);
    for body in [json!({}), json!({ "months": null }), json!({ "months": 3 })] {
        let same = app.post_as(&bob.access, UPGRADE, body).await.expect(200);
        assert_eq!(same.header("etag"), "\"3\"");
    }
    app.advance(TimeDelta::days(10_000));
    let bob = app.sign_in(BOB).await;
    let down = || {
        app.request(Method::POST, DOWNGRADE)
            .bearer(&bob.access)
            .send()
    };
    let first = down().await.expect(200);
    assert_eq!(
        (&first.body["tier"], &first.body["is_premium"]),
        (&json!("basic"), &json!(false))
    );
    assert_eq!(
        down().await.expect(200).body["version"],
        first.body["version"]
    );
    let trail = app.audit().await;
    let of = |row: &str| trail.iter().filter(|told| *told == row).count();
    assert_eq!(
        (of("upgrade_me success"), of("downgrade_me success")),
        (1, 1)
    );
    let events = app.events().await;
    let told = events
        .iter()
        .filter(|kind| *kind == "user.subscription_changed");
    assert_eq!(told.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_1_to_36_months_are_taken_and_at_most_ten_years_ahead() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for (months, code) in [
        (json!(0), "out_of_range"),
        (json!(37), "out_of_range"),
        (json!(-1), "out_of_range"),
        (json!(1.5), "format"),
        (json!("12"), "format"),
    ] {
        let reply = app
            .post_as(&bob.access, UPGRADE, json!({ "months": months }))
            .await;
        assert_eq!(reply.violations(), [format!("months: {code}")]);
    }
    for _ in 0..3 {
        app.post_as(&bob.access, UPGRADE, json!({ "months": 36 }))
            .await
            .expect(200);
    }
    let reply = app
        .post_as(&bob.access, UPGRADE, json!({ "months": 36 }))
        .await;
    assert_eq!(reply.violations(), ["months: out_of_range"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn z12_without_self_service_only_who_manages_subscriptions_changes_a_tier() {
    let app = TestApp::start_with(&[("SUBSCRIPTION_SELF_SERVICE", "false")]).await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    for path in [UPGRADE, DOWNGRADE, "/users/me/upgrade"] {
        app.post_as(&bob.access, path, json!({}))
            .await
            .expect_problem(403, "entitlement_required");
        app.post_as(&ada.access, path, json!({})).await.expect(200);
    }
    let me = app.get_as(&bob.access, "/api/v1/users/me").await.body;
    assert_eq!((&me["tier"], &me["version"]), (&json!("basic"), &json!(2)));
    let trail = app.audit().await;
    let refused = trail.iter().filter(|row| row.ends_with("grade_me refused"));
    assert_eq!(refused.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_seen_is_changed() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let seen = |tag: &str, path: &str| {
        let request = app.request(Method::POST, path).bearer(&bob.access);
        request.header("if-match", tag).send()
    };
    seen("\"1\"", UPGRADE).await.expect_problem(412, "stale");
    seen("\"2\"", UPGRADE).await.expect(200);
    seen("\"2\"", DOWNGRADE).await.expect_problem(412, "stale");
    seen("\"3\"", DOWNGRADE).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_at_once_on_two_nodes_add_up() {
    let app = Arc::new(TestApp::start().await);
    let node = Arc::new(app.start_node(2, &[]).await);
    let bob = app.bob().await;
    let post = (Some(bob.access.clone()), UPGRADE, json!({ "months": 1 }));
    let replies = post_at_once(&[Arc::clone(&app), node], vec![post; 10]).await;
    assert_eq!(count(&replies, 200), 10);
    let until = app.db.texts(UNTIL).await.remove(0);
    assert!(until.starts_with("2026-11-05"), "{until}");
    let me = app.get_as(&bob.access, "/api/v1/users/me").await.body;
    assert_eq!(me["version"], Value::from(12));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_puts_anybody_into_a_tier_for_a_time_or_for_good() {
    let app = TestApp::start_with(&[("SUBSCRIPTION_SELF_SERVICE", "false")]).await;
    let (ada, bob, max) = (app.ada().await, app.bob().await, app.max().await);
    let at = format!("/api/v1/users/{}/subscription", bob.id);
    let premium = json!({ "tier": "premium", "until": "2026-02-05T12:00:00Z" });
    app.ask(Method::PUT, &max.access, &at, premium.clone())
        .await
        .expect_problem(403, "forbidden");
    let put = app.ask(Method::PUT, &ada.access, &at, premium).await;
    assert_eq!(put.expect(200).body["is_premium"], true);
    for (body, broken) in [
        (json!({}), "tier: required"),
        (json!({ "tier": "gold" }), "tier: unknown_value"),
        (
            json!({ "tier": "premium", "until": "soon" }),
            "until: format",
        ),
        (
            json!({ "tier": "premium", "until": "2026-01-05" }),
            "until: out_of_range",
        ),
        (
            json!({ "tier": "basic", "until": "2027-01-05" }),
            "until: mismatch",
        ),
    ] {
        let reply = app.ask(Method::PUT, &ada.access, &at, body).await;
        assert_eq!(reply.violations(), [broken]);
    }
    let stale = app.request(Method::PUT, &at).bearer(&ada.access);
    let stale = stale
        .header("if-match", "\"1\"")
        .json(json!({ "tier": "basic" }));
    stale.send().await.expect_problem(412, "stale");
    app.advance(TimeDelta::days(31));
    let ada = app.ada().await;
    let user = app
        .get_as(&ada.access, &format!("/api/v1/users/{}", bob.id))
        .await;
    assert_eq!(user.expect(200).body["tier"], "basic", "it has run out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_without_an_end_lasts() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let there = format!("/api/v1/users/{}", bob.id);
    let at = format!("{there}/subscription");
    for (body, tier) in [
        (json!({ "tier": "premium", "until": null }), "premium"),
        (json!({ "tier": "basic" }), "basic"),
        (json!({ "tier": "premium" }), "premium"),
        (json!({ "tier": "basic", "until": null }), "basic"),
    ] {
        let ada = app.ada().await;
        // One that runs out is replaced by it.
        let soon = (app.now() + TimeDelta::days(1)).to_rfc3339();
        let soon = json!({ "tier": "premium", "until": soon });
        app.ask(Method::PUT, &ada.access, &at, soon)
            .await
            .expect(200);
        let put = app.ask(Method::PUT, &ada.access, &at, body.clone()).await;
        let put = put.expect(200).body;
        let told = json!([put["tier"], put["is_premium"]]);
        assert_eq!(told, json!([tier, tier == "premium"]), "{body}");
        app.advance(TimeDelta::days(400));
        let ada = app.ada().await;
        let user = app.get_as(&ada.access, &there).await.expect(200);
        assert_eq!(user.body["tier"], tier, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z12_who_goes_down_a_tier_sees_nobody_any_more_on_any_node() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let views = ["search?q=ada", &ada.id].map(|view| format!("/api/v1/users/{view}"));
    app.post_as(&bob.access, UPGRADE, json!({}))
        .await
        .expect(200);
    for (on, view) in [(&app, &views[0]), (&node, &views[0]), (&node, &views[1])] {
        on.get_as(&bob.access, view).await.expect(200);
    }
    app.post_as(&bob.access, DOWNGRADE, json!({}))
        .await
        .expect(200);
    for on in [&app, &node] {
        for view in &views {
            on.get_as(&bob.access, view)
                .await
                .expect_problem(403, "premium_required");
        }
    }
}
