//! Roles: what each may do, and who has which.

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    at_once::{ask_at_once, count},
    people::Person,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

fn at(id: &str) -> String {
    format!("/api/v1/users/{id}/roles")
}

impl TestApp {
    async fn set_roles(&self, who: &Person, id: &str, roles: Value) -> Reply {
        let body = json!({ "roles": roles });
        self.ask(Method::PUT, &who.access, &at(id), body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_say_what_they_allow() {
    let app = TestApp::start().await;
    let max = app.max().await;
    let reply = app.get_as(&max.access, "/api/v1/roles").await.expect(200);
    let items = reply.body["items"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["user", "manager", "admin"]);
    insta::assert_json_snapshot!(items[1], @r#"
    {
      "description": "Support staff; sees everyone and acts on people of role user.",
      "name": "manager",
      "permissions": [
        "audit:read",
        "roles:read",
        "sessions:revoke",
        "users:deactivate",
        "users:read",
        "users:update"
      ]
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_changes_at_once_on_every_node_and_the_session_stays() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    node.get_as(&bob.access, "/api/v1/roles").await.expect(403);
    let reply = app
        .set_roles(&ada, &bob.id, json!(["manager", "user"]))
        .await;
    let reply = reply.expect(200);
    assert_eq!(reply.body["roles"], json!(["user", "manager"]));
    assert_eq!(reply.header("etag"), "\"3\"");
    node.get_as(&bob.access, "/api/v1/roles").await.expect(200);
    app.set_roles(&ada, &bob.id, json!(["user"]))
        .await
        .expect(200);
    node.get_as(&bob.access, "/api/v1/roles").await.expect(403);
    node.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let same = app.set_roles(&ada, &bob.id, json!(["user", "user"])).await;
    assert_eq!(same.expect(200).header("etag"), "\"4\"");
    let events = app.events().await;
    let told = events.iter().filter(|e| *e == "user.roles_changed");
    assert_eq!(told.count(), 2);
    let details =
        "SELECT details FROM audit_log WHERE action = 'set_roles' ORDER BY at, id LIMIT 1";
    assert_eq!(
        app.db.texts(details).await,
        [r#"{"previous_roles":["user"],"roles":["user","manager"]}"#]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_need_names_a_fresh_proof_and_the_version_that_was_seen() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    for (roles, broken) in [
        (json!([]), "roles: too_short"),
        (json!(["root"]), "roles: unknown_value"),
        (json!(["Admin"]), "roles: unknown_value"),
        (json!(["user", "user", "user", "user"]), "roles: too_long"),
        (json!("admin"), "roles: format"),
        (json!(null), "roles: required"),
    ] {
        let reply = app.set_roles(&ada, &bob.id, roles).await;
        assert_eq!(reply.violations(), [broken]);
    }
    let stale = app.request(Method::PUT, &at(&bob.id)).bearer(&ada.access);
    let stale = stale.header("if-match", "\"1\"");
    let stale = stale.json(json!({ "roles": ["admin"] })).send().await;
    stale.expect_problem(412, "stale");
    app.advance(TimeDelta::minutes(10));
    app.set_roles(&ada, &bob.id, json!(["admin"]))
        .await
        .expect_problem(403, "reauthentication_required");
    assert_eq!(app.audit().await.last().unwrap(), "set_roles refused");
    let body = json!({ "password": PASSWORD });
    let again = app
        .post_as(&ada.access, "/api/v1/auth/reauthenticate", body)
        .await;
    let access = again.expect(200).body["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let ada = Person { access, ..ada };
    app.set_roles(&ada, &bob.id, json!(["admin"]))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_nobody_raises_himself_and_the_last_admin_stays_one() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    for weaker in [
        json!(["user"]),
        json!(["manager"]),
        json!(["manager", "user"]),
    ] {
        app.set_roles(&ada, &ada.id, weaker)
            .await
            .expect_problem(409, "last_admin");
    }
    app.set_roles(&ada, &ada.id, json!(["admin", "manager"]))
        .await
        .expect_problem(403, "forbidden");
    let max = app.max_as_admin().await;
    app.set_roles(&ada, &max.id, json!(["manager", "admin"]))
        .await
        .expect(200);
    app.set_roles(&max, &max.id, json!(["manager"]))
        .await
        .expect(200);
    app.set_roles(&ada, &max.id, json!(["user"]))
        .await
        .expect(200);
    app.get_as(&max.access, "/api/v1/roles").await.expect(403);
    let sql = "INSERT INTO user_roles (user_id, role, granted_at) SELECT user_id, 'user', granted_at \
               FROM user_roles WHERE user_id = $id AND role = 'admin'";
    app.set_in_users_table("ada", &ada.id, sql).await;
    let ada = app.ada().await;
    app.set_roles(&ada, &ada.id, json!(["user"]))
        .await
        .expect_problem(409, "last_admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_may_step_down_while_another_is_there() {
    for lower in [json!(["user"]), json!(["manager"])] {
        let app = TestApp::start().await;
        let (ada, max) = (app.ada().await, app.max_as_admin().await);
        let done = app
            .set_roles(&ada, &ada.id, lower.clone())
            .await
            .expect(200);
        assert_eq!(done.body["roles"], lower);
        app.set_roles(&ada, &ada.id, json!(["admin"]))
            .await
            .expect_problem(403, "forbidden");
        app.set_roles(&max, &max.id, json!(["user"]))
            .await
            .expect_problem(409, "last_admin");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_read_in_pages() {
    let app = TestApp::start().await;
    let max = app.max().await;
    let names = |body: &Value| -> Vec<String> {
        let items = body["items"].as_array().unwrap().iter();
        items
            .map(|role| role["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = app.get_as(&max.access, "/api/v1/roles?limit=2").await;
    assert_eq!(names(&first.expect(200).body), ["user", "manager"]);
    let first = app.get_as(&max.access, "/api/v1/roles?limit=2").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let next = format!("/api/v1/roles?limit=2&cursor={cursor}");
    let last = app.get_as(&max.access, &next).await.expect(200);
    assert_eq!(names(&last.body), ["admin"]);
    assert_eq!(last.body["next_cursor"], Value::Null);
    let back = last.body["_links"]["prev"]["href"].as_str().unwrap();
    let back = app.get_as(&max.access, back).await.expect(200);
    assert_eq!(names(&back.body), ["user", "manager"]);
    for (query, broken) in [
        ("limit=0", "limit: format"),
        ("limit=101", "limit: format"),
        ("cursor=AAAA", "cursor: format"),
        ("include=total", "include: unknown_value"),
        ("sort=name", "sort: unknown_value"),
    ] {
        let reply = app
            .get_as(&max.access, &format!("/api/v1/roles?{query}"))
            .await;
        assert_eq!(reply.violations(), [broken], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_of_two_admins_who_demote_each_other_at_once_one_stays() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, max) = (app.ada().await, app.max_as_admin().await);
        let ask = |who: &Person, other: &Person| {
            let body = json!({ "roles": ["user"] });
            (Method::PUT, who.access.clone(), at(&other.id), body)
        };
        let replies = ask_at_once(&nodes, vec![ask(&ada, &max), ask(&max, &ada)]).await;
        assert_eq!(count(&replies, 200), 1, "{replies:?}");
        let admins = "SELECT count(*) FROM user_roles WHERE role = 'admin'";
        assert_eq!(app.db.number(admins).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_of_a_last_pair_one_demoted_and_one_leaving_at_once_one_stays() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, max) = (app.ada().await, app.max_as_admin().await);
        let leave = json!({ "password": PASSWORD, "confirm": true });
        let asks = vec![
            (
                Method::PUT,
                ada.access.clone(),
                at(&max.id),
                json!({ "roles": ["user"] }),
            ),
            (
                Method::POST,
                ada.access.clone(),
                "/terminate".to_owned(),
                leave,
            ),
        ];
        let replies = ask_at_once(&nodes, asks).await;
        assert!(
            replies.iter().all(|reply| reply.status < 500),
            "{replies:?}"
        );
        let admins = "SELECT count(*) FROM users JOIN user_roles ON user_id = id \
                      WHERE role = 'admin' AND status = 'active'";
        assert_eq!(app.db.number(admins).await, 1, "{replies:?}");
    }
}
