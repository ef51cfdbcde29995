//! How attempts end: an error, silence, a redirect, no answer for three days, 410.

use super::{Told, deliver, rows};
use crate::support::{
    app::ADA,
    endpoint::{Answer, Endpoint},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// The pauses of the standard, in seconds.
const PAUSES: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_for_three_days_is_tried_ten_times_and_switched_off() {
    let told = Told::of_everything(&[]).await;
    told.one_event().await;
    told.endpoint.set(Answer::Status(500));
    told.deliver().await;
    for (before, pause) in PAUSES.into_iter().enumerate() {
        assert_eq!(
            told.rows().await,
            [format!("pending {} 500 status", before + 1)]
        );
        told.app.advance(TimeDelta::seconds(pause - 1));
        told.deliver().await;
        assert_eq!(told.endpoint.ids().len(), before + 1, "too early");
        // Pauses are spread by up to a tenth.
        told.app.advance(TimeDelta::seconds(2 + pause / 10));
        told.deliver().await;
        assert_eq!(told.endpoint.ids().len(), before + 2, "after {pause}");
    }
    assert_eq!(told.rows().await, ["dead 10 500 status"]);
    let ids = told.endpoint.ids();
    assert!(ids.iter().all(|id| *id == ids[0]));
    let ada = told.app.ada().await;
    let at = crate::webhooks::path(&told.webhook);
    let webhook = told.app.get_as(&ada.access, &at).await.expect(200).body;
    assert_eq!(webhook["enabled"], json!(false));
    assert_eq!(webhook["disabled_reason"], "failing");
    assert_eq!(webhook["failing_since"], "2026-01-05T12:00:00Z");
    let trail = told.app.audit().await;
    assert!(
        trail.contains(&"disable_webhook success".to_owned()),
        "{trail:?}"
    );
    let mails = told.app.mails_to(ADA).await;
    let mails: Vec<_> = mails
        .iter()
        .filter(|mail| mail.subject.contains("webhook"))
        .collect();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("127.0.0.1") && mails[0].text.contains("three days"));
    assert!(!mails[0].text.contains("receivers-token"));
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.endpoint.ids().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_success_within_three_days_keeps_a_receiver() {
    let told = Told::of_everything(&[]).await;
    told.endpoint.set(Answer::Status(503));
    told.one_event().await;
    told.deliver().await;
    told.app.advance(TimeDelta::hours(71));
    told.endpoint.set(Answer::Status(204));
    told.deliver().await;
    assert_eq!(told.rows().await, ["delivered 2 204 -"]);
    told.endpoint.set(Answer::Status(503));
    told.app.advance(TimeDelta::hours(2));
    told.one_event().await;
    told.deliver().await;
    let states = told
        .app
        .db
        .texts("SELECT disabled_reason FROM webhooks")
        .await;
    assert_eq!(states, [""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_switched_off_at_once_and_what_waits_is_given_up() {
    let told = Told::of_everything(&[]).await;
    told.endpoint.set(Answer::Status(500));
    told.one_event().await;
    told.deliver().await;
    told.endpoint.set(Answer::Status(410));
    told.one_event().await;
    told.deliver().await;
    assert_eq!(
        told.rows().await,
        ["dead 1 500 disabled", "dead 1 410 status"]
    );
    let webhook = told
        .ask(Method::GET, "", Value::Null)
        .await
        .expect(200)
        .body;
    assert_eq!(webhook["disabled_reason"], "gone");
    assert_eq!(webhook["version"], 2);
    let mails = told.app.mails_to(ADA).await;
    assert!(mails.last().unwrap().text.contains("(410)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_a_redirect_is_a_failure_and_nobody_goes_there() {
    let told = Told::of_everything(&[]).await;
    let canary = Endpoint::start().await;
    told.endpoint.set(Answer::Redirect(canary.url()));
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.rows().await, ["pending 1 302 redirect"]);
    assert_eq!((told.endpoint.connections(), canary.connections()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_an_answer_without_end_is_cut_and_counts_by_its_status() {
    let told = Told::of_everything(&[]).await;
    told.endpoint.set(Answer::Endless);
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.rows().await, ["delivered 1 200 -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_costs_an_attempt_and_not_the_event() {
    let told = Told::of_everything(&[("WEBHOOK_TIMEOUT_SECONDS", "1")]).await;
    told.endpoint.set(Answer::Silent);
    told.one_event().await;
    told.deliver().await;
    assert_eq!(told.rows().await, ["pending 1 - timeout"]);
    told.endpoint.set(Answer::Status(200));
    told.app.advance(TimeDelta::seconds(6));
    told.deliver().await;
    assert_eq!(told.rows().await, ["delivered 2 200 -"]);
    let ids = told.endpoint.ids();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_costs_an_attempt_and_not_the_event() {
    let told = Told::of_everything(&[]).await;
    let Told { app, endpoint, .. } = told;
    drop(endpoint);
    tokio::task::yield_now().await;
    app.ada().await;
    deliver(&app).await;
    assert_eq!(rows(&app).await, ["pending 1 - connection"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settled_deliveries_are_forgotten_and_an_event_stays_while_one_waits() {
    let told = Told::of_everything(&[]).await;
    told.one_event().await;
    told.deliver().await;
    told.endpoint.set(Answer::Status(500));
    told.one_event().await;
    told.deliver().await;
    told.app.advance(TimeDelta::days(31));
    told.app.app.do_housekeeping().await.unwrap();
    assert_eq!(told.rows().await, ["pending 1 500 status"]);
    let waiting =
        "SELECT count(*) FROM outbox_events e JOIN webhook_deliveries d ON d.event_id = e.id";
    assert_eq!(told.app.db.number(waiting).await, 1);
    let figures = told.app.get("/metrics").await.expect(200).text;
    for line in [
        "usher_webhook_deliveries_pending 1",
        "usher_webhook_oldest_pending_seconds 2678400",
        "usher_webhook_deliveries_total{outcome=\"delivered\"} 1",
        "usher_webhook_deliveries_total{outcome=\"delayed\"} 1",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
}
