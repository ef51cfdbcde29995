//! Deliveries to webhooks, to a receiver on a real socket: what a message is, when it is tried again, and when no more.

mod addresses;
mod endings;
mod nodes;

use crate::{
    support::{
        TestApp,
        endpoint::{Endpoint, Message},
        people::{BOB, Person},
    },
    webhooks::path,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A receiver that is told of some events, and who set it up.
pub struct Told {
    pub app: TestApp,
    pub ada: Person,
    pub endpoint: Endpoint,
    pub webhook: Value,
}

impl Told {
    /// Of all events from now on.
    pub async fn of_everything(settings: &[(&str, &str)]) -> Self {
        Self::of(&["*"], settings).await
    }

    pub async fn of(events: &[&str], settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings).await;
        let ada = app.ada().await;
        deliver(&app).await;
        let endpoint = Endpoint::start().await;
        let webhook = app.webhook(&ada.access, &endpoint.url(), events).await;
        Self {
            app,
            ada,
            endpoint,
            webhook,
        }
    }

    pub fn secret(&self) -> &str {
        self.webhook["secret"].as_str().unwrap()
    }

    pub async fn deliver(&self) {
        deliver(&self.app).await;
    }

    /// `status attempts code fault` of each delivery, oldest first.
    pub async fn rows(&self) -> Vec<String> {
        rows(&self.app).await
    }

    /// Asks about the webhook, below its path.
    pub async fn ask(&self, method: Method, below: &str, body: Value) -> crate::support::Reply {
        let at = format!("{}{below}", path(&self.webhook));
        self.app.ask(method, &self.ada.access, &at, body).await
    }

    /// Signs Ada in, which is an event.
    pub async fn one_event(&self) {
        self.app.ada().await;
    }
}

/// Gives positions, and sends what is due.
async fn deliver(app: &TestApp) {
    app.app.place_events().await.unwrap();
    app.app.deliver_webhooks().await.unwrap();
}

async fn rows(app: &TestApp) -> Vec<String> {
    let sql =
        "SELECT status || ' ' || attempts || ' ' || coalesce(CAST(last_answer AS text), '-') || ' '
        || coalesce(last_fault, '-') FROM webhook_deliveries ORDER BY id";
    app.db.texts(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_signed_cloud_event_as_standard_webhooks_says() {
    let told = Told::of(&["user.created"], &[]).await;
    told.app.sign_up(BOB).await;
    told.deliver().await;
    told.deliver().await;
    let [message] = &told.endpoint.messages()[..] else {
        panic!("one message");
    };
    assert!(
        message
            .head
            .starts_with("POST /in?token=receivers-token HTTP/1.1\r\n")
    );
    assert!(message.is_signed_with(told.secret()));
    assert!(!message.is_signed_with("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    let event = message.event();
    assert_eq!(message.header("webhook-id"), event["id"]);
    let now = told.app.now().timestamp().to_string();
    assert_eq!(message.header("webhook-timestamp"), now);
    assert_eq!(
        message.header("content-type"),
        "application/cloudevents+json"
    );
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "user.created");
    assert_eq!(event["data"]["user"]["email"], BOB);
    // Nothing else is told: no cookie, no trace of where it was caused.
    let names = message
        .head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap().to_lowercase());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accept",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
    assert_eq!(told.rows().await, ["delivered 1 200 -"]);
    assert!(!told.app.logs.text().contains("receivers-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_of_what_it_names_and_of_nothing_before_it_was_made() {
    let told = Told::of(&["user.created", "user.logged_in"], &[]).await;
    told.app.bob().await;
    told.deliver().await;
    let mut types = told.endpoint.types();
    types.sort();
    assert_eq!(types, ["user.created", "user.logged_in"]);
    let all = Endpoint::start().await;
    let ada = &told.ada.access;
    told.app.webhook(ada, &all.url(), &["*"]).await;
    told.app.carol().await;
    told.deliver().await;
    let mut types = all.types();
    types.sort();
    assert_eq!(types, ["user.created", "user.verification_token.created"]);
    assert_eq!(told.endpoint.types().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_day_after_a_change_of_the_secret_both_sign() {
    let told = Told::of_everything(&[]).await;
    let rotated = told.ask(Method::POST, "/rotate-secret", Value::Null).await;
    let rotated = rotated.expect(200).body["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    for (wait, is_old) in [(0, true), (86_399, true), (1, false)] {
        told.app.advance(TimeDelta::seconds(wait));
        told.one_event().await;
        told.deliver().await;
        let message = told.endpoint.messages().pop().unwrap();
        assert!(message.is_signed_with(&rotated));
        assert_eq!(message.is_signed_with(told.secret()), is_old, "{wait}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v4_2_5_a_message_has_a_head_of_less_than_8_kib_at_most() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    deliver(&app).await;
    let endpoint = Endpoint::start().await;
    let url = |length: usize| {
        let url = endpoint.url();
        format!("{url}&{}", "x".repeat(length - 1 - url.len()))
    };
    let form = json!({ "url": url(2001), "events": ["*"] });
    let reply = app
        .post_as(&ada.access, crate::webhooks::WEBHOOKS, form)
        .await;
    assert_eq!(reply.violations(), ["url: too_long"]);
    let webhook = app.webhook(&ada.access, &url(2000), &["*"]).await;
    for _ in 0..5 {
        let rotate = format!("{}/rotate-secret", path(&webhook));
        let rotated = app
            .ask(Method::POST, &ada.access, &rotate, Value::Null)
            .await;
        rotated.expect(200);
    }
    let form = json!({ "email": BOB, "password": crate::support::app::PASSWORD });
    let agent = "x".repeat(4096);
    let request = app
        .request(Method::POST, "/api/v1/auth/register")
        .json(form);
    let request = request
        .header("user-agent", &agent)
        .header("tracestate", &agent);
    request.send().await.expect(201);
    deliver(&app).await;
    let messages = endpoint.messages();
    assert!(!messages.is_empty());
    for message in messages {
        assert!(message.head.len() < 8192, "{}", message.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_switched_off_is_told_of_nothing() {
    let told = Told::of_everything(&[]).await;
    told.one_event().await;
    told.app.app.place_events().await.unwrap();
    let off = told
        .ask(Method::PATCH, "", json!({ "enabled": false }))
        .await;
    off.expect(200);
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.endpoint.connections(), 0);
    assert_eq!(told.rows().await, ["dead 0 - disabled"]);
    let deliveries = told
        .ask(Method::GET, "/deliveries", Value::Null)
        .await
        .expect(200);
    let id = deliveries.body["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let replay = format!("/deliveries/{id}/replay");
    let replayed = told.ask(Method::POST, &replay, Value::Null).await;
    replayed.expect_problem(409, "conflict");
    let on = told
        .ask(Method::PATCH, "", json!({ "enabled": true }))
        .await;
    assert_eq!(on.expect(200).body["disabled_at"], Value::Null);
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.endpoint.types(), ["user.logged_in"]);
    let replayed = told.ask(Method::POST, &replay, Value::Null).await;
    assert_eq!(replayed.expect(202).body["status"], "pending");
    told.deliver().await;
    assert_eq!(told.endpoint.types().len(), 2);
    assert_eq!(told.rows().await, ["delivered 1 200 -"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_person_a_message_tells_nothing_any_more() {
    let told = Told::of_everything(&[]).await;
    let bob = told.app.bob().await;
    told.app.app.place_events().await.unwrap();
    let erase = format!("/api/v1/users/{}", bob.id);
    let erase = told
        .app
        .ask(Method::DELETE, &told.ada.access, &erase, Value::Null);
    erase.await.expect(204);
    told.deliver().await;
    let messages = told.endpoint.messages();
    assert!(messages.len() >= 4, "{}", messages.len());
    for message in &messages {
        assert!(!message.body.contains(BOB) && message.is_signed_with(told.secret()));
    }
    let last = messages.iter().map(Message::event);
    let last = last.filter(|event| event["type"] == "user.deleted");
    let last: Vec<_> = last.map(|event| event["data"].clone()).collect();
    assert_eq!(last, [json!({ "mode": "erased" })]);
}
