//! Each refresh token works once; a parallel call is forgiven, a replay ends the session.

use super::{ME, REFRESH, refreshed, shown};
use crate::support::{TestApp, at_once::post_at_once, people::BOB};
use chrono::TimeDelta;
use std::{collections::HashSet, sync::Arc};

const LIVE_LEAVES: &str = "SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL";

#[tokio::test(flavor = "multi_thread")]
async fn r3_parallel_refreshes_on_two_nodes_get_one_successor() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.start_node(2, &[]).await);
    let mut token = app.bob().await.refresh;
    let nodes = [Arc::clone(&app), other];
    for round in 0..50 {
        app.advance(TimeDelta::seconds(1));
        let posts = vec![(None, REFRESH, shown(&token)); 20];
        let replies = post_at_once(&nodes, posts).await;
        let next: HashSet<_> = replies
            .iter()
            .map(|reply| reply.body["refresh_token"].as_str().unwrap_or(&reply.text))
            .collect();
        assert_eq!(next.len(), 1, "round {round}: {next:?}");
        assert_eq!(app.db.number(LIVE_LEAVES).await, 1, "round {round}");
        let next = (*next.iter().next().unwrap()).to_owned();
        assert_ne!(next, token);
        token = next;
    }
    app.post(REFRESH, shown(&token)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn r6_an_older_refresh_token_ends_the_session() {
    let app = TestApp::start().await;
    let mut chain = vec![app.bob().await];
    for _ in 0..5 {
        app.advance(TimeDelta::milliseconds(150));
        chain.push(refreshed(&app, chain.last().unwrap()).await);
    }
    let mails = app.mails_to(BOB).await.len();
    let older = &chain[..4];
    let codes = [
        "token_reused",
        "session_ended",
        "session_ended",
        "session_ended",
    ];
    for (person, code) in older.iter().zip(codes) {
        app.post(REFRESH, shown(&person.refresh))
            .await
            .expect_problem(401, code);
    }
    let newest = chain.last().unwrap();
    app.post(REFRESH, shown(&newest.refresh))
        .await
        .expect_problem(401, "session_ended");
    app.get_as(&newest.access, ME)
        .await
        .expect_problem(401, "session_ended");
    assert_eq!(app.events().await.last().unwrap(), "user.session_revoked");
    assert_eq!(app.mails_to(BOB).await.len(), mails + 1);
    assert_eq!(app.audit().await.last().unwrap(), "refresh refused");
    // The person's other sessions are none of the thief's business.
    let again = app.sign_in(BOB).await;
    app.get_as(&again.access, ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessor_is_forgiven_until_the_grace_is_over() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let next = refreshed(&app, &bob).await;
    app.advance(TimeDelta::seconds(10));
    let again = refreshed(&app, &bob).await;
    assert_eq!(again.refresh, next.refresh);
    assert_ne!(again.access, next.access);
    app.get_as(&again.access, ME).await.expect(200);
    app.advance(TimeDelta::microseconds(1));
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_reused");
    app.get_as(&next.access, ME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grace_nothing_is_forgiven() {
    let app = TestApp::start_with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let bob = app.bob().await;
    let next = refreshed(&app, &bob).await;
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_reused");
    app.post(REFRESH, shown(&next.refresh)).await.expect(401);
}

#[test]
fn v7_2_2_the_machines_randomness_never_gives_the_same_twice() {
    let (mut whole, mut starts) = (HashSet::new(), HashSet::new());
    for _ in 0..10_000 {
        let drawn: [u8; 32] = usher::Entropy::System.bytes();
        assert!(starts.insert(drawn[..8].to_vec()));
        assert!(whole.insert(drawn));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_2_2_refresh_tokens_share_nothing() {
    let app = TestApp::start().await;
    let mut person = app.bob().await;
    let (mut whole, mut starts) = (HashSet::new(), HashSet::new());
    for _ in 0..200 {
        app.advance(TimeDelta::seconds(1));
        person = refreshed(&app, &person).await;
        assert_eq!(person.refresh.len(), 43, "256 bits in base64url");
        assert!(starts.insert(person.refresh[..8].to_owned()));
        assert!(whole.insert(person.refresh.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_a_clock_set_back_revives_no_spent_refresh_token() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let next = refreshed(&app, &bob).await;
    app.advance(TimeDelta::seconds(12) - TimeDelta::hours(1));
    app.post(REFRESH, shown(&bob.refresh))
        .await
        .expect_problem(401, "token_reused");
    app.advance(TimeDelta::hours(1));
    app.get_as(&next.access, ME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_clocks_differ_by_less_than_the_grace_forgive_alike() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let next = refreshed(&app, &bob).await;
    app.advance(-TimeDelta::seconds(10));
    assert_eq!(refreshed(&app, &bob).await.refresh, next.refresh);
    app.advance(-TimeDelta::microseconds(1));
    app.post(REFRESH, shown(&bob.refresh)).await.expect(401);
}
