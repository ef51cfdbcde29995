//! The program's commands as an operator runs them: what they do, what they print, and how they end.

mod keys;
mod migrate;
mod user;

use crate::support::{
    app::{ADA, PASSWORD},
    database::TestDatabase,
    people::BOB,
    process::{PRODUCTION, Service, run, run_with_input},
};
use serde_json::Value;

const CREATE_BOB: [&str; 5] = ["admin", "create", "--email", BOB, "--password-stdin"];

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_made_at_the_command_line_can_sign_in_with_the_password_of_standard_input() {
    let db = TestDatabase::create().await;
    let input = format!("{PASSWORD}\n");
    let made = run_with_input(&db, &CREATE_BOB, &[], &input).await;
    assert!(!made.stderr.contains(PASSWORD));
    let said = made.success();
    assert!(
        said.starts_with("made admin ") && !said.contains(PASSWORD),
        "{said}"
    );
    let service = Service::start(&db, &[]).await;
    let bob = service.sign_in(BOB).await;
    assert_eq!(bob["user"]["roles"], serde_json::json!(["admin"]));
    let others = "SELECT count(*) FROM user_roles WHERE role = 'admin'";
    assert_eq!(
        db.number(others).await,
        1,
        "where there is an admin, no first one is made"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_cannot_be_made_is_refused_in_one_line_without_the_password() {
    let db = TestDatabase::create().await;
    let input = format!("{PASSWORD}\n");
    run_with_input(&db, &CREATE_BOB, &[], &input)
        .await
        .success();
    let nobody = ["admin", "create", "--email", "nobody", "--password-stdin"];
    let carol = [
        "admin",
        "create",
        "--email",
        "carol@example.com",
        "--password-stdin",
    ];
    let cases: [(&[&str], &str, &str); 4] = [
        (&CREATE_BOB, PASSWORD, "address"),
        (&nobody, PASSWORD, "--email"),
        (&carol, "weak", "password"),
        (&carol, "", "password"),
    ];
    for (arguments, password, names) in cases {
        let input = format!("{password}\n");
        let line = run_with_input(&db, arguments, &[], &input).await.refusal();
        assert!(line.contains(names), "{line}");
        assert!(
            password.is_empty() || !line.contains(&format!(" {password}")),
            "{line}"
        );
        assert!(!line.contains(PASSWORD), "{line}");
    }
    let people = "SELECT count(*) FROM users";
    assert_eq!(db.number(people).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_made_for_an_admin_is_shown_once_and_not_on_standard_output() {
    let db = TestDatabase::create().await;
    let made = run(&db, &["admin", "create", "--email", BOB], &[]).await;
    let (_, password) = made.stderr.split_once("password (shown once): ").unwrap();
    let password = password.trim().to_owned();
    assert!(password.len() >= 22);
    assert!(!made.success().contains(&password));
    let service = Service::start(&db, &[]).await;
    let form = serde_json::json!({ "email": BOB, "password": password });
    let (status, body) = service.post("/api/v1/auth/login", form).await.unwrap();
    assert_eq!(status, 200, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_admin_gets_a_mail_when_the_service_runs() {
    let db = TestDatabase::create().await;
    run(&db, &["admin", "invite", "--email", BOB], &[])
        .await
        .success();
    let invitations = "SELECT count(*) FROM outbox_mails WHERE template = 'invitation'";
    assert_eq!(db.number(invitations).await, 1);
    run(&db, &["admin", "invite", "--email", ADA], &[])
        .await
        .success();
    run(&db, &["admin", "invite", "--email", "nobody"], &[])
        .await
        .refusal();
    assert_eq!(db.number(invitations).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_shown_and_explained_without_their_secrets() {
    let db = TestDatabase::create().await;
    let secret = "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1GAAECAwQFBgc";
    let mut settings = PRODUCTION.to_vec();
    settings.push(("METRICS_TOKEN", secret));
    let checked = run(&db, &["config", "check"], &settings).await.success();
    assert!(checked.contains("production") && checked.lines().count() == 1);
    let shown = run(&db, &["config", "show"], &settings).await.success();
    assert!(shown.contains("\nENCRYPTION_KEYS=***  # environment\n"));
    assert!(!shown.contains(secret), "{shown}");
    let json = run(&db, &["config", "show", "--json"], &settings)
        .await
        .success();
    assert!(!json.contains(secret));
    let items: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(items.len(), shown.lines().count());

    let example = run(&db, &["config", "example"], &[]).await.success();
    for item in &items {
        let name = item["name"].as_str().unwrap();
        assert!(example.contains(&format!("{name}=")), "{name}");
    }
    tokio::fs::write(db.folder().join(".env"), example)
        .await
        .unwrap();
    run(&db, &["config", "check"], &[]).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_of_the_command_is_that_of_the_service() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    for (arguments, path, version) in [
        (&["openapi"][..], "/openapi.json", "3.1."),
        (&["openapi", "--v3-0"][..], "/openapi-3.0.json", "3.0."),
    ] {
        let printed = run(&db, arguments, &[]).await.success();
        let printed: Value = serde_json::from_str(&printed).unwrap();
        let served = service.client.get(service.url(path)).send().await.unwrap();
        assert_eq!(printed, served.json::<Value>().await.unwrap());
        assert!(printed["openapi"].as_str().unwrap().starts_with(version));
    }
}
