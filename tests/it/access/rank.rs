//! Whom staff reaches: managers act on people of role user alone, whatever the operation.

use super::{Grants, who_may};
use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    document::{Document, target},
};
use axum::http::Method;

#[tokio::test(flavor = "multi_thread")]
async fn z5_a_manager_changes_nothing_of_an_admin_a_manager_or_himself() {
    let app = TestApp::start().await;
    let (ada, max) = (app.ada().await, app.max().await);
    let mia = app.person("mia@example.com").await;
    let sql = "UPDATE user_roles SET role = 'manager' WHERE user_id = $id";
    app.set_in_users_table("mia", &mia.id, sql).await;
    let state = "SELECT status || version || coalesce(full_name, '') FROM users ORDER BY id";
    let before = app.db.texts(state).await;
    let manager = Grants::of(&app, "manager", false).await;
    let mut asked = 0;
    for operation in Document::of(&app).await.operations() {
        let is_on_somebody = operation.path.contains("/users/{id}");
        let may = manager.reach(who_may(&operation).unwrap());
        if !is_on_somebody || !may || operation.method == Method::GET {
            continue;
        }
        for other in [&ada.id, &mia.id, &max.id] {
            let at = target(&operation.path, other);
            let mut request = app.request(operation.method.clone(), &at);
            request = request.bearer(&max.access);
            if let Some(body) = &operation.body {
                request = request.json(body.clone());
            }
            request.send().await.expect_problem(403, "forbidden");
            asked += 1;
        }
    }
    assert!(asked >= 30, "only {asked} requests");
    let listed = serde_json::json!({ "uuids": [ada.id] });
    app.post_as(&max.access, "/api/v1/users/soft_delete", listed)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(app.db.texts(state).await, before);
    app.get_as(&ada.access, "/api/v1/users/me")
        .await
        .expect(200);
    app.get_as(&mia.access, "/api/v1/users/me")
        .await
        .expect(200);
    assert_eq!(app.try_password(ADA, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn v8_2_2_by_an_id_people_reach_nobody_and_premium_members_only_look() {
    let app = TestApp::start().await;
    let (ada, bob, pia) = (app.ada().await, app.bob().await, app.pia().await);
    let state =
        "SELECT status || version || tier || coalesce(full_name, '') FROM users ORDER BY id";
    let before = app.db.texts(state).await;
    let mut asked = 0;
    for operation in Document::of(&app).await.operations() {
        if !operation.path.contains("/users/{id}") {
            continue;
        }
        for (who, is_premium) in [(&bob, false), (&pia, true)] {
            for other in [&bob.id, &pia.id, &ada.id] {
                let at = target(&operation.path, other);
                let mut request = app.request(operation.method.clone(), &at);
                request = request.bearer(&who.access);
                if let Some(body) = &operation.body {
                    request = request.json(body.clone());
                }
                let reply = request.send().await;
                asked += 1;
                if operation.method != Method::GET {
                    reply.expect_problem(403, "forbidden");
                } else if *other == who.id || is_premium {
                    // No picture, or nothing that is shown to others.
                    assert!([200, 404].contains(&reply.status), "{at}: {}", reply.text);
                } else {
                    reply.expect_problem(403, "premium_required");
                }
            }
        }
    }
    assert!(asked >= 100, "only {asked} requests");
    assert_eq!(app.db.texts(state).await, before);
    app.get_as(&ada.access, "/api/v1/users/me")
        .await
        .expect(200);
}
