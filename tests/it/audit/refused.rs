//! What is refused before a use case begins: tokens that open nothing, and what a role does not allow.

use super::trail::UNKNOWN;
use crate::support::{
    Reply, TestApp,
    app::{PASSWORD, PRODUCTION},
    people::BOB,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

/// `action outcome by actor details` of what was not let through, after a flush.
async fn refusals(app: &TestApp) -> Vec<String> {
    app.app.do_housekeeping().await.unwrap();
    let sql =
        "SELECT action || ' ' || outcome || ' by ' || actor_type || ' ' || details FROM audit_log
        WHERE outcome <> 'success' ORDER BY at, id";
    app.db.texts(sql).await
}

/// How many rows stand for one refusal of this action, and for how many the others stand.
async fn rows_and_count(app: &TestApp, action: &str) -> (usize, Vec<u64>) {
    let rows = refusals(app).await;
    let ours = rows.iter().filter(|row| row.starts_with(action));
    let mut alone = 0;
    let mut counts = Vec::new();
    for row in ours {
        let details = &row[row.find('{').unwrap()..];
        let details: serde_json::Value = serde_json::from_str(details).unwrap();
        match details["count"].as_u64() {
            Some(count) => counts.push(count),
            None => alone += 1,
        }
    }
    (alone, counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_what_a_role_does_not_allow_leaves_a_row_with_who_it_was() {
    let app = TestApp::start_with(PRODUCTION).await;
    let bob = app.bob().await;
    for path in ["/metrics", "/db/status"] {
        let request = app.request(Method::GET, path).bearer(&bob.access);
        let request = request.header("x-request-id", "asked-by-bob");
        request.send().await.expect_problem(403, "forbidden");
    }
    let sql =
        "SELECT action || ' ' || outcome || ' by ' || actor_type || ' ' || details FROM audit_log
        WHERE request_id = 'asked-by-bob' AND actor_id = subject_id ORDER BY action";
    assert_eq!(
        app.db.texts(sql).await,
        [
            r#"read_database_status refused by user {"code":"forbidden"}"#,
            r#"read_metrics refused by user {"code":"forbidden"}"#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_who_was_aimed_at_is_the_subject_of_what_was_refused() {
    let app = TestApp::start().await;
    let (bob, max, ada) = (app.bob().await, app.max().await, app.ada().await);
    let literal = |id: &str| {
        if app.db.is_postgres() {
            format!("'{id}'")
        } else {
            format!("X'{}'", id.replace('-', ""))
        }
    };
    for (method, path) in [
        (Method::GET, "/api/v1/users/{id}"),
        (Method::GET, "/users/{id}/avatar"),
        (Method::PATCH, "/users/{id}"),
        (Method::DELETE, "/api/v1/users/{id}"),
        (Method::PUT, "/api/v1/users/{id}/roles"),
        (Method::PUT, "/api/v1/users/{id}/subscription"),
        (Method::POST, "/api/v1/users/{id}/deactivate"),
        (Method::POST, "/api/v1/users/{id}/revoke-sessions"),
    ] {
        for (who, whom) in [(&bob, &max), (&max, &ada)] {
            let is_let_through = who.id == max.id && method == Method::GET;
            if is_let_through {
                continue;
            }
            let request = format!("{method}-{}", path.replace(['/', '{', '}'], "-"));
            let request = format!("{request}-{}", &who.id[30..]);
            let at = path.replace("{id}", &whom.id);
            let asked = app.request(method.clone(), &at).bearer(&who.access);
            let asked = asked.header("x-request-id", &request).json(json!({}));
            asked.send().await.expect(403);
            let sql = format!(
                "SELECT count(*) FROM audit_log WHERE request_id = '{request}' AND outcome = 'refused' \
                 AND actor_id = {} AND subject_id = {}",
                literal(&who.id),
                literal(&whom.id)
            );
            assert_eq!(app.db.number(&sql).await, 1, "{request}");
        }
    }
    let at = "/api/v1/users/nobody/deactivate";
    app.post_as(&bob.access, at, json!({})).await;
    let trail = format!("/api/v1/audit-logs?subject={}&actor={}", max.id, bob.id);
    let told = app.get_as(&ada.access, &trail).await.expect(200).body;
    assert_eq!(told["items"].as_array().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_a_flood_of_a_signed_in_person_becomes_ten_rows_and_a_count() {
    let app = TestApp::start_with(PRODUCTION).await;
    let bob = app.bob().await;
    for _ in 0..30 {
        app.get_as(&bob.access, "/metrics").await.expect(403);
    }
    assert_eq!(rows_and_count(&app, "read_metrics").await, (10, vec![20]));
    app.get_as(&bob.access, "/metrics").await.expect(403);
    assert_eq!(rows_and_count(&app, "read_metrics").await, (11, vec![20]));
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_a_flood_of_bad_access_tokens_becomes_one_row_a_source() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(31));
    for _ in 0..50 {
        for from in ["198.51.100.1", "198.51.100.2"] {
            let request = app.request(Method::GET, "/api/v1/users/me").from(from);
            request.bearer("garbage").send().await.expect(401);
        }
    }
    for token in [&bob.access, &bob.refresh] {
        app.get_as(token, "/auth/me").await.expect(401);
    }
    app.get("/auth/me").await.expect(401);
    let mut rows = refusals(&app).await;
    for row in &mut rows {
        row.truncate(row.find(",\"since").unwrap());
    }
    rows.sort();
    assert_eq!(
        rows,
        [
            r#"get_me failed by anonymous {"code":"token_expired","count":1"#,
            r#"get_me failed by anonymous {"code":"token_invalid","count":1"#,
            r#"get_me failed by anonymous {"code":"token_invalid","count":50"#,
            r#"get_me failed by anonymous {"code":"token_invalid","count":50"#,
            r#"get_me failed by anonymous {"code":"unauthenticated","count":1"#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_a_malformed_mailed_token_leaves_a_trace_on_each_page_and_operation() {
    let app = TestApp::start().await;
    let api = async |path: &str, more: serde_json::Value| -> Reply {
        let mut body = json!({ "token": "short" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        app.post(&format!("/api/v1/auth/{path}"), body).await
    };
    let page = async |path: &str| -> Reply {
        let form = [
            ("token", "short"),
            ("new_password", PASSWORD),
            ("confirm_password", PASSWORD),
        ];
        app.request(Method::POST, path).form(&form).send().await
    };
    for (operation, path, more, action) in [
        ("verify-email", "/verify-email", json!({}), "verify_email"),
        (
            "confirm-email-change",
            "/confirm-email-change",
            json!({}),
            "confirm_email_change",
        ),
        (
            "undo-email-change",
            "/undo-email-change",
            json!({}),
            "undo_email_change",
        ),
        (
            "password-reset-confirm",
            "/reset-password",
            json!({ "new_password": PASSWORD }),
            "confirm_password_reset",
        ),
        (
            "accept-invitation",
            "/accept-invitation",
            json!({ "password": PASSWORD }),
            "accept_invitation",
        ),
    ] {
        let refused = api(operation, more).await;
        refused.expect_problem(400, "token_invalid");
        page(path).await.expect(400);
        assert_eq!(rows_and_count(&app, action).await, (0, vec![2]), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_what_a_use_case_has_told_of_is_not_told_again() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let login = json!({ "email": BOB, "password": "WrongPass123" });
    app.post("/login", login).await.expect(401);
    app.catch_up().await;
    let proof = json!({ "password": "WrongPass123" });
    app.post_as(&bob.access, "/api/v1/auth/reauthenticate", proof)
        .await
        .expect(403);
    let refresh = json!({ "refresh_token": UNKNOWN });
    app.post("/auth/refresh", refresh).await.expect(401);
    let verify = json!({ "token": UNKNOWN });
    app.post("/api/v1/auth/verify-email", verify)
        .await
        .expect(400);
    assert_eq!(
        refusals(&app).await,
        [
            r#"login failed by anonymous {"code":"invalid_credentials"}"#,
            r#"reauthenticate failed by user {"code":"wrong_password"}"#,
            r#"refresh failed by anonymous {"code":"token_invalid"}"#,
            r#"verify_email failed by anonymous {"code":"token_invalid"}"#,
        ]
    );
}
