//! Keys that sign access tokens: published, replaced with an overlap, known to every node.

use crate::support::{
    TestApp,
    app::ADA,
    database::TestDatabase,
    jwt,
    process::{Service, run},
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::Value;

const JWKS: &str = "/.well-known/jwks.json";
const ME: &str = "/api/v1/users/me";

async fn published(app: &TestApp) -> Value {
    app.get(JWKS).await.expect(200).body
}

fn kid(token: &str) -> String {
    jwt::header(token)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aged_key_gets_a_successor_and_every_token_lives_out_its_time() {
    let app = TestApp::start().await;
    let other = app.start_node(2, &[]).await;
    app.sign_up("bob@example.com").await;
    app.verify("bob@example.com").await;
    let sign_in = || async { app.sign_in("bob@example.com").await.access };
    app.advance(TimeDelta::days(90) - TimeDelta::seconds(1));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(published(&app).await["keys"].as_array().unwrap().len(), 1);

    app.advance(TimeDelta::seconds(1));
    app.app.do_housekeeping().await.unwrap();
    other.app.do_housekeeping().await.unwrap();
    let both = published(&app).await;
    assert_eq!(both["keys"].as_array().unwrap().len(), 2);
    assert_eq!(published(&other).await, both);

    // Published for ten minutes before it signs.
    app.advance(TimeDelta::seconds(599));
    let last_of_old = sign_in().await;
    app.advance(TimeDelta::seconds(1));
    let first_of_new = sign_in().await;
    assert_ne!(kid(&last_of_old), kid(&first_of_new));
    for token in [&last_of_old, &first_of_new] {
        assert!(jwt::is_signed_by(token, &both));
        app.get_as(token, ME).await.expect(200);
        other.get_as(token, ME).await.expect(200);
    }
    app.advance(TimeDelta::seconds(1798));
    app.app.do_housekeeping().await.unwrap();
    app.get_as(&last_of_old, ME).await.expect(200);

    app.advance(TimeDelta::seconds(62));
    let left = published(&app).await;
    assert_eq!(left["keys"].as_array().unwrap().len(), 1);
    assert!(jwt::is_signed_by(&first_of_new, &left));
    app.get_as(&last_of_old, ME).await.expect(401);
    let token = sign_in().await;
    assert_eq!(kid(&token), kid(&first_of_new));
    app.get_as(&token, ME).await.expect(200);
    let rotations = app.audit().await;
    let rotations = rotations
        .iter()
        .filter(|entry| *entry == "rotate_signing_keys success");
    assert_eq!(rotations.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_algorithm_takes_over_without_ending_sessions() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    assert_eq!(jwt::header(&bob.access)["alg"], "EdDSA");
    let next = app.start_node(2, &[("JWT_ALGORITHM", "ES256")]).await;
    next.get_as(&bob.access, ME).await.expect(200);
    // The other node has not heard of the new key yet.
    let meanwhile = next.sign_in(&bob.email).await;
    assert_eq!(jwt::header(&meanwhile.access)["alg"], "EdDSA");
    app.get_as(&meanwhile.access, ME).await.expect(200);
    app.app.do_housekeeping().await.unwrap();
    app.advance(TimeDelta::minutes(10));
    let again = next.sign_in(&bob.email).await;
    assert_eq!(jwt::header(&again.access)["alg"], "ES256");
    assert!(jwt::is_signed_by(&again.access, &published(&next).await));
    for tokens in [&bob, &meanwhile, &again] {
        app.get_as(&tokens.access, ME).await.expect(200);
    }
    // A node that still has the old setting changes nothing back.
    app.app.do_housekeeping().await.unwrap();
    let last = next.sign_in(&bob.email).await;
    assert_eq!(kid(&last.access), kid(&again.access));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_made_a_moment_ago_is_believed_by_nodes_that_have_not_read_it() {
    let db = TestDatabase::create().await;
    let node = Service::start(&db, &[]).await;
    run(&db, &["keys", "rotate", "--now"], &[]).await.success();
    let other = Service::start(&db, &[]).await;
    let (old, new) = (node.sign_in(ADA).await, other.sign_in(ADA).await);
    let [old, new] = [old, new].map(|tokens| tokens["access_token"].as_str().unwrap().to_owned());
    assert_ne!(kid(&old), kid(&new));
    let at_once = join_all((0..8).map(|_| node.get_as(&new, ME))).await;
    assert_eq!(at_once, [200; 8]);
    assert_eq!(other.get_as(&old, ME).await, 200);
    let jwks = node.client.get(node.url(JWKS)).send().await.unwrap();
    assert!(jwt::is_signed_by(&new, &jwks.json().await.unwrap()));
    join_all([node, other].map(Service::stop)).await;
}
