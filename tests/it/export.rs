//! Everything that is kept about oneself, to take along.

mod cut;
pub mod tables;

use crate::avatar::flat;
use crate::support::{
    Reply, TestApp,
    app::{ADA, PASSWORD},
    people::{BOB, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::io::{Cursor, Read as _};

const EXPORT: &str = "/api/v1/users/me/export";

/// Bob with something in every section that he can fill himself.
async fn busy_bob(app: &TestApp) -> Person {
    let bob = app.bob().await;
    let put = async |path: &str, body: Value| {
        let request = app.request(Method::PUT, path).bearer(&bob.access);
        request.json(body).send().await.expect(200)
    };
    put("/api/v1/users/me", json!({ "full_name": "Bob O'Neil" })).await;
    let told = json!({ "headline": "Smith", "bio": "I forge.", "phone": "+31612345678" });
    put("/api/v1/users/me/profile", told).await;
    let wanted = json!({ "locations": ["Delft"], "extra": { "theme": "dark" } });
    put("/api/v1/users/me/preferences", wanted).await;
    let new = json!({ "new_email": "bob.new@example.com", "password": PASSWORD });
    app.post_as(&bob.access, "/api/v1/auth/change-email", new)
        .await
        .expect(202);
    let reset = json!({ "email": BOB });
    app.post("/api/v1/auth/password-reset-request", reset)
        .await
        .expect(202);
    let wrong = json!({ "email": BOB, "password": "WrongPass123" });
    let from = app.request(Method::POST, "/login").from("198.51.100.9");
    from.json(wrong).send().await.expect(401);
    app.catch_up().await;
    bob
}

async fn export(app: &TestApp, who: &Person, accept: &str) -> Reply {
    let request = app.request(Method::GET, EXPORT).bearer(&who.access);
    request.header("accept", accept).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_holds_all_that_is_kept_opened() {
    let app = TestApp::start().await;
    let bob = busy_bob(&app).await;
    let reply = export(&app, &bob, "application/json").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/json");
    let name = "attachment; filename=\"usher-export.json\"";
    assert_eq!(reply.header("content-disposition"), name);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.header("vary").contains("accept"));
    let told = &reply.body;
    assert_eq!(told["account"]["email"], BOB);
    assert_eq!(told["account"]["full_name"], "Bob O'Neil");
    assert_eq!(told["account"]["login_count"], 1);
    assert_eq!(told["profile"]["bio"], "I forge.");
    assert_eq!(told["profile"]["phone"], "+31612345678");
    assert_eq!(told["preferences"]["extra"], json!({ "theme": "dark" }));
    assert_eq!(told["sessions"][0]["ip"], "192.0.2.1");
    assert_eq!(told["email_changes"][0]["new_email"], "bob.new@example.com");
    let subjects = told["mails"].as_array().unwrap().iter();
    assert!(subjects.clone().count() >= 3);
    let activity = told["activity"].as_array().unwrap();
    let guess = activity.iter().find(|entry| entry["outcome"] == "failed");
    assert_eq!(guess.unwrap()["ip"], "198.51.100.9");
    let events = told["events"].as_array().unwrap();
    let created = events.iter().find(|event| event["type"] == "user.created");
    assert_eq!(created.unwrap()["data"]["user"]["email"], BOB);
    assert_eq!(told["incomplete"], json!([]));
    assert_eq!(activity[0]["action"], "export_me", "it is audited first");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_it_lets_its_reader_act_as_the_person() {
    let app = TestApp::start_with(&[("MAIL_TRANSPORT", "mailbox")]).await;
    let bob = busy_bob(&app).await;
    let mut secrets = vec![
        bob.refresh.clone(),
        PASSWORD.to_owned(),
        "$argon2".to_owned(),
    ];
    for mail in app.inbox().await {
        let tokens = mail.text.split("token=").skip(1);
        secrets.extend(tokens.map(|rest| rest.split_whitespace().next().unwrap().to_owned()));
    }
    assert!(secrets.len() >= 6, "{}", secrets.len());
    let waiting = json!({ "email": BOB });
    app.post("/api/v1/auth/password-reset-request", waiting)
        .await
        .expect(202);
    app.catch_up().await;
    let told = export(&app, &bob, "*/*").await.expect(200).text;
    for secret in secrets {
        assert!(!told.contains(&secret), "{secret}");
    }
    assert!(!told.contains("token="), "{told}");
    assert!(!told.contains(ADA), "somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_holds_the_same_document_and_the_picture() {
    let app = TestApp::start().await;
    let bob = busy_bob(&app).await;
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    let picture = format!("/api/v1/users/{}/avatar", bob.id);
    let picture = app.get_as(&bob.access, &picture).await.expect(200);
    let plain = export(&app, &bob, "application/json").await.expect(200);
    let packed = export(&app, &bob, "application/zip").await.expect(200);
    assert_eq!(packed.header("content-type"), "application/zip");
    let name = "attachment; filename=\"usher-export.zip\"";
    assert_eq!(packed.header("content-disposition"), name);
    let mut archive = zip::ZipArchive::new(Cursor::new(packed.bytes)).unwrap();
    assert_eq!(archive.len(), 2);
    let mut packed_picture = Vec::new();
    let mut file = archive.by_name("avatar.png").unwrap();
    file.read_to_end(&mut packed_picture).unwrap();
    drop(file);
    assert_eq!(packed_picture, picture.bytes);
    let mut text = String::new();
    let mut file = archive.by_name("export.json").unwrap();
    file.read_to_string(&mut text).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    for section in [
        "account",
        "profile",
        "preferences",
        "sessions",
        "mails",
        "events",
    ] {
        assert_eq!(document[section], plain.body[section], "{section}");
    }
    let trail = app.audit().await;
    let exports = trail.iter().filter(|row| *row == "export_me success");
    assert_eq!(exports.count(), 2);
    for (accept, media_type) in [
        (
            "application/zip;q=0.5, application/json",
            "application/json",
        ),
        ("application/*", "application/json"),
        ("application/zip, application/json;q=0.1", "application/zip"),
    ] {
        let reply = export(&app, &bob, accept).await.expect(200);
        assert_eq!(reply.header("content-type"), media_type, "{accept}");
    }
    export(&app, &bob, "text/html")
        .await
        .expect_problem(406, "not_acceptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_else_acted_on_one_and_from_where_is_not_told() {
    let app = TestApp::start().await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    // As if Ada had done all that was done to Bob.
    let acted = "UPDATE audit_log SET actor_type = 'user', actor_id = $id WHERE key_owner <> $id";
    app.db.lift_trail_guard().await;
    app.set_in_users_table(ADA, &ada.id, acted).await;
    let told = export(&app, &bob, "*/*").await.expect(200);
    assert!(!told.text.contains(&ada.id), "{}", told.text);
    let all = told.body["activity"].as_array().unwrap();
    let by_ada: Vec<_> = all
        .iter()
        .filter(|entry| entry["actor"]["id"].is_null())
        .collect();
    assert!(by_ada.len() >= 3, "{}", by_ada.len());
    for entry in by_ada {
        assert_eq!(
            (&entry["ip"], &entry["user_agent"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(entry["subject"]["id"], bob.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_somebody_erased_is_there_without_what_their_key_sealed() {
    let app = TestApp::start().await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    // As if Ada had done all that Bob did.
    let acted =
        "UPDATE audit_log SET actor_id = $id WHERE key_owner <> $id AND actor_id IS NOT NULL";
    app.db.lift_trail_guard().await;
    app.set_in_users_table(ADA, &ada.id, acted).await;
    let find = |told: &Value| {
        let all = told["activity"].as_array().unwrap().iter();
        let mut on_bob = all.filter(|entry| entry["subject"]["id"].is_null());
        on_bob.next().unwrap()["ip"].clone()
    };
    let told = export(&app, &ada, "*/*").await.expect(200);
    assert_eq!(find(&told.body), "192.0.2.1");
    assert!(!told.text.contains(&bob.id), "whom it was done to");
    let erased = "DELETE FROM user_keys WHERE user_id = $id";
    app.set_in_users_table(BOB, &bob.id, erased).await;
    let node = app.start_node(2, &[]).await;
    let told = export(&node, &ada, "*/*").await.expect(200);
    assert_eq!(find(&told.body), Value::Null);
    // Bob's mails cannot be opened any more, and were sent before.
    app.expect_errors();
}
