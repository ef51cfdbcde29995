//! Traces of what no request asks for: rounds of jobs that found something to do, and commands.

use super::{Collector, named};
use crate::support::{
    database::TestDatabase,
    people::BOB,
    process::{Service, run, run_with_input},
};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::collections::BTreeSet;

/// The rounds that begin a trace.
const ROUNDS: [&str; 5] = [
    "place_events",
    "seal_audit_log",
    "answer_mail_requests",
    "record_failed_logins",
    "flush_seen",
];

fn is_root(span: &Span) -> bool {
    span.parent_span_id.is_empty()
}

/// The names of the spans in the same trace.
fn beside(spans: &[Span], root: &Span) -> BTreeSet<String> {
    let same = spans
        .iter()
        .filter(|span| span.trace_id == root.trace_id && span.span_id != root.span_id);
    same.map(|span| span.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_did_something_is_a_trace_and_an_idle_one_is_none() {
    let db = TestDatabase::create().await;
    let collector = Collector::start().await;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let service = Service::start(&db, &endpoint).await;
    service.sign_up(BOB).await;
    let wrong = serde_json::json!({ "email": BOB, "password": "not the right one at all" });
    assert_eq!(
        service.post("/api/v1/auth/login", wrong).await.unwrap().0,
        401
    );
    let asked = serde_json::json!({ "email": BOB });
    let path = "/api/v1/auth/password-reset-request";
    assert_eq!(service.post(path, asked).await.unwrap().0, 202);
    service.stop().await;

    let spans = collector.spans();
    let rounds: Vec<&Span> = spans
        .iter()
        .filter(|span| ROUNDS.contains(&span.name.as_str()))
        .collect();
    let told: BTreeSet<&str> = rounds.iter().map(|span| span.name.as_str()).collect();
    for wanted in &ROUNDS[..4] {
        assert!(told.contains(wanted), "no {wanted} in {told:?}");
    }
    for round in rounds {
        assert!(is_root(round), "{} lies within another", round.name);
        let inner = beside(&spans, round);
        let writes = ["INSERT ", "UPDATE ", "DELETE ", "WITH "];
        let wrote = |name: &String| writes.iter().any(|write| name.starts_with(write));
        assert!(
            inner.iter().any(wrote),
            "{} was idle: {inner:?}",
            round.name
        );
    }
    let reset = spans
        .iter()
        .find(|span| span.name == "answer_mail_requests");
    let reset = beside(&spans, reset.unwrap());
    for within in [
        "queue password_reset",
        "publish user.password_reset.requested",
    ] {
        assert!(reset.contains(within), "{reset:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_a_trace_named_by_its_words_alone() {
    let db = TestDatabase::create().await;
    let collector = Collector::start().await;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    run(&db, &["keys", "rotate", "--now"], &endpoint)
        .await
        .success();
    let create = ["admin", "create", "--email", BOB, "--password-stdin"];
    run_with_input(&db, &create, &endpoint, "short\n")
        .await
        .refusal();
    let spans = collector.spans();
    let rotated = named(&spans, "usher keys rotate");
    assert!(is_root(rotated));
    assert!(beside(&spans, rotated).contains("INSERT signing_keys"));
    let refused = named(&spans, "usher admin create");
    assert_eq!(refused.status.as_ref().unwrap().code, 2);
    assert_eq!(rotated.status.as_ref().map_or(0, |status| status.code), 0);
}
