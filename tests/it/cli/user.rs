//! `usher user`: people from the command line.

use crate::support::{
    app::ADA,
    database::TestDatabase,
    people::BOB,
    process::{Service, run},
};
use serde_json::Value;
use std::time::Duration;

/// Ada and Bob in a database whose service has stopped.
async fn two_people() -> TestDatabase {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    service.sign_up(BOB).await;
    service.stop().await;
    db
}

async fn say(db: &TestDatabase, arguments: &[&str]) -> String {
    run(db, &[&["user"], arguments].concat(), &[])
        .await
        .success()
}

async fn refuse(db: &TestDatabase, arguments: &[&str]) -> String {
    run(db, &[&["user"], arguments].concat(), &[])
        .await
        .refusal()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_shows_and_changes_people() {
    let db = two_people().await;
    let listed = say(&db, &["list"]).await;
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.lines().next().unwrap().contains(BOB), "{listed}");
    let json: Value =
        serde_json::from_str(&say(&db, &["list", "--role", "admin", "--json"]).await).unwrap();
    assert_eq!(json[0]["email"], ADA);
    assert_eq!(json.as_array().unwrap().len(), 1);
    let shown: Value = serde_json::from_str(&say(&db, &["show", BOB, "--json"]).await).unwrap();
    assert_eq!(shown["roles"], serde_json::json!(["user"]));
    let id = shown["id"].as_str().unwrap();
    assert!(say(&db, &["show", id]).await.contains(BOB));
    assert!(say(&db, &["deactivate", BOB]).await.contains("deactivated"));
    assert!(say(&db, &["reactivate", id]).await.contains(id));
    assert!(
        say(&db, &["roles", BOB, "manager"])
            .await
            .contains("manager")
    );
    let rows =
        "SELECT count(*) FROM audit_log WHERE actor_type = 'system' AND action = 'set_roles'";
    assert_eq!(db.number(rows).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_erases_only_on_purpose_and_never_the_last_admin() {
    let db = two_people().await;
    assert!(refuse(&db, &["erase", BOB]).await.contains("--yes"));
    assert_eq!(db.number("SELECT count(*) FROM users").await, 2);
    assert!(say(&db, &["erase", BOB, "--yes"]).await.contains("erased"));
    assert_eq!(db.number("SELECT count(*) FROM users").await, 1);
    for arguments in [
        &["erase", ADA, "--yes"][..],
        &["deactivate", ADA],
        &["roles", ADA, "user"],
    ] {
        assert!(refuse(&db, arguments).await.contains("last active admin"));
    }
    assert!(refuse(&db, &["show", BOB]).await.contains("nobody"));
    assert!(refuse(&db, &["show", "x"]).await.contains("address"));
    assert!(refuse(&db, &["roles", ADA, "root"]).await.contains("roles"));
}

/// On SQLite, where nobody tells it, a node believes its memory for a second.
async fn must_end(service: &Service, access: &str) {
    let ended = async { while service.get_as(access, "/api/v1/users/me").await != 401 {} };
    let within = Duration::from_secs(5);
    let ended = tokio::time::timeout(within, ended).await;
    ended.expect("the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_theft_an_operator_signs_everybody_out_while_the_service_runs() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    service.sign_up(BOB).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        for who in [ADA, BOB] {
            let session = service.sign_in(who).await;
            let text = |name: &str| session[name].as_str().unwrap().to_owned();
            tokens.push((text("access_token"), text("refresh_token")));
        }
    }
    for (access, _) in &tokens {
        assert_eq!(service.get_as(access, "/api/v1/users/me").await, 200);
    }
    let said = say(&db, &["sign-out", "--all"]).await;
    assert_eq!(said.trim(), "2 people are signed out of 4 sessions");
    for (access, refresh) in &tokens {
        must_end(&service, access).await;
        let refresh = serde_json::json!({ "refresh_token": refresh });
        let (status, _) = service.post("/api/v1/auth/refresh", refresh).await.unwrap();
        assert_eq!(status, 401);
    }
    let details = "SELECT details FROM audit_log WHERE action = 'sign_out_everybody'";
    assert_eq!(
        db.texts(details).await,
        [r#"{"people":2,"sessions_ended":4}"#]
    );
    let told = "SELECT count(*) FROM outbox_events WHERE type = 'user.session_revoked'";
    assert_eq!(db.number(told).await, 2);
    let after = service.sign_in(BOB).await;
    let access = after["access_token"].as_str().unwrap();
    assert_eq!(service.get_as(access, "/api/v1/users/me").await, 200);
    assert!(say(&db, &["sign-out", BOB]).await.contains("signed out"));
    must_end(&service, access).await;
    service.stop().await;
    let nobody = refuse(&db, &["sign-out", "nobody@example.com"]).await;
    assert!(nobody.contains("nobody"), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_asks_a_person_for_another_password() {
    let db = two_people().await;
    let said = say(&db, &["require-reset", BOB]).await;
    assert!(said.contains("new password"), "{said}");
    let rows = "SELECT count(*) FROM credentials WHERE reset_required_at IS NOT NULL";
    assert_eq!(db.number(rows).await, 1);
    let trail = "SELECT count(*) FROM audit_log WHERE actor_type = 'system' AND action = 'require_password_reset'";
    assert_eq!(db.number(trail).await, 1);
}
