//! The report of refused records, over all runs of an import.

use super::{TestDatabase, command, file, json, lines, run};
use serde_json::Value;
use std::{fs, process::Stdio};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_that_goes_on_keeps_what_it_reported() {
    let db = TestDatabase::create().await;
    let mut records: Vec<Value> = (0..12_000)
        .map(|n| json!({ "email": format!("p{n}@example.com") }))
        .collect();
    records[7] = json!({ "email": "nobody" });
    records[11_000] = json!({ "email": "p1@example.com" });
    let path = file(&db, "people.jsonl", &lines(&records));
    let report = file(&db, "refused.jsonl", "of another import\n");
    let (path, told) = (path.to_str().unwrap(), report.to_str().unwrap());
    let arguments = ["user", "import", path, "--report", told];
    run(&db, &["migrate", "up"], &[]).await.success();
    let mut child = command(&db, &arguments, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // What is reported of a batch is on disk before the next one is written.
    while !fs::read_to_string(&report)
        .unwrap()
        .contains("\"record\":8}")
        && child.try_wait().unwrap().is_none()
    {
        tokio::task::yield_now().await;
    }
    let _ = child.start_kill();
    child.wait().await.unwrap();
    for _ in 0..2 {
        let ended = run(&db, &arguments, &[]).await;
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stdout.contains(" 2 refused"), "{}", ended.stdout);
        let kept = fs::read_to_string(&report).unwrap();
        let refused: Vec<Value> = kept
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].clone())
            .collect();
        assert_eq!(refused, [8, 11_001], "{kept}");
    }
    assert_eq!(db.number("SELECT count(*) FROM users").await, 11_998);
}
