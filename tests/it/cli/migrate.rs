//! `usher migrate`, and what the service says to a schema that is not its own.

use crate::support::{
    database::TestDatabase,
    people::BOB,
    process::{PRODUCTION, Service, command, run},
};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

/// How many migrations are applied and how many are pending, by what the command printed.
fn state(printed: &str) -> (usize, usize) {
    let count = |word: &str| {
        printed
            .lines()
            .filter(|line| line.starts_with(word))
            .count()
    };
    (count("applied "), count("pending "))
}

async fn migrate(db: &TestDatabase, arguments: &[&str]) -> (usize, usize) {
    let arguments = [&["migrate"], arguments].concat();
    state(&run(db, &arguments, &[]).await.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_goes_up_and_down_by_steps_with_people_in_it() {
    let db = TestDatabase::create_empty().await;
    let (applied, all) = migrate(&db, &["status"]).await;
    assert_eq!(applied, 0);
    assert_eq!(migrate(&db, &["up", "--steps", "3"]).await, (3, all - 3));
    assert_eq!(migrate(&db, &["status"]).await, (3, all - 3));
    assert_eq!(migrate(&db, &["down"]).await, (2, all - 2));
    assert_eq!(migrate(&db, &["up"]).await, (all, 0));
    assert_eq!(migrate(&db, &["up"]).await, (all, 0));
    for _ in 0..2 {
        let service = Service::start(&db, &[]).await;
        service.sign_up(BOB).await;
        service.stop().await;
        assert_eq!(migrate(&db, &["down", "--steps", "2"]).await, (all - 2, 2));
        assert_eq!(migrate(&db, &["down", "--all"]).await, (0, all));
        assert_eq!(migrate(&db, &["up"]).await, (all, 0));
        assert_eq!(db.number("SELECT count(*) FROM users").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_a_database_newer_than_the_program_is_refused() {
    let db = TestDatabase::create_empty().await;
    migrate(&db, &["up"]).await;
    db.execute(
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2099_01_01_000001_later', 0)",
    )
    .await;
    for arguments in [
        &["serve"][..],
        &["migrate", "up"],
        &["migrate", "status"],
        &["keys", "list"],
    ] {
        let line = run(&db, arguments, &[]).await.refusal();
        assert!(line.contains("newer than this"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f41_production_refuses_a_schema_that_is_behind_until_it_is_brought_up() {
    let db = TestDatabase::create_empty().await;
    migrate(&db, &["up", "--steps", "3"]).await;
    let line = run(&db, &["serve"], &PRODUCTION).await.refusal();
    assert!(line.contains("usher migrate up"), "{line}");
    run(&db, &["migrate", "up"], &PRODUCTION).await.success();
    Service::start(&db, &PRODUCTION).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f27_a_migration_that_waits_for_a_table_lets_others_through_and_is_tried_again() {
    let db = TestDatabase::create_empty().await;
    if !db.is_postgres() {
        return;
    }
    let (all, _) = migrate(&db, &["up"]).await;
    assert_eq!(migrate(&db, &["down"]).await, (all - 1, 1));
    let mut reader = PgConnection::connect(&db.url()).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    let count = "SELECT count(*) FROM credentials";
    sqlx::query(count).execute(&mut *reading).await.unwrap();
    let mut moving = command(&db, &["migrate", "up"], &[]).spawn().unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    for _ in 0..2 {
        while db.number(waits).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It would wait as long as the reader reads, were it not for the migration's own patience.
        let reads = timeout(Duration::from_secs(4), db.number(count)).await;
        assert_eq!(reads, Ok(0));
    }
    assert!(moving.try_wait().unwrap().is_none());
    reading.rollback().await.unwrap();
    let moved = moving.wait_with_output().await.unwrap();
    assert_eq!(state(&String::from_utf8(moved.stdout).unwrap()), (all, 0));
}
