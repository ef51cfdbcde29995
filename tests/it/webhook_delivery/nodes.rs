//! Several nodes, several receivers: nobody holds up another, nothing goes twice, nothing is lost with a node.

use super::{Told, deliver};
use crate::support::endpoint::{Answer, Endpoint};
use chrono::TimeDelta;
use std::{collections::BTreeSet, sync::Arc};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_holds_up_no_other() {
    let told = Told::of_everything(&[("WEBHOOK_TIMEOUT_SECONDS", "60")]).await;
    let prompt = Endpoint::start().await;
    told.app
        .webhook(&told.ada.access, &prompt.url(), &["*"])
        .await;
    told.endpoint.set(Answer::Silent);
    for _ in 0..30 {
        told.one_event().await;
    }
    told.app.app.place_events().await.unwrap();
    let app = Arc::new(told.app);
    let node = Arc::clone(&app);
    let delivering = tokio::spawn(async move { node.app.deliver_webhooks().await });
    prompt.wait_for(30).await;
    told.endpoint.wait_for(4).await;
    // Four wait for an answer, and the others have not begun.
    assert_eq!(told.endpoint.messages().len(), 4);
    delivering.abort();
    assert!(delivering.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_deliver_at_once_send_every_message_once() {
    let told = Told::of_everything(&[]).await;
    let other = told.app.start_node(2, &[]).await;
    for _ in 0..40 {
        told.one_event().await;
    }
    let barrier = tokio::sync::Barrier::new(2);
    let send = async |node: &crate::support::TestApp| {
        barrier.wait().await;
        deliver(node).await;
    };
    tokio::join!(send(&told.app), send(&other));
    told.deliver().await;
    let ids = told.endpoint.ids();
    let different: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (40, 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn i12_what_a_node_had_sent_and_not_noted_when_it_died_comes_again_with_the_same_id() {
    let told = Told::of_everything(&[("WEBHOOK_TIMEOUT_SECONDS", "60")]).await;
    let dying = told
        .app
        .start_node(2, &[("WEBHOOK_TIMEOUT_SECONDS", "60")])
        .await;
    told.endpoint.set(Answer::Silent);
    told.one_event().await;
    told.app.app.place_events().await.unwrap();
    let dying = Arc::new(dying);
    let node = Arc::clone(&dying);
    let delivering = tokio::spawn(async move { node.app.deliver_webhooks().await });
    told.endpoint.wait_for(1).await;
    delivering.abort();
    assert!(delivering.await.unwrap_err().is_cancelled());
    told.endpoint.set(Answer::Status(200));
    told.app.advance(TimeDelta::seconds(119));
    told.deliver().await;
    assert_eq!(told.rows().await, ["pending 1 - -"]);
    told.app.advance(TimeDelta::seconds(1));
    told.deliver().await;
    assert_eq!(told.rows().await, ["delivered 2 200 -"]);
    let ids = told.endpoint.ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}
