//! One's own entries of the audit trail.

use crate::support::{
    Reply, TestApp,
    people::{BOB, PIA},
};
use serde_json::Value;

const ACTIVITY: &str = "/api/v1/users/me/activity";

fn told(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let items = reply.body["items"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items.iter().map(|item| text(&item["action"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_ones_own_entries_newest_first_and_nobody_elses() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.person(PIA).await;
    let before = app.audit().await.len();
    let reply = app.get_as(&bob.access, ACTIVITY).await;
    assert_eq!(told(&reply), ["login", "verify_email", "register"]);
    for item in reply.body["items"].as_array().unwrap() {
        assert_eq!(item["subject"]["id"], bob.id.as_str());
        assert_eq!(item["ip"], "192.0.2.1");
    }
    let twin = app.get_as(&bob.access, "/users/me/activity").await;
    assert_eq!(told(&twin), told(&reply));
    assert_eq!(app.audit().await.len(), before, "reading leaves no entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_to_one_is_told_without_who_they_are() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let ada = app.ada().await;
    let by_ada =
        "UPDATE audit_log SET actor_id = $id, actor_type = 'user' WHERE action = 'verify_email'";
    app.db.lift_trail_guard().await;
    app.set_in_users_table("Ada", &ada.id, by_ada).await;
    let reply = app.get_as(&bob.access, ACTIVITY).await;
    assert_eq!(told(&reply), ["login", "verify_email", "register"]);
    let item = &reply.body["items"][1];
    assert_eq!(
        item["actor"],
        serde_json::json!({ "type": "user", "id": null })
    );
    assert_eq!(
        (&item["ip"], &item["user_agent"]),
        (&Value::Null, &Value::Null)
    );
    assert!(!reply.text.contains(&ada.id));
    let hers = app.get_as(&ada.access, ACTIVITY).await;
    assert!(told(&hers).contains(&"verify_email".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_what_one_did_and_of_what_was_done_to_one_are_one_list() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for _ in 0..3 {
        app.sign_in(BOB).await;
        let wrong = serde_json::json!({ "email": BOB, "password": "WrongPass123" });
        app.post("/api/v1/auth/login", wrong).await.expect(401);
    }
    app.catch_up().await;
    let whole = app
        .get_as(&bob.access, &format!("{ACTIVITY}?limit=100"))
        .await;
    let whole = whole.body["items"].as_array().unwrap().clone();
    assert_eq!(whole.len(), 9);
    let mut seen = Vec::new();
    let mut next = format!("{ACTIVITY}?limit=2");
    loop {
        let page = app.get_as(&bob.access, &next).await.expect(200);
        seen.extend(page.body["items"].as_array().unwrap().clone());
        let Some(href) = page.body["_links"]["next"]["href"].as_str() else {
            break;
        };
        next = href.to_owned();
    }
    assert_eq!(seen, whole);
    let wrong = app
        .get_as(&bob.access, &format!("{ACTIVITY}?limit=0&cursor=x"))
        .await;
    assert_eq!(wrong.violations(), ["cursor: format", "limit: format"]);
}
