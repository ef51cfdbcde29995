//! The chain over the audit trail (I11): sealed once and in order, checked from outside by `usher audit verify`.

mod guard;
mod listing;
mod retention;
mod sealing;
mod tampering;

use crate::support::{TestApp, database::TestDatabase, process::run};
use serde_json::Value;

/// What `usher audit verify --json` says, with these arguments on top.
async fn verify(db: &TestDatabase, arguments: &[&str]) -> Value {
    let mut all = vec!["audit", "verify", "--json"];
    all.extend_from_slice(arguments);
    let ended = run(db, &all, &[]).await;
    let report: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    let is_whole = report["whole"] == true;
    assert_eq!(ended.code, Some(i32::from(!is_whole)), "{}", ended.stderr);
    assert_eq!(ended.stderr.is_empty(), is_whole, "{}", ended.stderr);
    report
}

/// `code sequence` of the first bad place; empty if there is none.
async fn fault(db: &TestDatabase, arguments: &[&str]) -> String {
    let fault = &verify(db, arguments).await["fault"];
    fault["code"]
        .as_str()
        .map_or_else(String::new, |code| format!("{code} {}", fault["sequence"]))
}

/// Seals what there is.
async fn seal(app: &TestApp) {
    app.app.do_housekeeping().await.unwrap();
}

/// The lines in which checkpoints left: `sequence:hash` of each.
fn announced(app: &TestApp) -> Vec<String> {
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let text = app.logs.text();
    let lines = text
        .lines()
        .filter(|line| line.contains("audit_checkpoint:"));
    lines
        .map(|line| format!("{}:{}", field(line, "sequence"), field(line, "hash")))
        .collect()
}
