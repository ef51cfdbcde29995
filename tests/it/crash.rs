//! Death without warning, over and over at random moments: what was acknowledged stays, and nothing is there by half.

mod idempotency;
mod mail_requests;

use crate::support::{app::PASSWORD, database::TestDatabase, process::Service};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use usher::Entropy;

const ROUNDS: usize = 20;
const CONNECTIONS: usize = 16;
const SIGN_UPS: usize = 200;

/// Who has everything that a sign-up makes, once each.
const WHOLE: &str = "
    (SELECT count(*) FROM credentials c WHERE c.user_id = u.id) = 1
    AND (SELECT count(*) FROM user_keys k WHERE k.user_id = u.id) = 1
    AND (SELECT count(*) FROM user_roles r WHERE r.user_id = u.id) = 1
    AND (SELECT count(*) FROM email_verifications v WHERE v.user_id = u.id) = 1
    AND (SELECT count(*) FROM outbox_mails m WHERE m.user_id = u.id) = 1
    AND (SELECT count(*) FROM outbox_events e WHERE e.user_id = u.id AND e.type = 'user.created') = 1
    AND (SELECT count(*) FROM audit_log a
        WHERE a.actor_id = u.id AND a.action = 'register' AND a.outcome = 'success') = 1";

/// All but the first admin, who did not sign up.
const PEOPLE: &str =
    "users u WHERE u.id NOT IN (SELECT user_id FROM user_roles WHERE role = 'admin')";

/// What a user's id is called in the tables that hold something of theirs.
const BELONGINGS: [(&str, &str); 7] = [
    ("credentials", "user_id"),
    ("user_keys", "user_id"),
    ("user_roles", "user_id"),
    ("email_verifications", "user_id"),
    ("outbox_mails", "user_id"),
    ("outbox_events", "user_id"),
    ("audit_log", "actor_id"),
];

/// Between `from` and `to` milliseconds; the same in every run.
fn moment(entropy: &Entropy, from: u64, to: u64) -> Duration {
    let [low, high] = entropy.bytes::<2>();
    Duration::from_millis(from + u64::from(u16::from_le_bytes([low, high])) % (to - from))
}

/// An id as the journal writes it: only its digits, for SQLite keeps ids as bytes.
fn digits(db: &TestDatabase) -> &'static str {
    if db.is_postgres() {
        "replace(u.id::text, '-', '')"
    } else {
        "lower(hex(u.id))"
    }
}

/// What was acknowledged: id and address.
type Journal = BTreeSet<(String, String)>;

/// Signs people up on many connections until the service dies; what it acknowledged.
async fn sign_up_until_death(service: Service, round: usize, after: Duration) -> Journal {
    let service = Arc::new(service);
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (service, next) = (Arc::clone(&service), Arc::clone(&next));
        connections.spawn(async move {
            let mut journal = Journal::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= SIGN_UPS {
                    return journal;
                }
                let email = format!("p{number}.{round}@example.com");
                let form = json!({ "email": email, "password": PASSWORD });
                let Some((status, body)) = service.post("/api/v1/auth/register", form).await else {
                    return journal;
                };
                assert_eq!(status, 201, "{body}");
                let id = body["id"].as_str().unwrap().replace('-', "");
                journal.insert((id, email));
            }
        });
    }
    // The moment of death is what the test varies.
    tokio::time::sleep(after).await;
    service.die();
    let journals = connections.join_all().await;
    Arc::into_inner(service).unwrap().kill().await;
    journals.into_iter().flatten().collect()
}

async fn check_ledger(db: &TestDatabase, acknowledged: &Journal) {
    let digits = digits(db);
    let people = db.texts(&format!("SELECT {digits} FROM {PEOPLE}")).await;
    let sql = format!("SELECT {digits} FROM {PEOPLE} AND {WHOLE}");
    let whole: BTreeSet<String> = db.texts(&sql).await.into_iter().collect();
    assert_eq!(people.len(), whole.len(), "somebody is there by half");
    for (id, email) in acknowledged {
        assert!(whole.contains(id), "{email} was acknowledged and is lost");
    }
    for (table, owner) in BELONGINGS {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE {owner} IS NOT NULL AND {owner} NOT IN (SELECT id FROM users)"
        );
        assert_eq!(db.number(&sql).await, 0, "{table} belongs to nobody");
    }
}

async fn everybody_can_sign_in(service: Service, journal: Journal) {
    let service = Arc::new(service);
    let mut people = journal.into_iter();
    loop {
        let mut batch = JoinSet::new();
        for (_, email) in people.by_ref().take(CONNECTIONS) {
            let service = Arc::clone(&service);
            batch.spawn(async move { service.sign_in(&email).await });
        }
        if batch.is_empty() {
            return;
        }
        batch.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_a_killed_service_loses_no_acknowledged_sign_up_and_leaves_no_half_one() {
    let db = TestDatabase::create().await;
    let entropy = Entropy::seeded(1);
    let mut journal = Journal::new();
    for round in 0..ROUNDS {
        let service = Service::start(&db, &[]).await;
        check_ledger(&db, &journal).await;
        let after = moment(&entropy, 20, 700);
        journal.append(&mut sign_up_until_death(service, round, after).await);
    }
    assert!(journal.len() > ROUNDS, "the service died before it began");
    let service = Service::start(&db, &[]).await;
    check_ledger(&db, &journal).await;
    db.execute("UPDATE users SET status = 'active', verified_at = created_at")
        .await;
    everybody_can_sign_in(service, journal).await;
}

/// Refreshes, twice at once with each token, until the service dies; the last acknowledged successor.
async fn refresh_until_death(service: Arc<Service>, mut token: String) -> String {
    loop {
        let refresh = || service.post("/api/v1/auth/refresh", json!({ "refresh_token": token }));
        let (one, other) = tokio::join!(refresh(), refresh());
        let mut successors = Vec::new();
        for (status, body) in [&one, &other].into_iter().flatten() {
            assert_eq!(*status, 200, "{body}");
            successors.push(body["refresh_token"].as_str().unwrap().to_owned());
        }
        successors.dedup();
        assert!(successors.len() < 2, "one token had two successors");
        let Some(successor) = successors.pop() else {
            return token;
        };
        token = successor;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_after_a_kill_the_last_acknowledged_refresh_token_works_and_no_session_has_two() {
    let db = TestDatabase::create().await;
    let entropy = Entropy::seeded(2);
    let settings = [("REFRESH_GRACE_SECONDS", "10")];
    let mut service = Service::start(&db, &settings).await;
    let mut tokens = Vec::new();
    for number in 0..CONNECTIONS / 2 {
        let email = format!("p{number}@example.com");
        service.sign_up(&email).await;
        db.execute("UPDATE users SET status = 'active', verified_at = created_at")
            .await;
        let signed_in = service.sign_in(&email).await;
        tokens.push(signed_in["refresh_token"].as_str().unwrap().to_owned());
    }
    let first = tokens.clone();
    for _ in 0..ROUNDS / 2 {
        let shared = Arc::new(service);
        let mut sessions = JoinSet::new();
        for token in std::mem::take(&mut tokens) {
            sessions.spawn(refresh_until_death(Arc::clone(&shared), token));
        }
        // The moment of death is what the test varies.
        tokio::time::sleep(moment(&entropy, 20, 500)).await;
        shared.die();
        tokens = sessions.join_all().await;
        Arc::into_inner(shared).unwrap().kill().await;
        service = Service::start(&db, &settings).await;
        let leaves =
            "SELECT count(*) FROM (SELECT session_id FROM refresh_tokens WHERE used_at IS NULL
            GROUP BY session_id HAVING count(*) > 1) AS forked";
        assert_eq!(db.number(leaves).await, 0, "a session has two live tokens");
    }
    assert!(tokens.iter().all(|token| !first.contains(token)));
    for token in tokens {
        let form = json!({ "refresh_token": token });
        let (status, body) = service.post("/api/v1/auth/refresh", form).await.unwrap();
        assert_eq!(status, 200, "{body}");
    }
    let ended = "SELECT count(*) FROM user_sessions WHERE ended_at IS NOT NULL";
    assert_eq!(db.number(ended).await, 0, "a session was ended by mistake");
}
