//! Moving people in from another system, and out again, at the command line.

mod indexes;
mod report;

use crate::support::{
    app::PASSWORD,
    database::TestDatabase,
    process::{Service, command, run},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Stdio};

/// A file in the database's folder.
fn file(db: &TestDatabase, name: &str, content: &str) -> PathBuf {
    let path = db.folder().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

/// PBKDF2 as Django writes it.
fn django(password: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut hash = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), b"salty", 1000, &mut hash);
    format!("pbkdf2_sha256$1000$salty${}", STANDARD.encode(hash))
}

async fn import(db: &TestDatabase, arguments: &[&str]) -> crate::support::process::Ended {
    run(db, &[&["user", "import"], arguments].concat(), &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_the_passwords_that_they_had_elsewhere() {
    let db = TestDatabase::create().await;
    let bcrypt = bcrypt::hash(PASSWORD, 4).unwrap();
    let people = [
        json!({ "email": "bcrypt@example.com", "password_hash": bcrypt, "verified": true, "full_name": "Bea Crypt" }),
        json!({ "email": "django@example.com", "password_hash": django(PASSWORD), "status": "active", "roles": ["manager"] }),
        json!({ "email": "waits@example.com", "password_hash": django(PASSWORD) }),
    ];
    let path = file(&db, "people.jsonl", &lines(&people));
    let said = import(&db, &[path.to_str().unwrap()]).await.success();
    assert!(said.contains("3 imported, 0 refused"), "{said}");
    let service = Service::start(&db, &[]).await;
    for email in ["bcrypt@example.com", "django@example.com"] {
        let user = &service.sign_in(email).await["user"];
        assert_eq!(user["is_verified"], true);
    }
    assert_eq!(
        service.sign_in("django@example.com").await["user"]["roles"],
        json!(["manager"])
    );
    let login = json!({ "email": "waits@example.com", "password": PASSWORD });
    let (status, body) = service.post("/api/v1/auth/login", login).await.unwrap();
    assert_eq!((status, &body["code"]), (403, &json!("email_not_verified")));
    service.stop().await;
    let renewed = "SELECT count(*) FROM credentials WHERE password_hash LIKE '$argon2id$%'";
    assert_eq!(
        db.number(renewed).await,
        3,
        "all but the admin's were renewed at the login"
    );
    for (table, count) in [
        ("outbox_events WHERE type = 'user.created'", 4),
        ("audit_log WHERE action = 'import_users'", 1),
        ("search_documents", 4),
    ] {
        assert_eq!(
            db.number(&format!("SELECT count(*) FROM {table}")).await,
            count,
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_are_reported_by_number_and_the_others_are_taken() {
    let db = TestDatabase::create().await;
    let first = file(
        &db,
        "first.csv",
        "email,full_name,username\nold@example.com,Old Hand,oldie\n",
    );
    import(&db, &[first.to_str().unwrap()]).await.success();
    let content = [
        "{\"email\": \"good@example.com\"}",
        "not json",
        "{\"email\": \"OLD@example.com\"}",
        "{\"email\": \"secret-canary@example.com\", \"country\": \"Atlantis\", \"username\": \"a b\"}",
        "",
        "{\"email\": \"good@EXAMPLE.com\"}",
        "{\"email\": \"x@example.com\", \"username\": \"Oldie\"}",
        "{\"email\": \"y@example.com\", \"password_hash\": \"$2b$31$abcdefghijklmnopqrstuuMPiGp7t8jWmJ2M0xG5sN1K2v3m4n5o6\"}",
        "[1]",
        "{\"email\": \"last@example.com\"}",
        "{\"email\": \"z@example.com\", \"username\": \"Old@Example.com\"}",
    ];
    let path = file(&db, "people.jsonl", &content.join("\n"));
    let report = db.folder().join("refused.jsonl");
    let ended = import(
        &db,
        &[path.to_str().unwrap(), "--report", report.to_str().unwrap()],
    )
    .await;
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    assert_eq!(ended.code, Some(1));
    let report = fs::read_to_string(report).unwrap();
    assert!(!report.contains("canary"), "{report}");
    let mut refused: Vec<String> = report
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| {
            format!(
                "{} {} {}",
                line["record"],
                line["field"].as_str().unwrap(),
                line["code"].as_str().unwrap()
            )
        })
        .collect();
    refused.sort();
    assert_eq!(
        refused,
        [
            "10 username format",
            "2 record format",
            "3 email email_taken",
            "4 country unknown_value",
            "4 username format",
            "5 email email_taken",
            "6 username username_taken",
            "7 password_hash too_long",
            "8 record format",
        ]
    );
    assert_eq!(db.number("SELECT count(*) FROM users").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let db = TestDatabase::create().await;
    let records: Vec<Value> = (0..5500)
        .map(|n| json!({ "email": format!("p{}@example.com", n % 5400) }))
        .collect();
    let path = file(&db, "people.jsonl", &lines(&records));
    let path = path.to_str().unwrap();
    let ended = import(&db, &[path, "--dry-run"]).await;
    assert!(
        ended
            .stdout
            .contains("5400 would be imported, 100 would be refused"),
        "{}",
        ended.stdout
    );
    assert_eq!(db.number("SELECT count(*) FROM users").await, 0);
    assert_eq!(db.number("SELECT count(*) FROM import_batches").await, 0);
    let ended = import(&db, &[path, "--no-events"]).await;
    assert!(
        ended.stdout.contains("5400 imported, 100 refused"),
        "{}",
        ended.stdout
    );
    assert_eq!(db.number("SELECT count(*) FROM users").await, 5400);
    assert_eq!(db.number("SELECT count(*) FROM outbox_events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_goes_on_where_it_stopped() {
    let db = TestDatabase::create().await;
    let records: Vec<Value> = (0..12_000)
        .map(|n| json!({ "email": format!("p{n}@example.com"), "username": format!("person{n}") }))
        .collect();
    let path = file(&db, "people.jsonl", &lines(&records));
    let arguments = ["user", "import", path.to_str().unwrap()];
    run(&db, &["migrate", "up"], &[]).await.success();
    let mut child = command(&db, &arguments, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while db.number("SELECT count(*) FROM import_batches").await < 1
        && child.try_wait().unwrap().is_none()
    {
        tokio::task::yield_now().await;
    }
    let _ = child.start_kill();
    child.wait().await.unwrap();
    let before = db.number("SELECT count(*) FROM users").await;
    assert_eq!(
        (before % 5000) * (12_000 - before),
        0,
        "a batch is written whole or not at all"
    );
    let said = run(&db, &arguments, &[]).await.success();
    assert!(
        said.contains(&format!("{} imported, 0 refused", 12_000 - before)),
        "{said}"
    );
    assert_eq!(db.number("SELECT count(*) FROM users").await, 12_000);
    assert_eq!(
        db.number("SELECT count(DISTINCT user_id) FROM user_keys")
            .await,
        12_000
    );
    let said = run(&db, &arguments, &[]).await.success();
    assert!(said.contains("0 imported, 0 refused"), "{said}");
}

/// However the cells are separated.
fn all_quoted_and_no_formula(text: &str) {
    let mut cells = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    for (line, cells) in text.lines().zip(cells.records()) {
        let cells = cells.unwrap();
        let quoted = cells
            .iter()
            .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        assert_eq!(line, quoted.collect::<Vec<_>>().join(","));
        let mut parts = cells.iter().flat_map(|cell| cell.split(';'));
        assert!(!parts.any(|part| part.starts_with(['=', '+', '＝', '＠'])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_safe_in_a_spreadsheet_and_moves_everybody_to_another_database() {
    let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
    let people = [
        json!({ "email": "ada@example.org", "full_name": "=HYPERLINK(\"x\")", "location": "a,b \"c\"", "verified": true,
                "password_hash": bcrypt::hash(PASSWORD, 4).unwrap(), "roles": ["admin", "user"], "country": "GB" }),
        json!({ "email": "bob@example.org", "full_name": "O'Neil", "current_title": "+1", "username": "bob" }),
        json!({ "email": "cyd@example.org", "full_name": "＝1+1", "current_title": "x;=1+1", "location": "＠SUM(1)" }),
    ];
    let path = file(&from, "people.jsonl", &lines(&people));
    import(&from, &[path.to_str().unwrap()]).await.success();
    let table = from.folder().join("all.csv");
    let export = [
        "user",
        "export",
        table.to_str().unwrap(),
        "--password-hashes",
    ];
    run(&from, &export, &[]).await.success();
    let text = fs::read_to_string(&table).unwrap();
    assert!(
        text.contains("\"'=HYPERLINK(\"\"x\"\")\"") && text.contains("'+1"),
        "{text}"
    );
    assert!(text.contains("\"'＝1+1\"") && text.contains("\"x;'=1+1\",\"'＠SUM(1)\""));
    all_quoted_and_no_formula(&text);
    assert_eq!(
        fs::metadata(&table).unwrap().permissions().mode() & 0o777,
        0o600
    );
    run(&from, &export, &[]).await.refusal();
    import(&to, &[table.to_str().unwrap()]).await.success();
    for sql in [
        "SELECT full_name FROM users ORDER BY full_name",
        "SELECT coalesce(location, '') || coalesce(current_title, '') || status FROM users ORDER BY 1",
        "SELECT role FROM user_roles ORDER BY role",
        "SELECT password_hash FROM credentials",
    ] {
        assert_eq!(to.texts(sql).await, from.texts(sql).await, "{sql}");
    }
    let service = Service::start(&to, &[]).await;
    assert_eq!(
        service.sign_in("ada@example.org").await["user"]["full_name"],
        "=HYPERLINK(\"x\")"
    );
    service.stop().await;
    let without = run(&from, &["user", "export", "-", "--format", "jsonl"], &[])
        .await
        .success();
    assert!(!without.contains("$2b$") && without.contains("bob@example.org"));
    assert_eq!(
        from.number("SELECT count(*) FROM audit_log WHERE action = 'export_users'")
            .await,
        2
    );
}
