//! The first admin: where one is made at the start, and that nobody guesses the password.

use super::production;
use crate::support::{
    database::TestDatabase,
    process::{PRODUCTION, Service, command, run},
};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

/// What comes with other software, and what people try.
const USUAL_ADMINS: [(&str, &str); 20] = [
    ("admin", "admin"),
    ("admin", "password"),
    ("admin", "Password123"),
    ("admin", "changeme"),
    ("admin", "123456"),
    ("admin@example.com", "admin"),
    ("admin@example.com", "Admin123!"),
    ("admin@example.com", "SecurePass123"),
    ("admin@localhost.com", "admin"),
    ("admin@localhost.com", "Admin12345"),
    ("admin@localhost.com", "password"),
    ("administrator", "administrator"),
    ("root", "root"),
    ("root", "toor"),
    ("root@example.com", "root"),
    ("usher", "usher"),
    ("usher@example.com", "usher"),
    ("user@example.com", "SecurePass123"),
    ("test@example.com", "test"),
    ("guest", "guest"),
];

/// What a start writes to log and terminal until it is ready.
async fn begun(db: &TestDatabase, settings: &[(&str, &str)]) -> (String, String) {
    let mut child = command(db, &["serve"], settings).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut log = String::new();
    while !log.contains("usher is ready") {
        log += &out.next_line().await.unwrap().expect("it does not start");
    }
    child.kill().await.unwrap();
    let mut shown = String::new();
    let mut terminal = child.stderr.take().unwrap();
    terminal.read_to_string(&mut shown).await.unwrap();
    (log, shown)
}

/// The password that the first start of development shows.
fn shown_password(shown: &str) -> Option<String> {
    let mut lines = shown.lines();
    let line = lines.find_map(|line| line.trim().strip_prefix("password "));
    line.map(|password| password.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_admin_of_development_is_shown_once_to_the_terminal_alone_and_signs_in() {
    let db = TestDatabase::create().await;
    let settings = [("ADMIN_EMAIL", ""), ("ADMIN_PASSWORD", "")];
    let (log, shown) = begun(&db, &settings).await;
    let password = shown_password(&shown).unwrap();
    assert!(shown.contains("admin@usher.localhost"), "{shown}");
    assert!(!log.contains(&password));
    let (log, shown) = begun(&db, &settings).await;
    assert_eq!(shown_password(&shown), None, "{shown}");
    assert!(!log.contains(&password));
    let service = Service::start(&db, &settings).await;
    let form = json!({ "email": "admin@usher.localhost", "password": password });
    let (status, body) = service.post("/api/v1/auth/login", form).await.unwrap();
    assert_eq!((status, &body["user"]["roles"]), (200, &json!(["admin"])));
    service.terminate();
    let (_, log) = service.ended().await;
    assert!(!log.contains(&password));
}

#[tokio::test(flavor = "multi_thread")]
async fn production_refuses_the_first_admins_address_without_a_password_until_there_is_an_admin() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &PRODUCTION).await.success();
    let settings = production(&[("ADMIN_EMAIL", "ada@example.com")]);
    let line = run(&db, &["serve"], &settings).await.refusal();
    assert!(
        line.contains("ADMIN_EMAIL") && line.contains("ADMIN_PASSWORD"),
        "{line}"
    );
    let make = ["admin", "create", "--email", "eve@example.com"];
    run(&db, &make, &PRODUCTION).await.success();
    // As the manual says: once there is an admin the password goes.
    Service::start(&db, &settings).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_3_2_nobody_gets_in_by_what_is_usual_and_a_development_admins_password_is_random() {
    let mut passwords = Vec::new();
    let development = [("ADMIN_EMAIL", ""), ("ADMIN_PASSWORD", "")];
    for (settings, admins) in [(&PRODUCTION[..], 0), (&development, 1), (&development, 1)] {
        let db = TestDatabase::create().await;
        run(&db, &["migrate", "up"], settings).await.success();
        if admins > 0 {
            let (_, shown) = begun(&db, settings).await;
            passwords.push(shown_password(&shown).unwrap());
        }
        if passwords.len() == 2 {
            break;
        }
        let service = Service::start(&db, settings).await;
        for (who, password) in USUAL_ADMINS {
            let form = json!({ "email": who, "password": password });
            let (status, body) = service.post("/api/v1/auth/login", form).await.unwrap();
            assert_eq!(status, 401, "{who} {password}: {body}");
        }
        let people = "SELECT count(*) FROM users";
        assert_eq!(db.number(people).await, admins);
        service.stop().await;
    }
    assert_ne!(passwords[0], passwords[1]);
    // 128 bits.
    assert!(passwords.iter().all(|password| password.len() == 22));
}
