//! A status that staff sets or puts back.

use super::at;
use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_set_only_to_what_staff_may_decide() {
    let app = TestApp::start().await;
    let (bob, max) = (app.bob().await, app.max().await);
    for status in ["Active", "erased", ""] {
        let body = json!({ "status": status, "email": null });
        let reply = app.ask(Method::PATCH, &max.access, &at(&bob), body).await;
        assert_eq!(
            reply.violations(),
            ["email: required", "status: unknown_value"]
        );
    }
    for status in ["pending", "terminated"] {
        let body = json!({ "status": status, "full_name": "Half Done" });
        let reply = app.ask(Method::PATCH, &max.access, &at(&bob), body).await;
        assert_eq!(reply.violations(), ["status: mismatch"]);
    }
    let body = json!({ "status": "deactivated", "full_name": "Away" });
    let reply = app.ask(Method::PUT, &max.access, &at(&bob), body).await;
    let reply = reply.expect(200).body;
    assert_eq!(
        (&reply["status"], &reply["full_name"]),
        (&json!("deactivated"), &json!("Away"))
    );
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect_problem(401, "session_ended");
    let events = app.events().await;
    assert_eq!(events[events.len() - 2..], ["user.updated", "user.deleted"]);
    let body = json!({ "status": "active" });
    let reply = app.ask(Method::PATCH, &max.access, &at(&bob), body).await;
    assert_eq!(reply.expect(200).body["is_active"], true);
    assert_eq!(app.events().await.last().unwrap(), "user.restored");
    let told = "SELECT details FROM audit_log WHERE action = 'update_user' AND outcome = 'success' ORDER BY at, id";
    assert_eq!(
        app.db.texts(told).await,
        [
            r#"{"changed":["full_name","status"],"sessions_ended":1,"status":"deactivated"}"#,
            r#"{"changed":["status"],"status":"active"}"#,
        ]
    );
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_an_account_can_be_put_back_whatever_its_status() {
    let app = TestApp::start().await;
    let (max, bob) = (app.max().await, app.bob().await);
    for status in ["pending", "active", "deactivated", "terminated"] {
        let sql = format!("UPDATE users SET status = '{status}' WHERE id = $id");
        app.set_in_users_table(BOB, &bob.id, &sql).await;
        let read = app.get_as(&max.access, &at(&bob)).await.expect(200);
        let put = app.request(Method::PUT, &at(&bob)).bearer(&max.access);
        let put = put.header("if-match", read.header("etag"));
        let put = put.json(read.body.clone()).send().await.expect(200);
        assert_eq!(put.body, read.body, "{status}");
        let mut body = read.body;
        body["full_name"] = json!(format!("Once {status}"));
        let put = app.ask(Method::PUT, &max.access, &at(&bob), body).await;
        let told = ["status", "full_name"].map(|name| put.body[name].clone());
        assert_eq!(json!(told), json!([status, format!("Once {status}")]));
    }
}
