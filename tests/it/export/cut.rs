//! An export of more than one answer can hold.

use super::{EXPORT, busy_bob};
use crate::support::TestApp;
use serde_json::json;

/// One more than a section holds.
const MANY: usize = 10_001;

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_entries_the_newest_are_told_and_that_there_are_more() {
    let app = TestApp::start().await;
    let bob = busy_bob(&app).await;
    let (id, whom, series) = if app.db.is_postgres() {
        let series = format!("generate_series(1, {MANY}) AS s(n)");
        (
            "lpad(n::text, 32, '0')::uuid",
            format!("'{}'::uuid", bob.id),
            series,
        )
    } else {
        let series = format!(
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY}) SELECT n FROM s)"
        );
        let whom = format!("X'{}'", bob.id.replace('-', ""));
        ("unhex(printf('%032d', n))", whom, series)
    };
    let sql = format!(
        "INSERT INTO audit_log (id, at, action, outcome, actor_type, actor_id, request_id, details) \
         SELECT {id}, '2026-01-04 12:00:00+00:00', 'made_up', 'success', 'user', {whom}, 'r', '{{}}' FROM {series}"
    );
    assert_eq!(app.db.execute(&sql).await, MANY as u64);
    let told = app.get_as(&bob.access, EXPORT).await.expect(200).body;
    assert_eq!(told["incomplete"], json!(["activity"]));
    let activity = told["activity"].as_array().unwrap();
    assert_eq!(activity.len(), 10_000);
    assert_eq!(activity[0]["action"], "export_me");
    assert_eq!(activity[9_999]["action"], "made_up");
    // What is left out can still be read, page by page.
    let last = activity[9_999]["id"].as_str().unwrap();
    let number: u32 = last.replace('-', "").parse().unwrap();
    assert!(number > 1, "the oldest are left out");
}
