//! Death amid requests with a key: each of them takes effect once, however often it comes again.

use super::{CONNECTIONS, moment};
use crate::support::{app::PASSWORD, database::TestDatabase, process::Service};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use usher::Entropy;

const ROUNDS: u64 = 8;
const EMAIL: &str = "bob@example.com";

/// Signs in under this key; none if the connection broke before the whole answer came.
async fn sign_in_once(service: &Service, key: &str) -> Option<(u16, Value)> {
    let request = service.client.post(service.url("/api/v1/auth/login"));
    let request = request.header("idempotency-key", key);
    let form = json!({ "email": EMAIL, "password": PASSWORD });
    let response = request.json(&form).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().await.ok()?))
}

/// The same once the lease of the dead is over. Their last commits may still be on their way.
async fn sign_in_again(service: &Service, db: &TestDatabase, key: &str) -> (u16, Value) {
    loop {
        db.execute(
            "UPDATE idempotency_keys SET leased_until = created_at WHERE answer_sealed IS NULL",
        )
        .await;
        let answer = sign_in_once(service, key).await.unwrap();
        if answer.1["code"] != "idempotency_in_flight" {
            return answer;
        }
    }
}

/// Signs in on some connections until the service dies; the keys, each with the token that was acknowledged.
async fn sign_in_until_death(
    service: Service,
    round: u64,
    after: Duration,
) -> Vec<(String, Option<Value>)> {
    let service = Arc::new(service);
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS / 2 {
        let service = Arc::clone(&service);
        connections.spawn(async move {
            let mut keys = Vec::new();
            loop {
                let key = format!("{round}.{connection}.{}", keys.len());
                let answer = sign_in_once(&service, &key).await;
                let Some((status, body)) = answer else {
                    keys.push((key, None));
                    return keys;
                };
                assert_eq!(status, 200, "{body}");
                keys.push((key, Some(body["access_token"].clone())));
            }
        });
    }
    // The moment of death is what the test varies.
    tokio::time::sleep(after).await;
    service.die();
    let keys = connections.join_all().await;
    Arc::into_inner(service).unwrap().kill().await;
    keys.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_after_a_kill_no_request_with_a_key_takes_effect_twice() {
    let db = TestDatabase::create().await;
    let entropy = Entropy::seeded(4);
    let service = Service::start(&db, &[]).await;
    service.sign_up(EMAIL).await;
    db.execute("UPDATE users SET status = 'active', verified_at = created_at")
        .await;
    service.stop().await;
    let mut sent = 0;
    for round in 0..ROUNDS {
        let service = Service::start(&db, &[]).await;
        let after = moment(&entropy, 20, 500);
        let keys = sign_in_until_death(service, round, after).await;
        sent += i64::try_from(keys.len()).unwrap();
        let service = Service::start(&db, &[]).await;
        for (key, acknowledged) in keys {
            let (status, body) = sign_in_again(&service, &db, &key).await;
            match (acknowledged, status) {
                (Some(token), _) => assert_eq!(body["access_token"], token),
                (None, 409) => assert_eq!(body["code"], "idempotency_outcome_unknown"),
                (None, status) => assert_eq!(status, 200, "{body}"),
            }
        }
        service.stop().await;
        let sessions = db.number("SELECT count(*) FROM user_sessions").await;
        assert_eq!(sessions, sent, "of {sent} requests");
    }
}
