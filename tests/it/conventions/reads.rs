//! Reading changes nothing (ASVS 3.5.3): what another site can make a browser fetch has no effect.

use crate::support::{
    TestApp,
    document::{Document, NO_ID, target},
};
use axum::http::Method;
use std::collections::BTreeMap;

/// The trail, where reads of it and of people are told.
const TRAIL: [&str; 2] = ["audit_log", "audit_seals"];

/// Every row of every table but the trail's, as text.
async fn all_rows(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let is_postgres = app.db.is_postgres();
    let tables = if is_postgres {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    };
    let mut all = BTreeMap::new();
    for table in app.db.texts(tables).await {
        if TRAIL.contains(&table.as_str()) {
            continue;
        }
        let sql = if is_postgres {
            format!("SELECT t::text FROM \"{table}\" AS t ORDER BY 1")
        } else {
            let columns = format!(
                "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM pragma_table_info('{table}')"
            );
            let columns = app.db.texts(&columns).await.remove(0);
            format!("SELECT {columns} FROM \"{table}\" ORDER BY 1")
        };
        all.insert(table, app.db.texts(&sql).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_5_3_no_get_changes_a_row_outside_of_the_trail() {
    let app = TestApp::start().await;
    let (ada, pia, bob) = (app.ada().await, app.pia().await, app.bob().await);
    app.app.do_housekeeping().await.unwrap();
    let before = all_rows(&app).await;
    assert!(before.len() > 20 && !before["users"].is_empty());
    let operations = Document::of(&app).await.operations();
    let reads = operations
        .iter()
        .filter(|operation| operation.method == Method::GET);
    let mut well = 0;
    for operation in reads {
        for who in [&ada, &pia, &bob] {
            for id in [bob.id.as_str(), NO_ID] {
                for method in [Method::GET, Method::HEAD] {
                    let at = target(&operation.path, id);
                    let reply = app.request(method, &at).bearer(&who.access).send().await;
                    well += u32::from(reply.status == 200);
                }
            }
        }
        let after = all_rows(&app).await;
        for (table, rows) in &before {
            assert_eq!(rows, &after[table], "{} changed {table}", operation.place());
        }
    }
    assert!(well > 100, "only {well} went well");
}
