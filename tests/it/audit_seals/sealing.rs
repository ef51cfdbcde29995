//! Every committed entry is sealed once, without a gap, whoever seals and whenever it was committed.

use super::{announced, fault, seal, verify};
use crate::support::{
    TestApp,
    database::TestDatabase,
    people::BOB,
    process::{Service, run},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

const SEALED: &str = "SELECT count(*) FROM audit_log WHERE sequence IS NOT NULL";
const UNSEALED: &str = "SELECT count(*) FROM audit_log WHERE sequence IS NULL";
const LAST: &str = "SELECT max(sequence) FROM audit_log";
/// Each checkpoint covers what lies between it and the one before.
const COVERED: &str = "SELECT CAST(sum(count) AS bigint) FROM audit_seals";

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_gets_the_next_number_and_a_checkpoint_goes_to_the_log() {
    let app = TestApp::start().await;
    app.bob().await;
    assert!(app.db.number(UNSEALED).await > 3);
    seal(&app).await;
    app.sign_in(BOB).await;
    seal(&app).await;
    let (sealed, last) = (app.db.number(SEALED).await, app.db.number(LAST).await);
    assert_eq!((app.db.number(UNSEALED).await, sealed), (0, last));
    let report = verify(&app.db, &[]).await;
    assert_eq!(report["entries"], sealed);
    assert_eq!(report["checkpoints"], 2);
    assert_eq!(
        (&report["unsealed"], &report["fault"]),
        (&json!(0), &Value::Null)
    );
    let announced = announced(&app);
    assert_eq!(announced.len(), 2);
    let end = &report["end"];
    let end = format!("{}:{}", end["sequence"], end["hash"].as_str().unwrap());
    assert_eq!(announced.last(), Some(&end));
    for checkpoint in &announced {
        assert_eq!(fault(&app.db, &["--checkpoint", checkpoint]).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_committed_late_is_sealed_late_and_none_is_missed() {
    let app = TestApp::start().await;
    app.bob().await;
    app.advance(TimeDelta::minutes(20));
    app.sign_in(BOB).await;
    seal(&app).await;
    let before = app.db.number(LAST).await;
    app.advance(TimeDelta::minutes(-10));
    app.sign_in(BOB).await;
    app.advance(TimeDelta::minutes(20));
    app.sign_in(BOB).await;
    seal(&app).await;
    let late = format!(
        "SELECT count(*) FROM audit_log WHERE sequence > {before}
         AND at < (SELECT max(at) FROM audit_log WHERE sequence <= {before})"
    );
    assert_eq!(app.db.number(&late).await, 1);
    assert_eq!(app.db.number(UNSEALED).await, 0);
    assert_eq!(fault(&app.db, &[]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_seal_at_the_same_moment_seal_each_entry_once() {
    let app = TestApp::start().await;
    let nodes = [
        app.start_node(2, &[]).await,
        app.start_node(3, &[]).await,
        app,
    ]
    .map(Arc::new);
    let start = Arc::new(Barrier::new(6));
    let mut running = JoinSet::new();
    for place in 0..6 {
        let (app, start) = (Arc::clone(&nodes[place % 3]), Arc::clone(&start));
        running.spawn(async move {
            start.wait().await;
            for number in 0..8 {
                app.sign_up(&format!("p{number}.{place}@example.com")).await;
                seal(&app).await;
            }
        });
    }
    running.join_all().await;
    seal(&nodes[0]).await;
    let db = &nodes[0].db;
    let (sealed, last) = (db.number(SEALED).await, db.number(LAST).await);
    assert_eq!((db.number(UNSEALED).await, sealed), (0, last));
    assert_eq!(db.number(COVERED).await, last);
    assert_eq!(fault(db, &[]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_i11_what_a_killed_service_left_unsealed_is_sealed_by_the_next() {
    let db = TestDatabase::create().await;
    let mut signed_up = 0;
    for round in 0..3 {
        let service = Service::start(&db, &[]).await;
        for _ in 0..10 {
            service.sign_up(&format!("p{signed_up}@example.com")).await;
            signed_up += 1;
        }
        service.kill().await;
        let report = verify(&db, &[]).await;
        assert_eq!(report["fault"], Value::Null, "round {round}");
    }
    let service = Service::start(&db, &[]).await;
    while db.number(UNSEALED).await > 0 {
        tokio::task::yield_now().await;
    }
    service.stop().await;
    assert_eq!(fault(&db, &[]).await, "");
    let registered =
        "SELECT count(*) FROM audit_log WHERE action = 'register' AND sequence IS NOT NULL";
    assert_eq!(db.number(registered).await, signed_up);
    assert_eq!(db.number(SEALED).await, db.number(LAST).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_out_of_the_log_verifies_by_the_printed_key_alone() {
    let app = TestApp::start().await;
    seal(&app).await;
    let printed = run(&app.db, &["audit", "verify", "--print-key"], &[]).await;
    let key: Value = serde_json::from_str(&printed.success()).unwrap();
    let text = app.logs.text();
    let line = text
        .lines()
        .find(|line| line.contains("audit_checkpoint:"))
        .unwrap();
    let field = |name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=")).unwrap();
        let value = rest.split_whitespace().next().unwrap();
        value.trim_matches('"').to_owned()
    };
    let mut message = "usher/1/audit-checkpoint\n".to_owned();
    for name in ["kind", "sequence", "hash", "count", "at", "key_id"] {
        message.push_str(&field(name));
        message.push('\n');
    }
    assert_eq!(key["kid"], field("key_id"));
    let public = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let holds = |message: &str| {
        let algorithm = jsonwebtoken::Algorithm::EdDSA;
        jsonwebtoken::crypto::verify(&field("signature"), message.as_bytes(), &public, algorithm)
            .unwrap()
    };
    assert!(holds(&message));
    assert!(!holds(&message.replace("batch", "beginning")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_a_person_whose_key_is_destroyed_still_verifies() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    seal(&app).await;
    app.set_in_users_table(BOB, &bob.id, "DELETE FROM user_keys WHERE user_id = $id")
        .await;
    let report = verify(&app.db, &[]).await;
    assert_eq!(report["fault"], Value::Null);
    assert_eq!(report["entries"], app.db.number(SEALED).await);
}
