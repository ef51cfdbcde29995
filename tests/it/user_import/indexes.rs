//! An import that puts off the indexes of lists and search leaves the database as any other does.

use super::{TestDatabase, command, file, import, json, lines, run};
use serde_json::Value;
use std::process::Stdio;

fn people(from: u32, to: u32) -> String {
    let records: Vec<Value> = (from..to)
        .map(|n| json!({ "email": format!("p{n}@example.com"), "full_name": format!("Zebra Quill{n}"), "verified": true }))
        .collect();
    lines(&records)
}

/// What the database says of its indexes, triggers and references.
async fn catalogue(db: &TestDatabase) -> Vec<String> {
    let sql = if db.is_postgres() {
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() UNION ALL \
         SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = current_schema()::regnamespace AND contype = 'f' ORDER BY 1"
    } else {
        "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY 1"
    };
    db.texts(sql).await
}

async fn found(db: &TestDatabase, word: &str) -> i64 {
    let sql = if db.is_postgres() {
        format!("SELECT count(*) FROM search_documents WHERE document LIKE '%{word}%'")
    } else {
        format!("SELECT count(*) FROM search_index WHERE search_index MATCH '\"{word}\"'")
    };
    db.number(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_were_put_off_are_all_made_again_over_all_rows() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &[]).await.success();
    let whole = catalogue(&db).await;
    let first = file(&db, "first.jsonl", &people(0, 300));
    import(&db, &[first.to_str().unwrap()]).await.success();
    let second = file(&db, "second.jsonl", &people(300, 700));
    let said = import(&db, &[second.to_str().unwrap(), "--defer-indexes"])
        .await
        .success();
    assert!(said.contains("400 imported, 0 refused"), "{said}");
    assert_eq!(catalogue(&db).await, whole);
    assert_eq!(found(&db, "zebra").await, 700);
    let third = file(&db, "third.jsonl", &people(700, 710));
    import(&db, &[third.to_str().unwrap()]).await.success();
    assert_eq!(found(&db, "zebra").await, 710, "new ones are indexed");
    db.execute("DELETE FROM users WHERE full_name = 'Zebra Quill5'")
        .await;
    assert_eq!(found(&db, "zebra").await, 709, "gone ones are forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_import_put_off_is_refused_and_mended_by_migrating() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &[]).await.success();
    let whole = catalogue(&db).await;
    let before = file(&db, "before.jsonl", &people(20_000, 20_002));
    import(&db, &[before.to_str().unwrap()]).await.success();
    let path = file(&db, "people.jsonl", &people(0, 12_000));
    let arguments = ["user", "import", path.to_str().unwrap(), "--defer-indexes"];
    let mut child = command(&db, &arguments, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while db.number("SELECT count(*) FROM deferred_indexes").await == 0
        && child.try_wait().unwrap().is_none()
    {
        tokio::task::yield_now().await;
    }
    let _ = child.start_kill();
    child.wait().await.unwrap();
    assert_ne!(catalogue(&db).await, whole);
    let said = run(&db, &["migrate", "status"], &[]).await.success();
    assert!(said.contains("missing  indexes"), "{said}");
    let refused = run(&db, &["serve"], &[("AUTO_MIGRATE", "false")]).await;
    let refused = refused.refusal();
    assert!(refused.contains("the database lacks indexes"), "{refused}");

    if db.is_postgres() {
        // References were put off, too: of who goes meanwhile nothing is left in the end.
        db.execute("DELETE FROM users WHERE full_name LIKE 'Zebra Quill2000_'")
            .await;
    }
    let said = run(&db, &["migrate", "up"], &[]).await.success();
    assert!(!said.contains("missing"), "{said}");
    assert_eq!(catalogue(&db).await, whole);
    for table in ["credentials", "user_roles", "search_documents"] {
        let orphans =
            format!("SELECT count(*) FROM {table} WHERE user_id NOT IN (SELECT id FROM users)");
        assert_eq!(db.number(&orphans).await, 0, "{table}");
    }
    run(&db, &arguments, &[]).await.success();
    assert_eq!(catalogue(&db).await, whole);
    let stayed = if db.is_postgres() { 0 } else { 2 };
    assert_eq!(found(&db, "zebra").await, 12_000 + stayed);
}
