//! Who sees whose picture.

use super::{AVATAR, flat};
use crate::support::{
    Reply, TestApp,
    document::NO_ID,
    people::{BOB, PIA, Person},
};
use axum::http::Method;
use serde_json::Value;

/// Gives somebody a profile with this visibility.
async fn show_to(app: &TestApp, who: &Person, visibility: &str) {
    let gone = "DELETE FROM user_profiles";
    app.db.execute(gone).await;
    let row = format!(
        "INSERT INTO user_profiles (user_id, skills, visibility, details_sealed, version, updated_at) \
         SELECT id, '[]', '{visibility}', email_sealed, 1, created_at FROM users WHERE id = $id"
    );
    app.set_in_users_table(&who.email, &who.id, &row).await;
}

async fn see(app: &TestApp, viewer: &Person, id: &str) -> Reply {
    let path = format!("/api/v1/users/{id}/avatar");
    app.get_as(&viewer.access, &path).await
}

/// A refusal without what tells two requests apart.
fn told(reply: Reply) -> (u16, Value) {
    let mut body = reply.body;
    let fields = body.as_object_mut().unwrap();
    fields.remove("request_id");
    fields.remove("instance");
    (reply.status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn z12_premium_members_see_who_is_not_hidden_and_staff_sees_everybody() {
    let app = TestApp::start().await;
    let (ada, max, pia, bob) = (
        app.ada().await,
        app.max().await,
        app.pia().await,
        app.bob().await,
    );
    for who in [&bob, &pia] {
        app.put_avatar(who, "image/png", flat([1, 2, 3]))
            .await
            .expect(200);
    }
    see(&app, &bob, &bob.id).await.expect(200);
    see(&app, &bob, &pia.id)
        .await
        .expect_problem(403, "premium_required");
    see(&app, &bob, NO_ID)
        .await
        .expect_problem(403, "premium_required");
    for staff in [&ada, &max] {
        see(&app, staff, &bob.id).await.expect(200);
    }
    see(&app, &pia, &bob.id).await.expect(200);
    for (visibility, status) in [("public", 200), ("members", 200), ("private", 404)] {
        show_to(&app, &bob, visibility).await;
        see(&app, &pia, &bob.id).await.expect(status);
        for always in [&ada, &max, &bob] {
            see(&app, always, &bob.id).await.expect(200);
        }
    }
    show_to(&app, &pia, "private").await;
    see(&app, &pia, &pia.id).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_hidden_away_or_not_there_is_one_answer() {
    let app = TestApp::start().await;
    let (ada, pia, bob) = (app.ada().await, app.pia().await, app.bob().await);
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    let absent = told(see(&app, &pia, NO_ID).await);
    assert_eq!(absent.0, 404);
    for malformed in ["x", "0", "%00", "me%2f", &NO_ID[1..]] {
        assert_eq!(
            told(see(&app, &pia, malformed).await),
            absent,
            "{malformed}"
        );
    }
    show_to(&app, &bob, "private").await;
    assert_eq!(told(see(&app, &pia, &bob.id).await), absent);
    show_to(&app, &bob, "members").await;
    for status in ["pending", "deactivated", "terminated"] {
        let sql = format!("UPDATE users SET status = '{status}' WHERE id = $id");
        app.set_in_users_table(BOB, &bob.id, &sql).await;
        assert_eq!(told(see(&app, &pia, &bob.id).await), absent, "{status}");
        see(&app, &ada, &bob.id).await.expect(200);
    }
    assert_eq!(told(see(&app, &ada, NO_ID).await), absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_premium_that_has_run_out_shows_nobody() {
    let app = TestApp::start().await;
    let (pia, bob) = (app.pia().await, app.bob().await);
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    let until = "UPDATE users SET tier_until = created_at WHERE id = $id";
    see(&app, &pia, &bob.id).await.expect(200);
    app.set_in_users_table(PIA, &pia.id, until).await;
    see(&app, &pia, &bob.id)
        .await
        .expect_problem(403, "premium_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_offered_as_png_alone() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    for (accept, status) in [
        ("image/png", 200),
        ("image/avif,image/webp,image/*;q=0.8", 200),
        ("*/*", 200),
        ("text/html", 406),
        ("application/json", 406),
        ("image/webp", 406),
    ] {
        let request = app.request(Method::GET, AVATAR).bearer(&bob.access);
        let reply = request.header("accept", accept).send().await;
        assert_eq!(reply.status, status, "{accept}");
    }
    let head = app
        .request(Method::HEAD, AVATAR)
        .bearer(&bob.access)
        .send()
        .await
        .expect(200);
    assert!(!head.header("etag").is_empty());
}
