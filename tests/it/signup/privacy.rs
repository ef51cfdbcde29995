//! What a sign-up tells about addresses and names that others have: with `SIGNUP_PRIVACY=strict` nothing.

use super::{REGISTER, form};
use crate::mail_requests::rows;
use crate::support::{
    Reply, TestApp,
    app::ADA,
    people::{BOB, CAROL},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

pub const STRICT: (&str, &str) = ("SIGNUP_PRIVACY", "strict");

pub async fn register(app: &TestApp, email: &str, fields: Value) -> Reply {
    app.post(REGISTER, form(email, &fields)).await
}

/// What a stranger can compare: status, body, names of the header fields.
pub fn visible(reply: &Reply) -> (u16, String, Vec<String>) {
    let names = reply.headers.keys().map(ToString::to_string).collect();
    (reply.status, reply.text.clone(), names)
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_privacy_answers_the_same_for_free_and_taken_addresses() {
    let app = TestApp::start_with(&[STRICT]).await;
    let free = register(&app, BOB, json!({})).await.expect(202);
    assert_eq!(app.mails_to(BOB).await.len(), 1);
    let taken = register(&app, BOB, json!({ "full_name": "Eve" })).await;
    assert_eq!(visible(&taken), visible(&free));
    assert_eq!(free.body, json!({ "message": "Check your mail to go on." }));
    let mails = app.mails_to(BOB).await;
    assert_eq!(mails.len(), 2);
    assert!(
        mails[1].text.contains("http://usher.test/forgot-password"),
        "{}",
        mails[1].text
    );
    assert!(!mails[1].text.contains("Eve"));
    assert_eq!(app.db.number("SELECT count(*) FROM users").await, 2);
    let audit = app.audit().await;
    assert!(audit.ends_with(&["register success".to_owned(), "register refused".to_owned()]));
    let invalid = register(&app, BOB, json!({ "password": "short" })).await;
    assert_eq!(
        invalid.violations(),
        ["password: password_weak", "password: too_short"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_privacy_answers_the_same_for_free_and_taken_usernames() {
    let app = TestApp::start_with(&[STRICT]).await;
    let usual = register(&app, BOB, json!({ "username": "bob" })).await;
    app.verify(BOB).await;
    let free = register(&app, CAROL, json!({ "username": "Bob" })).await;
    let taken = register(&app, BOB, json!({ "username": "Bob" })).await;
    for reply in [free, taken] {
        assert_eq!(visible(&reply), visible(&usual));
        assert_eq!(reply.status, 202);
    }
    app.verify(CAROL).await;
    let carol = app.sign_in(CAROL).await;
    let me = app.get_as(&carol.access, "/api/v1/users/me").await;
    assert_eq!(me.expect(200).body["username"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_taken_address_is_not_flooded() {
    let app = TestApp::start_with(&[STRICT, ("RATE_LIMIT_RECIPIENT", "3/1h")]).await;
    for _ in 0..10 {
        register(&app, BOB, json!({})).await.expect(202);
    }
    assert_eq!(
        app.mails_to(BOB).await.len(),
        4,
        "one to confirm, three to tell"
    );
    let bob = "SELECT count(*) FROM audit_log WHERE action = 'register' AND outcome = 'refused'";
    assert_eq!(app.db.number(bob).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_terminated_account_is_not_told() {
    let app = TestApp::start_with(&[STRICT]).await;
    register(&app, BOB, json!({})).await.expect(202);
    let before = app.mails_to(BOB).await.len();
    app.db
        .execute("UPDATE users SET status = 'terminated' WHERE status = 'pending'")
        .await;
    register(&app, BOB, json!({})).await.expect(202);
    assert_eq!(app.mails_to(BOB).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn e1_a_strict_sign_up_writes_the_same_one_row_for_free_and_taken_addresses() {
    let app = TestApp::start_with(&[STRICT]).await;
    register(&app, BOB, json!({})).await.expect(202);
    app.inbox().await;
    let mut before = rows(&app).await;
    for email in [BOB, CAROL, ADA, "dora@example.com"] {
        register(&app, email, json!({})).await.expect(202);
        *before.get_mut("mail_requests").unwrap() += 1;
        assert_eq!(rows(&app).await, before, "{email}");
    }
    let forms = "SELECT count(*) FROM (SELECT DISTINCT kind, length(form_sealed), length(origin_sealed) FROM mail_requests) AS forms";
    assert_eq!(app.db.number(forms).await, 1);
    app.catch_up().await;
    let after = rows(&app).await;
    assert_eq!(after["mail_requests"], 0);
    assert_eq!(after["users"], before["users"] + 2);
    assert_eq!(after["audit_log"], before["audit_log"] + 4);
    assert_eq!(after["outbox_mails"], before["outbox_mails"] + 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_sign_up_keeps_all_that_was_said_but_a_username_that_is_confirmed_by_another_first()
 {
    let app = TestApp::start_with(&[STRICT]).await;
    let said = json!({
        "username": "Bob", "full_name": "Bob Builder", "country": "NL", "state_province": "NL-ZH", "locale": "nl-NL",
    });
    register(&app, BOB, said.clone()).await.expect(202);
    register(&app, CAROL, said).await.expect(202);
    app.catch_up().await;
    let mut names = Vec::new();
    for email in [CAROL, BOB] {
        app.verify(email).await;
        let person = app.sign_in(email).await;
        let mut me = app
            .get_as(&person.access, "/api/v1/users/me")
            .await
            .expect(200)
            .body;
        names.push(me["username"].take());
        let rest = ["full_name", "country", "state_province", "locale"].map(|name| me[name].take());
        assert_eq!(
            rest,
            ["Bob Builder", "NL", "NL-ZH", "nl-NL"].map(Value::from)
        );
    }
    assert_eq!(names, [json!("Bob"), Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_a_strict_sign_up_that_fails_half_way_leaves_nothing_and_is_done_later() {
    let app = TestApp::start_with(&[STRICT]).await;
    app.inbox().await;
    let mut before = rows(&app).await;
    *before.get_mut("mail_requests").unwrap() += 1;
    register(&app, BOB, json!({})).await.expect(202);
    for table in ["outbox_mails", "outbox_events", "credentials", "users"] {
        let aside = format!("ALTER TABLE {table} RENAME TO set_aside");
        app.db.execute(&aside).await;
        app.catch_up().await;
        let back = format!("ALTER TABLE set_aside RENAME TO {table}");
        app.db.execute(&back).await;
        assert_eq!(rows(&app).await, before, "{table}");
        app.advance(TimeDelta::minutes(1));
    }
    app.catch_up().await;
    app.verify(BOB).await;
    app.sign_in(BOB).await;
}

/// Fifty spellings of Bob's address at once, over two nodes; how often each status came.
async fn fifty_at_once(app: Arc<TestApp>, other: Arc<TestApp>) -> Vec<u16> {
    let barrier = Arc::new(Barrier::new(50));
    let mut racing = JoinSet::new();
    for at in 0..50_usize {
        let node = Arc::clone(if at % 2 == 0 { &app } else { &other });
        let barrier = Arc::clone(&barrier);
        racing.spawn(async move {
            let mut email = BOB.to_owned();
            email
                .get_mut(at % 3..=at % 3)
                .unwrap()
                .make_ascii_uppercase();
            barrier.wait().await;
            register(&node, &email, json!({})).await.status
        });
    }
    let mut statuses = racing.join_all().await;
    statuses.sort_unstable();
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_of_fifty_sign_ups_with_one_address_one_wins() {
    for (privacy, first, others) in [("friendly", 201, 409), ("strict", 202, 202)] {
        let settings = [("SIGNUP_PRIVACY", privacy), ("HASH_QUEUE", "1000")];
        let app = Arc::new(TestApp::start_with(&settings).await);
        let other = Arc::new(app.start_node(2, &settings).await);
        let statuses = fifty_at_once(Arc::clone(&app), other).await;
        let mut expected = vec![others; 50];
        expected[0] = first;
        assert_eq!(statuses, expected, "{privacy}");
        app.catch_up().await;
        for (table, rows) in [
            ("users", 2),
            ("credentials", 2),
            ("user_keys", 2),
            ("email_verifications", 1),
        ] {
            let count = app
                .db
                .number(&format!("SELECT count(*) FROM {table}"))
                .await;
            assert_eq!(count, rows, "{privacy}: {table}");
        }
        let entries = "SELECT count(*) FROM audit_log WHERE action = 'register'";
        assert_eq!(app.db.number(entries).await, 50, "{privacy}");
    }
}
