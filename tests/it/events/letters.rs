//! Mails that another service sends: the events tell it everything, and only where that is wanted (C9).

use super::{items, read};
use crate::support::{
    TestApp, app::PASSWORD, database::TestDatabase, people::BOB, process::Service,
};
use axum::http::Method;
use serde_json::{Value, json};

/// Everything of one person that causes a mail.
async fn cause_mails(app: &TestApp) {
    let bob = app.bob().await;
    let device = app.request(Method::POST, "/api/v1/auth/login");
    let device = device
        .header("user-agent", "curl/8.5.0")
        .from("198.51.100.9");
    let form = json!({ "email": BOB, "password": PASSWORD });
    device.json(form).send().await.expect(200);
    let asked = app.post(
        "/api/v1/auth/password-reset-request",
        json!({ "email": BOB }),
    );
    asked.await.expect(202);
    let new = json!({ "new_email": "bob@new.example", "password": PASSWORD });
    let changed = app.post_as(&bob.access, "/api/v1/auth/change-email", new);
    changed.await.expect(202);
    let ada = app.ada().await;
    let guest = json!({ "email": "guest@example.com", "full_name": "Guy Guest" });
    let invited = app.ask(Method::POST, &ada.access, "/api/v1/users", guest);
    invited.await.expect(201);
}

/// The secrets in the links of all mails.
async fn secrets(app: &TestApp) -> Vec<String> {
    let mails = app.inbox().await;
    let tokens = mails
        .iter()
        .filter_map(|mail| mail.text.split_once("token="));
    tokens
        .map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_events_hold_no_link_and_no_token_where_mails_leave_otherwise() {
    let app = TestApp::start().await;
    cause_mails(&app).await;
    let secrets = secrets(&app).await;
    assert!(secrets.len() >= 4, "{}", secrets.len());
    let ada = app.ada().await;
    let feed = read(&app, &ada, "?limit=100").await;
    for secret in secrets {
        assert!(!feed.text.contains(&secret));
    }
    assert!(!feed.text.contains("token="));
    assert!(
        items(&feed)
            .iter()
            .all(|event| event["data"].get("mail").is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_with_mail_transport_events_an_outside_service_can_send_every_mail() {
    let app = TestApp::start_with(&[("MAIL_TRANSPORT", "events")]).await;
    cause_mails(&app).await;
    let (mails, secrets) = (app.inbox().await, secrets(&app).await);
    let ada = app.ada().await;
    let feed = read(&app, &ada, "?limit=100").await;
    let told = items(&feed)
        .iter()
        .filter(|event| event["data"]["mail"].is_object());
    let letters: Vec<&Value> = told.map(|event| &event["data"]["mail"]).collect();
    // The list of the tests stands for what a courier would have sent.
    let mut expected: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    let mut recipients: Vec<&str> = letters
        .iter()
        .map(|mail| mail["to"].as_str().unwrap())
        .collect();
    expected.sort_unstable();
    recipients.sort_unstable();
    assert_eq!(recipients, expected);
    for secret in secrets {
        assert!(
            letters
                .iter()
                .any(|mail| mail["link"].as_str().unwrap_or("").contains(&secret))
        );
    }
    let of = |kind: &str| {
        let found = items(&feed)
            .iter()
            .find(|event| event["type"] == kind)
            .unwrap();
        found["data"]["mail"].clone()
    };
    let verify = of("user.verification_token.created");
    assert_eq!(
        (&verify["template"], &verify["to"]),
        (&json!("verify_email"), &json!(BOB))
    );
    assert_eq!(
        of("user.password_reset.requested")["template"],
        "password_reset"
    );
    for template in ["confirm_email_change", "invitation", "new_device"] {
        assert!(
            letters.iter().any(|mail| mail["template"] == template),
            "{template}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_the_log_says_at_the_start_that_links_leave_in_events() {
    for (transport, warns) in [("events", true), ("mailbox", false)] {
        let db = TestDatabase::create().await;
        let service = Service::start(&db, &[("MAIL_TRANSPORT", transport)]).await;
        service.terminate();
        let (status, log) = service.ended().await;
        assert!(status.success(), "{log}");
        let mut lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let warned = lines.any(|line| {
            let text = line["message"].as_str().unwrap_or_default();
            line["level"] == "WARN" && text.contains("links of mails leave in the events")
        });
        assert_eq!(warned, warns, "{log}");
    }
}
