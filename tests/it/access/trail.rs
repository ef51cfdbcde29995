//! Whoever is refused an operation leaves a trace in the audit trail, whatever operation it is.

use super::{CALLERS, SUFFIXES, ask, everybody, token_of};
use crate::support::{
    TestApp,
    document::{Document, Operation},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The codes of 401 and 403; use cases refuse by rules of their own as well.
const AT_THE_DOOR: [&str; 6] = [
    "unauthenticated",
    "token_invalid",
    "token_expired",
    "session_ended",
    "forbidden",
    "premium_required",
];

/// How often what was refused why.
type Refused = BTreeMap<(String, String), u64>;

fn use_case(operation: &Operation) -> String {
    let mut id = operation.id.as_str();
    while let Some(shorter) = SUFFIXES.iter().find_map(|suffix| id.strip_suffix(suffix)) {
        id = shorter;
    }
    id.to_owned()
}

/// What the trail says of refusals, those included that stand in a row with others.
async fn told(app: &TestApp) -> Refused {
    app.app.do_housekeeping().await.unwrap();
    let sql = "SELECT action || ' ' || details FROM audit_log WHERE outcome <> 'success'";
    let mut told = Refused::new();
    for row in app.db.texts(sql).await {
        let (action, details) = row.split_once(' ').unwrap();
        let details: Value = serde_json::from_str(details).unwrap();
        let code = details["code"].as_str().unwrap();
        if AT_THE_DOOR.contains(&code) {
            let count = details["count"].as_u64().unwrap_or(1);
            *told
                .entry((action.to_owned(), code.to_owned()))
                .or_default() += count;
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_every_refusal_at_the_door_of_every_operation_is_in_the_trail() {
    let (app, barred) = everybody().await;
    let mut refused = Refused::new();
    let before = told(&app).await;
    assert_eq!(before, Refused::new(), "nobody was refused before");
    for operation in Document::of(&app).await.operations() {
        for caller in CALLERS {
            let token = token_of(&app, caller, &barred).await;
            let reply = ask(&app, &operation, token.as_deref()).await;
            if matches!(reply.status, 401 | 403) {
                let code = reply.body["code"].as_str().unwrap().to_owned();
                *refused.entry((use_case(&operation), code)).or_default() += 1;
            }
        }
    }
    assert!(refused.len() > 20, "{refused:?}");
    assert_eq!(told(&app).await, refused);
}
