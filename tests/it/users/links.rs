//! `_links` of accounts: all that the caller may do next, and nothing that would be refused.

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, Person},
};
use axum::http::Method;
use serde_json::{Value, json};

const ROLES: [&str; 3] = ["user", "manager", "admin"];

/// Relations in an order in which each can be followed after the one before.
const RELATIONS: [(&str, Method); 13] = [
    ("self", Method::GET),
    ("profile", Method::GET),
    ("preferences", Method::GET),
    ("stats", Method::GET),
    ("activity", Method::GET),
    ("export", Method::GET),
    ("sessions", Method::GET),
    ("avatar", Method::GET),
    ("update", Method::PATCH),
    ("roles", Method::PUT),
    ("deactivate", Method::POST),
    ("reactivate", Method::POST),
    ("delete", Method::DELETE),
];

/// The relations of an account, and what following each of them is answered with.
async fn follow(app: &TestApp, who: &Person, account: &Value) -> Vec<(String, Reply)> {
    let links = account["_links"].as_object().unwrap();
    let mut followed = Vec::new();
    for (relation, method) in RELATIONS {
        let Some(link) = links.get(relation) else {
            continue;
        };
        let body = match relation {
            "roles" => json!({ "roles": account["roles"] }),
            "update" => json!({}),
            _ => Value::Null,
        };
        let at = link["href"].as_str().unwrap();
        let reply = app.ask(method, &who.access, at, body).await;
        followed.push((relation.to_owned(), reply));
    }
    assert_eq!(followed.len(), links.len(), "{links:?}");
    followed
}

/// What staff is to be offered.
fn expected(is_admin: bool, role: &str, status: &str) -> Vec<&'static str> {
    let mut all = vec!["self", "profile", "preferences"];
    if is_admin || role == "user" {
        all.push("update");
    }
    if is_admin {
        all.push("roles");
    }
    if is_admin || role == "user" {
        match status {
            "pending" | "active" => all.push("deactivate"),
            "deactivated" => all.push("reactivate"),
            _ if is_admin => all.push("reactivate"),
            _ => {}
        }
    }
    if is_admin {
        all.push("delete");
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_is_led_to_all_that_it_may_do_with_an_account_and_nowhere_else() {
    let app = TestApp::start().await;
    let (ada, max) = (app.ada().await, app.max().await);
    let mut number = 0;
    for (who, is_admin) in [(&max, false), (&ada, true)] {
        for status in ["pending", "active", "deactivated", "terminated"] {
            for role in ROLES {
                number += 1;
                let id = app.sign_up(&format!("p{number}@example.com")).await;
                for sql in [
                    format!("UPDATE users SET status = '{status}' WHERE id = $id"),
                    format!("UPDATE user_roles SET role = '{role}' WHERE user_id = $id"),
                ] {
                    app.set_in_users_table("somebody", &id, &sql).await;
                }
                let there = format!("/api/v1/users/{id}");
                let account = app.get_as(&who.access, &there).await.expect(200).body;
                let followed = follow(&app, who, &account).await;
                let case = format!("{status} {role}, admin: {is_admin}");
                let relations: Vec<&str> = followed.iter().map(|(name, _)| &**name).collect();
                assert_eq!(relations, expected(is_admin, role, status), "{case}");
                for (relation, reply) in &followed {
                    let text = &reply.text;
                    assert!(
                        reply.status < 300,
                        "{case} {relation}: {} {text}",
                        reply.status
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_led_to_all_that_is_ones_own() {
    let app = TestApp::start().await;
    let form = json!({ "email": BOB, "password": PASSWORD });
    let made = app.post("/api/v1/auth/register", form.clone()).await;
    let me = json!({ "self": { "href": "/api/v1/users/me" } });
    assert_eq!(made.expect(201).body["_links"], me);
    app.verify(BOB).await;
    let bob = app.sign_in(BOB).await;
    let account = app.get_as(&bob.access, "/api/v1/users/me").await.body;
    let signed_in = app.post("/api/v1/auth/login", form).await.expect(200);
    assert_eq!(signed_in.body["user"]["_links"], account["_links"]);
    insta::assert_json_snapshot!(account["_links"], @r#"
    {
      "activity": {
        "href": "/api/v1/users/me/activity"
      },
      "delete": {
        "href": "/api/v1/users/me"
      },
      "export": {
        "href": "/api/v1/users/me/export"
      },
      "preferences": {
        "href": "/api/v1/users/me/preferences"
      },
      "profile": {
        "href": "/api/v1/users/me/profile"
      },
      "self": {
        "href": "/api/v1/users/me"
      },
      "sessions": {
        "href": "/api/v1/auth/sessions"
      },
      "stats": {
        "href": "/api/v1/users/me/stats"
      },
      "update": {
        "href": "/api/v1/users/me"
      }
    }
    "#);
    for (relation, reply) in follow(&app, &bob, &account).await {
        assert!(
            reply.status < 300,
            "{relation}: {} {}",
            reply.status,
            reply.text
        );
    }
}
