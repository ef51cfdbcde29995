//! Equal requests at the same moment, and what is left of an answer at rest.

use super::{KEY, LOGIN, REAUTHENTICATE, REGISTER, assert_replayed, login, sign_up};
use crate::support::{Reply, TestApp, app::PASSWORD, people::BOB};
use axum::{body::Body, http::Method};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use std::{convert::Infallible, sync::Arc};
use tokio::{sync::Barrier, task::JoinSet};

/// Sends the same sign-up so many times at once, spread over the nodes.
pub async fn at_once(nodes: &[Arc<TestApp>; 2], count: usize) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(count));
    let mut running = JoinSet::new();
    for place in 0..count {
        let (node, start) = (Arc::clone(&nodes[place % 2]), Arc::clone(&start));
        running.spawn(async move {
            start.wait().await;
            node.post_once(KEY, None, (REGISTER, &sign_up())).await
        });
    }
    running.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_equal_requests_at_once_exactly_one_runs() {
    for _ in 0..3 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let replies = at_once(&nodes, 20).await;
        let ran: Vec<_> = replies
            .iter()
            .filter(|reply| reply.status == 201 && reply.header("idempotency-replayed").is_empty())
            .collect();
        let [first] = ran.as_slice() else {
            panic!("{} of them ran", ran.len());
        };
        for reply in &replies {
            assert!(matches!(reply.status, 201 | 409), "{}", reply.text);
            if reply.status == 409 {
                assert_eq!(reply.body["code"], "idempotency_in_flight");
            } else {
                assert_eq!(reply.text, first.text);
            }
        }
        let people = "SELECT count(*) FROM users";
        assert_eq!(app.db.number(people).await, 2);
        assert_replayed(
            &app.post_once(KEY, None, (REGISTER, &sign_up())).await,
            first,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_when_the_client_hangs_up() {
    let app = TestApp::start().await;
    app.bob().await;
    let sessions = app.sessions().await;
    let before = app.keys().await;
    {
        let body = login();
        let asking = app.post_once(KEY, None, (LOGIN, &body));
        tokio::pin!(asking);
        // Until its row is there, which is before the work.
        while app.keys().await == before {
            tokio::select! {
                biased;
                reply = &mut asking => { reply.expect(200); break; }
                () = tokio::task::yield_now() => {}
            }
        }
    }
    let mut reply = app.post_once(KEY, None, (LOGIN, &login())).await;
    while reply.status == 409 {
        tokio::task::yield_now().await;
        reply = app.post_once(KEY, None, (LOGIN, &login())).await;
    }
    assert_eq!(reply.expect(200).header("idempotency-replayed"), "true");
    assert_eq!(app.sessions().await, sessions + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sealed_and_goes_with_its_owner() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let proof = json!({ "password": PASSWORD });
    app.post_once(KEY, Some(&bob), (REAUTHENTICATE, &proof))
        .await
        .expect(200);
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    let clear = if app.db.is_postgres() {
        "SELECT count(*) FROM idempotency_keys WHERE position('token'::bytea IN answer_sealed) > 0"
    } else {
        "SELECT count(*) FROM idempotency_keys WHERE instr(answer_sealed, CAST('token' AS BLOB)) > 0"
    };
    assert_eq!((app.db.number(clear).await, app.keys().await), (0, 2));
    let gone = "DELETE FROM idempotency_keys WHERE user_id = $id";
    app.set_in_users_table(BOB, &bob.id, gone).await;
    assert_eq!(app.keys().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_a_body_that_is_too_large_or_of_another_type_uses_no_key_up() {
    let app = TestApp::start().await;
    app.bob().await;
    let send = |kind: &str, body: Body| {
        let request = app
            .request(Method::POST, LOGIN)
            .header("idempotency-key", KEY);
        request.header("content-type", kind).body(body).send()
    };
    let chunk = || Ok::<_, Infallible>(Bytes::from_static(&[b' '; 16 * 1024]));
    let endless = Body::from_stream(stream::repeat_with(chunk));
    send("application/json", endless)
        .await
        .expect_problem(413, "payload_too_large");
    let text = login().to_string();
    send("text/plain", Body::from(text))
        .await
        .expect_problem(415, "unsupported_media_type");
    assert_eq!(app.keys().await, 0);
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
}
