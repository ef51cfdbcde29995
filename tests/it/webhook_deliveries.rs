//! What is on its way to webhooks, as admins see it, and sending it again.

use crate::{support::endpoint::Answer, webhook_delivery::Told};
use axum::http::Method;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_can_be_sent_again_with_the_same_id() {
    let told = Told::of_everything(&[]).await;
    told.one_event().await;
    told.deliver().await;
    let listed = told.ask(Method::GET, "/deliveries", Value::Null).await;
    let listed = listed.expect(200).body["items"][0].clone();
    assert_eq!(listed["status"], "delivered");
    assert_eq!(listed["last_status_code"], 200);
    let replay = listed["_links"]["replay"]["href"].as_str().unwrap();
    let replay = told.app.post_as(&told.ada.access, replay, Value::Null);
    replay.await.expect(202);
    told.deliver().await;
    let ids = told.endpoint.ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    let trail = told.app.audit().await;
    assert!(trail.contains(&"replay_webhook_delivery success".to_owned()));
    let nowhere = "/deliveries/01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f/replay";
    let nowhere = told.ask(Method::POST, nowhere, Value::Null).await;
    nowhere.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_newest_first_page_by_page_and_by_status() {
    let told = Told::of_everything(&[]).await;
    for number in 0..5 {
        let status = if number == 2 { 503 } else { 200 };
        told.endpoint.set(Answer::Status(status));
        told.one_event().await;
        told.deliver().await;
    }
    let ids = |reply: &Value| -> Vec<String> {
        let items = reply["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["event_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut expected = told.endpoint.ids();
    expected.reverse();
    let first = told
        .ask(Method::GET, "/deliveries?limit=3", Value::Null)
        .await;
    let first = first.expect(200).body;
    assert_eq!(ids(&first), expected[..3]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = format!("/deliveries?limit=3&cursor={cursor}");
    let second = told
        .ask(Method::GET, &second, Value::Null)
        .await
        .expect(200)
        .body;
    assert_eq!(ids(&second), expected[3..]);
    let back = second["_links"]["prev"]["href"].as_str().unwrap();
    let back = told
        .app
        .get_as(&told.ada.access, back)
        .await
        .expect(200)
        .body;
    assert_eq!(ids(&back), expected[..3]);
    let waiting = told
        .ask(Method::GET, "/deliveries?status=pending", Value::Null)
        .await;
    let waiting = waiting.expect(200).body;
    assert_eq!(ids(&waiting), expected[2..3]);
    assert_eq!(waiting["items"][0]["last_fault"], "status");
    assert_eq!(waiting["items"][0]["last_status_code"], 503);
    let wrong = told
        .ask(Method::GET, "/deliveries?status=lost&limit=0", Value::Null)
        .await;
    assert_eq!(
        wrong.violations(),
        ["limit: format", "status: unknown_value"]
    );
}
