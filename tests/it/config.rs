//! Settings as the program meets them at its start: what is refused and how, and what the least of production gives.

mod first_admin;

use crate::support::{
    database::TestDatabase,
    process::{PRODUCTION, Service, run},
};
use std::time::{Duration, Instant};

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
