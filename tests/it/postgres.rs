//! What a node asks of PostgreSQL: how many connections, and which rights.

use crate::support::{
    app::ADA,
    database::TestDatabase,
    people::BOB,
    process::{Service, run},
};
use futures_util::future::join_all;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::Duration;
use url::Url;

/// By this name the server tells the connections of the node from those of the test.
const NAME: (&str, &str) = ("PGAPPNAME", "counted");
/// To hear the other nodes, and to tell them.
const BESIDE_THE_POOL: i64 = 2;

async fn connections(db: &TestDatabase) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'counted'";
    db.number(count).await
}

async fn pool_max(service: &Service) -> Value {
    let status = service.client.get(service.url("/db/status")).send().await;
    status.unwrap().json::<Value>().await.unwrap()["pool"]["max"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_keeps_as_many_connections_as_are_set_and_opens_no_more_than_it_says() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return;
    }
    let settings = [("DB_POOL_SIZE", "20"), ("DB_MAX_OVERFLOW", "2"), NAME];
    let service = Service::start(&db, &settings).await;
    let filled = async {
        while connections(&db).await < 20 + BESIDE_THE_POOL {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let filled = tokio::time::timeout(Duration::from_secs(30), filled).await;
    assert!(filled.is_ok(), "{} are open", connections(&db).await);
    assert_eq!(pool_max(&service).await, 22);
    let ada = service.sign_in(ADA).await;
    let token = ada["access_token"].as_str().unwrap();
    let asked = join_all((0..100).map(|_| service.get_as(token, "/api/v1/users")));
    let counted = async {
        let mut most = 0;
        for _ in 0..20 {
            most = most.max(connections(&db).await);
        }
        most
    };
    let (statuses, most) = tokio::join!(asked, counted);
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert!(most <= 22 + BESIDE_THE_POOL, "{most} were open");
    assert!(connections(&db).await >= 20 + BESIDE_THE_POOL);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_pool_is_told_as_it_is() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return;
    }
    let settings = [("DB_POOL_SIZE", "1"), ("DB_MAX_OVERFLOW", "0")];
    let service = Service::start(&db, &settings).await;
    assert_eq!(pool_max(&service).await, 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locale_that_knows_few_letters_is_warned_of_at_the_start() {
    for (options, warns) in [
        ("LOCALE 'C' TEMPLATE template0", true),
        ("LOCALE 'C.UTF-8' TEMPLATE template0", false),
    ] {
        let db = TestDatabase::create_with(options).await;
        let warns = warns && db.is_postgres();
        // Ended by a thing that comes later.
        let ended = run(&db, &["serve"], &[("ADMIN_PASSWORD", "weakling")]).await;
        let warned = ended.stdout.contains("takes only A to Z for letters");
        assert_eq!(warned, warns, "{options}: {}", ended.stdout);
    }
}

/// The database's URL for the owner and for the service of `deploy/postgres/roles.sql`.
async fn roles(db: &TestDatabase) -> [String; 2] {
    let url: Url = db.url().parse().unwrap();
    let name = url.path().trim_start_matches('/');
    let (owner, service) = (format!("{name}_owner"), format!("{name}_service"));
    let script = include_str!("../../deploy/postgres/roles.sql")
        .replace("usher_owner", &owner)
        .replace("usher_service", &service)
        .replace("DATABASE usher ", &format!("DATABASE {name} "));
    db.execute(&script).await;
    [(owner, "OWNER-PASSWORD"), (service, "SERVICE-PASSWORD")].map(|(role, password)| {
        let mut url = url.clone();
        url.set_username(&role).unwrap();
        url.set_password(Some(password)).unwrap();
        url.to_string()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn v13_2_2_who_serves_needs_no_right_to_change_the_schema() {
    let db = TestDatabase::create_empty().await;
    if !db.is_postgres() {
        return;
    }
    let [owner, serves] = roles(&db).await;
    let owner = [("DATABASE_URL", owner.as_str())];
    let settings = [("DATABASE_URL", serves.as_str()), ("AUTO_MIGRATE", "false")];
    run(&db, &["migrate", "up"], &owner).await.success();
    let service = Service::start(&db, &settings).await;
    service.sign_up(BOB).await;
    let ada = service.sign_in(ADA).await;
    let token = ada["access_token"].as_str().unwrap();
    for path in ["/readyz", "/api/v1/users", "/api/v1/users/me/export"] {
        assert_eq!(service.get_as(token, path).await, 200, "{path}");
    }
    service.stop().await;
    run(&db, &["user", "erase", BOB, "--yes"], &settings)
        .await
        .success();
    run(&db, &["audit", "verify"], &settings).await.success();
    let mut connection = PgConnection::connect(&serves).await.unwrap();
    for sql in [
        "CREATE TABLE more (id int)",
        "CREATE TEMPORARY TABLE more (id int)",
        "DROP TABLE users",
        "TRUNCATE users",
        "ALTER TABLE audit_log DISABLE TRIGGER USER",
    ] {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection);
        let refusal = done.await.unwrap_err().to_string();
        assert!(
            refusal.contains("permission denied") || refusal.contains("must be owner"),
            "{sql}: {refusal}"
        );
    }
    run(&db, &["migrate", "down"], &settings).await.refusal();
    run(&db, &["migrate", "down"], &owner).await.success();
}
