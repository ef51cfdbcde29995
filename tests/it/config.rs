//! Settings as the program meets them at its start: what is refused and how, and what the least of production gives.

use crate::support::{
    database::TestDatabase,
    process::{PRODUCTION, Service, command, run},
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

/// A thing that must not be repeated by anybody.
const CANARY: &str = "Kz8canaryQ2xW7";

/// Production with these settings on top.
fn production<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut settings: Vec<_> = PRODUCTION.to_vec();
    settings.extend_from_slice(changes);
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_a_wrong_setting_ends_the_program_with_one_line_that_names_it_and_tells_no_secret() {
    let db = TestDatabase::create().await;
    let weak_key = format!("a:{CANARY}");
    let url = format!("mysql://usher:{CANARY}@db.example.com/usher");
    let smtp = format!("smtp://usher:{CANARY}@mail.example.com?tls=maybe");
    let cases = [
        ("ENCRYPTION_KEYS", ""),
        ("ENCRYPTION_KEYS", weak_key.as_str()),
        ("JWT_SECRET_KEY", CANARY),
        ("METRICS_TOKEN", CANARY),
        ("DATABASE_URL", url.as_str()),
        ("SMTP_URL", smtp.as_str()),
        ("PUBLIC_URL", "http://accounts.example.com"),
        ("MAIL_TRANSPORT", "mailbox"),
        ("USHER_LISTEN", CANARY),
        ("LISTEN", CANARY),
        ("HASH_ITERATIONS", "1"),
    ];
    for (name, value) in cases {
        let line = run(&db, &["serve"], &production(&[(name, value)]))
            .await
            .refusal();
        assert!(line.contains(name), "{line}");
        assert!(!line.contains(CANARY), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_an_unknown_name_is_refused_wherever_it_is_written() {
    let db = TestDatabase::create().await;
    let flag = ["serve", "--set", "LISTNE=127.0.0.1:0"];
    let line = run(&db, &flag, &[]).await.refusal();
    assert!(line.contains("LISTNE") && line.contains("LISTEN"), "{line}");
    let file = db.folder().join("usher.toml");
    tokio::fs::write(file, "metrics_tokn = \"Kz8canaryQ2xW7\"\n")
        .await
        .unwrap();
    let line = run(&db, &["serve"], &[]).await.refusal();
    assert!(
        line.contains("metrics_tokn") && line.contains("metrics_token"),
        "{line}"
    );
    assert!(!line.contains(CANARY), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_what_is_right_by_itself_and_cannot_be_used_ends_the_program_in_one_line() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &[]).await.success();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let nobody = format!("postgresql://usher:{CANARY}@127.0.0.1:1/usher");
    let no_file = db.folder().join("absent.pem").display().to_string();
    let cases = [
        ("LISTEN", taken.as_str(), "cannot listen"),
        ("DATABASE_URL", nobody.as_str(), "cannot connect"),
        ("ADMIN_PASSWORD", "weakling", "ADMIN_PASSWORD"),
        ("SMTP_CA_FILE", no_file.as_str(), "SMTP_CA_FILE"),
        ("TLS_CERT", no_file.as_str(), "TLS_KEY"),
    ];
    for (name, value, says) in cases {
        let mut settings = vec![(name, value)];
        if name == "SMTP_CA_FILE" {
            settings.push(("SMTP_URL", "smtp://127.0.0.1:1"));
        }
        let line = run(&db, &["serve"], &settings).await.refusal();
        assert!(line.contains(says), "{line}");
        assert!(!line.contains(CANARY), "{line}");
    }
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_files_that_do_not_exist_end_the_program() {
    let db = TestDatabase::create().await;
    let no_file = db.folder().join("absent.pem").display().to_string();
    let settings = [
        ("TLS_CERT", no_file.as_str()),
        ("TLS_KEY", no_file.as_str()),
    ];
    let ended = run(&db, &["serve"], &settings).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("TLS_CERT"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn k5_the_least_environment_of_production_starts_and_keeps_the_operators_doors_shut() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &PRODUCTION).await.success();
    let token = "Kz8canaryQ2xW7Kz8canaryQ2xW7Kz8canaryQ2xW7";
    let service = Service::start(&db, &production(&[("METRICS_TOKEN", token)])).await;
    let get = async |path: &str| {
        let reply = service.client.get(service.url(path)).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    for path in ["/metrics", "/db/status"] {
        assert_eq!(get(path).await.0, 401, "{path}");
        assert_eq!(service.get_as(token, path).await, 200, "{path}");
    }
    for path in [
        "/dev/mailbox",
        "/dev/mailbox.json",
        "/.git",
        "/debug",
        "/actuator",
    ] {
        assert_eq!(get(path).await.0, 404, "{path}");
    }
    for path in ["/health", "/"] {
        let (status, body) = get(path).await;
        assert_eq!(status, 200);
        assert!(!body.contains(env!("CARGO_PKG_VERSION")), "{path}: {body}");
    }
    let nobody = "SELECT count(*) FROM users";
    assert_eq!(
        db.number(nobody).await,
        0,
        "6.3.2: nobody is there by default"
    );
    service.stop().await;
}

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

#[tokio::test(flavor = "multi_thread")]
async fn c4_strict_privacy_without_verification_is_warned_of_at_the_start() {
    let db = TestDatabase::create().await;
    for (privacy, required, warns) in [
        ("strict", "false", true),
        ("strict", "true", false),
        ("friendly", "false", false),
    ] {
        // Ended by a thing that comes later.
        let settings = [
            ("SIGNUP_PRIVACY", privacy),
            ("REQUIRE_EMAIL_VERIFICATION", required),
            ("ADMIN_PASSWORD", "weakling"),
        ];
        let ended = run(&db, &["serve"], &settings).await;
        let warned = ended.stdout.contains("SIGNUP_PRIVACY=strict hides nothing");
        assert_eq!(warned, warns, "{privacy} {required}: {}", ended.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v12_3_3_production_warns_of_a_database_that_is_reached_in_clear() {
    let db = TestDatabase::create().await;
    for (mode, warns) in [("", true), ("?sslmode=verify-full", false)] {
        let url = format!("postgresql://usher:{CANARY}@db.invalid/usher{mode}");
        let mut settings = PRODUCTION.to_vec();
        settings.push(("DATABASE_URL", &url));
        let ended = run(&db, &["serve"], &settings).await;
        let log = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(log.contains("?sslmode=verify-full to"), warns, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v12_3_3_production_warns_of_a_redis_that_is_reached_in_clear() {
    let db = TestDatabase::create().await;
    for (scheme, warns) in [("redis", true), ("rediss", false)] {
        let redis = format!("{scheme}://:{CANARY}@redis.invalid:6379");
        let settings = production(&[
            ("DATABASE_URL", "postgresql://db.invalid/usher"),
            ("REDIS_URL", &redis),
        ]);
        let ended = run(&db, &["serve"], &settings).await;
        let log = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(log.contains("write rediss://"), warns, "{log}");
        assert!(!log.contains(CANARY), "{log}");
    }
}

/// A server that takes connections and never says a word.
fn mute_server() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "postgresql://usher:{CANARY}@{}/usher",
        listener.local_addr().unwrap()
    );
    (listener, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_a_database_out_of_reach_ends_the_start_within_two_seconds() {
    let db = TestDatabase::create().await;
    let (listener, mute) = mute_server();
    let nobody = format!("postgresql://usher:{CANARY}@127.0.0.1:1/usher");
    for url in [nobody.as_str(), mute.as_str()] {
        let settings = [("DATABASE_URL", url), ("DB_ACQUIRE_TIMEOUT_MS", "60000")];
        let begun = Instant::now();
        let line = run(&db, &["serve"], &settings).await.refusal();
        let took = begun.elapsed();
        assert!(line.contains("cannot connect to PostgreSQL"), "{line}");
        assert!(!line.contains(CANARY), "{line}");
        assert!(took <= Duration::from_secs(2), "{url}: {took:?}");
    }
    drop(listener);
}
