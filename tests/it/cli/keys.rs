//! `usher keys`: signing keys and the master key are replaced while the service runs, also by a command that dies on
//! the way.

use crate::support::{
    app::ADA,
    database::TestDatabase,
    process::{MASTER_KEY, Service, command, run},
};
use serde_json::json;
use std::{process::Stdio, sync::Arc};
use tokio::{process::Command, task::JoinSet};

const NEW_KEY: &str = "new:q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1GAAECAwQFBgc=";

/// More than one transaction of the rotation wraps anew.
const PEOPLE: usize = 520;

/// From the 500th key under the new master key on, the database does not come back.
const STALL_SQLITE: &str = "CREATE TRIGGER stall BEFORE UPDATE ON user_keys
    WHEN (SELECT count(*) FROM user_keys WHERE master_key_id = 'new') >= 500
    BEGIN SELECT (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n); END";
const STALL_POSTGRES: &str = "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM user_keys WHERE master_key_id = 'new') >= 500 THEN PERFORM pg_sleep(600); END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER stall BEFORE UPDATE ON user_keys FOR EACH ROW EXECUTE FUNCTION stall()";
/// The server would sleep on, with the row locked, after its client has died.
const WAKE_POSTGRES: &str = "DO $$ BEGIN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'
            AND datname = current_database();
    END $$;
    DROP TRIGGER stall ON user_keys";

fn kids(printed: &str) -> Vec<String> {
    let signing = printed.lines().filter(|line| line.starts_with("signing "));
    signing
        .map(|line| line.split_whitespace().nth(2).unwrap().to_owned())
        .collect()
}

fn master_keys(printed: &str) -> Vec<String> {
    let master = printed.lines().filter(|line| line.starts_with("master "));
    master
        .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_signing_key_signs_and_tokens_of_the_old_one_still_work() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let before = service.sign_in(ADA).await;
    service.stop().await;
    let old = kids(&run(&db, &["keys", "list"], &[]).await.success());
    assert_eq!(old.len(), 1);
    run(&db, &["keys", "rotate", "--now"], &[]).await.success();
    let listed = run(&db, &["keys", "list"], &[]).await.success();
    assert_eq!(kids(&listed).len(), 2);
    assert_eq!(listed.matches("in use").count(), 1);
    assert_eq!(listed.matches("retires ").count(), 1);

    let service = Service::start(&db, &[]).await;
    let after = service.sign_in(ADA).await;
    for tokens in [&before, &after] {
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(service.get_as(token, "/api/v1/users/me").await, 200);
    }
    let jwks = service.client.get(service.url("/.well-known/jwks.json"));
    let jwks = jwks.send().await.unwrap().text().await.unwrap();
    for kid in kids(&listed) {
        assert!(jwks.contains(&kid), "{jwks}");
    }
    let header = |tokens: &serde_json::Value| {
        tokens["access_token"]
            .as_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_ne!(header(&before), header(&after));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_other_settings_makes_no_signing_key() {
    let db = TestDatabase::create().await;
    Service::start(&db, &[]).await.stop().await;
    let count = "SELECT (SELECT count(*) FROM signing_keys)
        + (SELECT count(*) FROM audit_log WHERE action = 'rotate_signing_keys')";
    let before = db.number(count).await;
    let other = [("JWT_ALGORITHM", "ES256")];
    for command in [["keys", "list"], ["audit", "verify"], ["user", "list"]] {
        run(&db, &command, &other).await.success();
        assert_eq!(db.number(count).await, before, "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_revoked_key_are_not_believed_and_sessions_live_on() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let before = service.sign_in(ADA).await;
    service.stop().await;
    run(&db, &["keys", "rotate"], &[]).await.success();
    let revoke = ["keys", "rotate", "--revoke"];
    run(&db, &revoke, &[]).await.success();
    let listed = run(&db, &["keys", "list"], &[]).await.success();
    assert_eq!(listed.matches("in use").count(), 1, "{listed}");

    let service = Service::start(&db, &[]).await;
    let jwks = service.client.get(service.url("/.well-known/jwks.json"));
    let jwks = jwks.send().await.unwrap().text().await.unwrap();
    assert_eq!(jwks.matches("\"kid\"").count(), 1, "{jwks}");
    let old = before["access_token"].as_str().unwrap();
    assert_eq!(service.get_as(old, "/api/v1/users/me").await, 401);
    let refresh = json!({ "refresh_token": before["refresh_token"] });
    let renewed = service.post("/api/v1/auth/refresh", refresh).await;
    let (status, tokens) = renewed.unwrap();
    assert_eq!(status, 200);
    let new = tokens["access_token"].as_str().unwrap();
    assert_eq!(service.get_as(new, "/api/v1/users/me").await, 200);
}

async fn sign_up_many(service: &Arc<Service>, people: usize) {
    let mut signing_up = JoinSet::new();
    for worker in 0..8 {
        let service = Arc::clone(service);
        signing_up.spawn(async move {
            for number in (worker..people).step_by(8) {
                service.sign_up(&format!("p{number}@example.com")).await;
            }
        });
    }
    signing_up.join_all().await;
}

/// Runs the rotation until it has committed its first transaction and stalls in its second, and kills it there.
async fn rotate_half_way(db: &TestDatabase, keys: &str) {
    let stall = if db.is_postgres() {
        STALL_POSTGRES
    } else {
        STALL_SQLITE
    };
    db.execute(stall).await;
    let mut rotation = command(db, &["keys", "rotate-master"], &[("ENCRYPTION_KEYS", keys)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while under_new(db).await < 500 {
        assert!(rotation.try_wait().unwrap().is_none(), "it ended too early");
        tokio::task::yield_now().await;
    }
    rotation.kill().await.unwrap();
    let wake = if db.is_postgres() {
        WAKE_POSTGRES
    } else {
        "DROP TRIGGER stall"
    };
    db.execute(wake).await;
}

async fn under_new(db: &TestDatabase) -> i64 {
    db.number("SELECT count(*) FROM user_keys WHERE master_key_id = 'new'")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_key_is_replaced_under_the_running_service_by_a_command_that_died_half_way() {
    let db = TestDatabase::create().await;
    let both = format!("{NEW_KEY},{MASTER_KEY}");
    let both = [("ENCRYPTION_KEYS", both.as_str())];
    let service = Arc::new(Service::start(&db, &[]).await);
    sign_up_many(&service, PEOPLE).await;
    Arc::into_inner(service).unwrap().stop().await;

    let service = Service::start(&db, &both).await;
    rotate_half_way(&db, both[0].1).await;
    assert_eq!(under_new(&db).await, 500);
    service.sign_in(ADA).await;
    service.sign_up("meanwhile@example.com").await;
    let alone = [("ENCRYPTION_KEYS", NEW_KEY)];
    let too_early = run(&db, &["keys", "list"], &alone).await.refusal();
    assert!(!too_early.contains("q3Zk0v9r"), "{too_early}");
    let listed = run(&db, &["keys", "list"], &both).await.success();
    assert_eq!(master_keys(&listed), ["new", "test"]);

    let rotated = run(&db, &["keys", "rotate-master"], &both).await.success();
    assert_eq!(master_keys(&rotated), ["new"]);
    service.sign_in(ADA).await;
    service.stop().await;

    let service = Service::start(&db, &alone).await;
    db.execute("UPDATE users SET status = 'active', verified_at = created_at")
        .await;
    for person in [
        "p0@example.com",
        "p519@example.com",
        "meanwhile@example.com",
    ] {
        let signed_in = service.sign_in(person).await;
        assert_eq!(signed_in["user"]["email"], person);
    }
    service.stop().await;
    let old = run(&db, &["keys", "list"], &[]).await.refusal();
    assert!(old.contains("ENCRYPTION_KEYS"), "{old}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_shown_how_far_the_new_master_key_has_come() {
    let db = TestDatabase::create().await;
    Service::start(&db, &[]).await.stop().await;
    let both = format!("{NEW_KEY},{MASTER_KEY}");
    let settings = [("ENCRYPTION_KEYS", both.as_str())];
    let usher = command(&db, &[], &settings);
    let usher = usher.as_std();
    let rotate = format!("{} keys rotate-master", usher.get_program().display());
    let mut on_terminal = Command::new("script");
    on_terminal.args(["--quiet", "--return", "--command", &rotate, "/dev/null"]);
    on_terminal.env_clear().envs(
        usher
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    on_terminal
        .env("TERM", "xterm")
        .current_dir(db.folder())
        .stdin(Stdio::null());
    let shown = on_terminal.output().await.unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("1/1 keys"), "{shown}");
    // And nobody else.
    let again = run(&db, &["keys", "rotate-master"], &settings).await;
    assert_eq!(again.stderr, "");
}
