//! Putting accounts aside and taking them up again.

mod before;

use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    at_once::{ask_at_once, count},
    people::{BOB, CAROL, MAX, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const USERS: &str = "/api/v1/users";

impl TestApp {
    async fn act_on(&self, who: &Person, id: &str, what: &str) -> crate::support::Reply {
        let at = format!("{USERS}/{id}/{what}");
        self.ask(Method::POST, &who.access, &at, Value::Null).await
    }

    /// Max as a second admin.
    pub async fn max_as_admin(&self) -> Person {
        let max = self.max().await;
        let sql = "UPDATE user_roles SET role = 'admin' WHERE user_id = $id";
        self.set_in_users_table(MAX, &max.id, sql).await;
        self.sign_in(MAX).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_4_2_a_deactivated_account_is_shut_on_every_node_and_opens_again() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (bob, max) = (app.bob().await, app.max().await);
    let reset = app.reset_token(BOB).await;
    node.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let put = app.act_on(&max, &bob.id, "deactivate").await.expect(200);
    assert_eq!(put.body["status"], "deactivated");
    assert!(put.body["_links"]["reactivate"].is_object());
    for on in [&app, &node] {
        on.get_as(&bob.access, "/api/v1/users/me")
            .await
            .expect_problem(401, "session_ended");
        let refresh = json!({ "refresh_token": bob.refresh });
        on.post("/api/v1/auth/refresh", refresh).await.expect(401);
    }
    assert_eq!(app.try_password(BOB, PASSWORD).await, 403);
    assert_eq!(app.try_password(BOB, "WrongPass123").await, 401);
    let mails = app.mails_to(BOB).await.len();
    let again = app.act_on(&max, &bob.id, "deactivate").await.expect(200);
    assert_eq!(again.header("etag"), put.header("etag"));
    let back = app.act_on(&max, &bob.id, "reactivate").await.expect(200);
    assert_eq!(back.body["is_active"], true);
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(401);
    app.sign_in(BOB).await;
    assert_eq!(app.mails_to(BOB).await.len(), mails, "no mail tells of it");
    let events = app.events().await;
    let told = events
        .iter()
        .filter(|e| ["user.deleted", "user.restored"].contains(&e.as_str()));
    assert_eq!(told.count(), 2);
    let audit = app.audit().await;
    for action in ["deactivate_user success", "reactivate_user success"] {
        assert_eq!(audit.iter().filter(|row| *row == action).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_never_confirmed_comes_back_as_it_was() {
    let app = TestApp::start().await;
    let (carol, max) = (app.carol().await, app.max().await);
    app.act_on(&max, &carol, "reactivate")
        .await
        .expect_problem(409, "conflict");
    app.act_on(&max, &carol, "deactivate").await.expect(200);
    let back = app.act_on(&max, &carol, "reactivate").await.expect(200);
    assert_eq!(back.body["status"], "pending");
    app.verify(CAROL).await;
    app.sign_in(CAROL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_seen_is_put_aside_or_taken_up() {
    let app = TestApp::start().await;
    let (max, bob) = (app.max().await, app.bob().await);
    let ask = async |what: &str, tag: &str| {
        let at = format!("{USERS}/{}/{what}", bob.id);
        let request = app.request(Method::POST, &at).bearer(&max.access);
        request.header("if-match", tag).send().await
    };
    for what in ["deactivate", "reactivate"] {
        let seen = app
            .get_as(&max.access, &format!("{USERS}/{}", bob.id))
            .await;
        let tag = seen.header("etag").to_owned();
        let audit = format!("{what}_user refused");
        for stale in ["\"999\"", "W/\"1\"", "\"x\""] {
            ask(what, stale).await.expect_problem(412, "stale");
            assert_eq!(app.audit().await.last().unwrap(), &audit);
        }
        let done = ask(what, &tag).await.expect(200);
        assert_ne!(done.header("etag"), tag);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z14_what_its_owner_has_ended_comes_back_only_by_an_admin() {
    let app = TestApp::start().await;
    let (ada, bob, max) = (app.ada().await, app.bob().await, app.max().await);
    let end = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&bob.access, "/terminate", end)
        .await
        .expect(204);
    app.act_on(&max, &bob.id, "reactivate")
        .await
        .expect_problem(403, "forbidden");
    app.act_on(&max, &bob.id, "deactivate")
        .await
        .expect_problem(409, "conflict");
    assert_eq!(app.audit().await.last().unwrap(), "deactivate_user refused");
    assert_eq!(app.try_password(BOB, PASSWORD).await, 401);
    app.act_on(&ada, &bob.id, "reactivate").await.expect(200);
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_or_many_are_put_aside_together_or_not_at_all() {
    let app = TestApp::start().await;
    let max = app.max().await;
    let (bob, carol) = (app.bob().await, app.carol().await);
    let soft = format!("{USERS}/soft_delete");
    let nobody = "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d";
    let all = json!({ "uuids": [bob.id, nobody, carol] });
    app.post_as(&max.access, &soft, all)
        .await
        .expect_problem(404, "not_found");
    let ada = app.ada().await;
    let all = json!({ "uuids": [carol, bob.id, ada.id] });
    app.post_as(&max.access, &soft, all)
        .await
        .expect_problem(403, "forbidden");
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let all = json!({ "uuids": [carol, bob.id, carol] });
    let done = app.post_as(&max.access, "/users/soft_delete", all).await;
    let items = done.expect(200).body["items"].clone();
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (&i["id"], &i["status"]))
        .collect();
    let away = json!("deactivated");
    assert_eq!(told, [(&json!(carol), &away), (&json!(bob.id), &away)]);
    let one = json!({ "uuid": bob.id });
    app.post_as(&max.access, &soft, one).await.expect(200);
    let rows =
        "SELECT count(*) FROM audit_log WHERE action = 'soft_delete_users' AND outcome = 'success'";
    assert_eq!(app.db.number(rows).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_put_aside_must_be_named_by_up_to_100_ids() {
    let app = TestApp::start().await;
    let max = app.max().await;
    let many: Vec<&str> = vec![&max.id; 101];
    for (body, broken) in [
        (json!({}), "uuid: required"),
        (json!({ "uuid": null, "uuids": null }), "uuid: required"),
        (json!({ "uuid": "x" }), "uuid: format"),
        (json!({ "uuids": [] }), "uuids: too_short"),
        (json!({ "uuids": ["x"] }), "uuids: format"),
        (json!({ "uuids": many }), "uuids: too_long"),
        (json!({ "uuids": "x" }), "uuids: format"),
    ] {
        let reply = app.post_as(&max.access, "/users/soft_delete", body).await;
        assert_eq!(reply.violations(), [broken]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_nobody_puts_himself_or_the_last_admin_aside() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let soft = json!({ "uuid": ada.id });
    app.act_on(&ada, &ada.id, "deactivate")
        .await
        .expect_problem(409, "last_admin");
    app.post_as(&ada.access, "/users/soft_delete", soft)
        .await
        .expect_problem(409, "last_admin");
    let status = json!({ "status": "deactivated" });
    app.ask(
        Method::PATCH,
        &ada.access,
        &format!("{USERS}/{}", ada.id),
        status,
    )
    .await
    .expect_problem(409, "last_admin");
    let max = app.max_as_admin().await;
    app.act_on(&ada, &ada.id, "deactivate")
        .await
        .expect_problem(409, "conflict");
    let both = json!({ "uuids": [max.id, ada.id] });
    let reply = app.post_as(&ada.access, "/users/soft_delete", both).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    app.get_as(&max.access, "/api/v1/users/me")
        .await
        .expect(200);
    app.act_on(&ada, &max.id, "deactivate").await.expect(200);
    assert_eq!(app.try_password(ADA, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_of_two_admins_who_put_each_other_aside_at_once_one_stays() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, max) = (app.ada().await, app.max_as_admin().await);
        let ask = |who: &Person, other: &Person| {
            let at = format!("{USERS}/{}/deactivate", other.id);
            (Method::POST, who.access.clone(), at, Value::Null)
        };
        let replies = ask_at_once(&nodes, vec![ask(&ada, &max), ask(&max, &ada)]).await;
        assert_eq!(count(&replies, 200), 1, "{replies:?}");
        let admins = "SELECT count(*) FROM users JOIN user_roles ON user_id = id \
                      WHERE role = 'admin' AND status = 'active'";
        assert_eq!(app.db.number(admins).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_4_5_staff_signs_a_person_out_everywhere_at_once() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (bob, max) = (app.bob().await, app.max().await);
    let other = app.sign_in(BOB).await;
    node.get_as(&other.access, "/api/v1/users/me")
        .await
        .expect(200);
    let mails = app.mails_to(BOB).await.len();
    app.act_on(&max, &bob.id, "revoke-sessions")
        .await
        .expect(204);
    for session in [&bob, &other] {
        for on in [&app, &node] {
            on.get_as(&session.access, "/api/v1/users/me")
                .await
                .expect_problem(401, "session_ended");
        }
        let refresh = json!({ "refresh_token": session.refresh });
        app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    }
    assert_eq!(app.events().await.last().unwrap(), "user.session_revoked");
    let details = "SELECT details FROM audit_log WHERE action = 'revoke_user_sessions'";
    assert_eq!(app.db.texts(details).await, [r#"{"sessions_ended":2}"#]);
    app.act_on(&max, &bob.id, "revoke-sessions")
        .await
        .expect(204);
    let told = app
        .events()
        .await
        .into_iter()
        .filter(|e| e == "user.session_revoked");
    assert_eq!(
        told.count(),
        1,
        "where nothing ended there is nothing to tell"
    );
    assert_eq!(app.mails_to(BOB).await.len(), mails);
    app.sign_in(BOB).await;
}
