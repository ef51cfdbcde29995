//! Death between the promise of a mail and the mail: who was told that it is on its way gets it, and once.

use super::{CONNECTIONS, PEOPLE, digits, moment};
use crate::support::{database::TestDatabase, process::Service};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::task::JoinSet;
use usher::Entropy;

const ROUNDS: u64 = 8;
const EACH: usize = 40;

/// What an answered request makes; none of them is there without the others.
const TRACES: [&str; 4] = [
    "SELECT count(*) FROM password_resets r WHERE r.user_id = u.id",
    "SELECT count(*) FROM outbox_mails m WHERE m.user_id = u.id AND m.template = 'password_reset'",
    "SELECT count(*) FROM outbox_events e WHERE e.user_id = u.id AND e.type = 'user.password_reset.requested'",
    "SELECT count(*) FROM audit_log a
        WHERE a.subject_id = u.id AND a.action = 'request_password_reset' AND a.outcome = 'success'",
];

/// Asks for everybody's reset link on some connections until the service dies; whose was promised.
async fn ask_until_death(
    service: Service,
    people: Vec<(String, String)>,
    after: std::time::Duration,
) -> BTreeSet<String> {
    let service = Arc::new(service);
    let people = Arc::new(Mutex::new(people));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS / 2 {
        let (service, people) = (Arc::clone(&service), Arc::clone(&people));
        connections.spawn(async move {
            let mut promised = BTreeSet::new();
            loop {
                let next = people.lock().unwrap().pop();
                let Some((id, email)) = next else {
                    return promised;
                };
                let path = "/api/v1/auth/password-reset-request";
                let Some((status, body)) = service.post(path, json!({ "email": email })).await
                else {
                    return promised;
                };
                assert_eq!(status, 202, "{body}");
                promised.insert(id);
            }
        });
    }
    // The moment of death is what the test varies.
    tokio::time::sleep(after).await;
    service.die();
    let promised = connections.join_all().await;
    Arc::into_inner(service).unwrap().kill().await;
    promised.into_iter().flatten().collect()
}

/// Who has each of the traces so often.
async fn with_traces(db: &TestDatabase, times: u8) -> BTreeSet<String> {
    let all = TRACES.map(|trace| format!("({trace}) = {times}"));
    let digits = digits(db);
    let sql = format!("SELECT {digits} FROM {PEOPLE} AND {}", all.join(" AND "));
    db.texts(&sql).await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_a_killed_service_keeps_its_word_about_mails() {
    let db = TestDatabase::create().await;
    let entropy = Entropy::seeded(3);
    let mut promised = BTreeSet::new();
    for round in 0..ROUNDS {
        let service = Service::start(&db, &[]).await;
        let mut people = Vec::new();
        for number in 0..EACH {
            let email = format!("p{number}.{round}@example.com");
            let id = service.sign_up(&email).await;
            people.push((id.replace('-', ""), email));
        }
        let after = moment(&entropy, 5, 250);
        promised.append(&mut ask_until_death(service, people, after).await);
        // What the dead have taken comes back after a minute, which is over now.
        db.execute("UPDATE mail_requests SET taken_at = '2026-01-01 00:00:00+00:00'")
            .await;
    }
    assert!(promised.len() > 20, "the service died before it began");
    Service::start(&db, &[]).await.stop().await;
    let left = "SELECT count(*) FROM mail_requests";
    assert_eq!(db.number(left).await, 0, "who stops leaves nothing undone");
    let (once, never) = (with_traces(&db, 1).await, with_traces(&db, 0).await);
    let everybody = usize::try_from(ROUNDS).unwrap() * EACH;
    assert_eq!(once.len() + never.len(), everybody, "a mail by half or two");
    let lost: Vec<_> = promised.difference(&once).collect();
    assert_eq!(lost, Vec::<&String>::new(), "promised and lost");
}
