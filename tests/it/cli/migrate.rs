//! `usher migrate`, and what the service says to a schema that is not its own.

use crate::support::{
    database::TestDatabase,
    people::BOB,
    process::{PRODUCTION, Service, run},
};

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
