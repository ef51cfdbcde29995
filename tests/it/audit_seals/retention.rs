//! Old entries go up to a checkpoint, which becomes the chain's signed beginning.

use super::{announced, fault, seal, verify};
use crate::support::{TestApp, people::BOB, process::run};
use chrono::TimeDelta;

const KEPT: &str = "SELECT count(*) FROM audit_log WHERE sequence IS NOT NULL";
const FIRST: &str = "SELECT min(sequence) FROM audit_log";
const MONTH: &[(&str, &str)] = &[("AUDIT_RETENTION_DAYS", "30")];

/// A day with a sign-in, sealed at its end.
async fn day(app: &TestApp) {
    app.sign_in(BOB).await;
    seal(app).await;
    app.advance(TimeDelta::days(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_past_their_time_go_and_the_rest_verifies_from_a_signed_beginning() {
    let app = TestApp::start_with(MONTH).await;
    app.bob().await;
    for _ in 0..30 {
        day(&app).await;
    }
    assert_eq!(app.db.number(FIRST).await, 1, "nothing is past its time");
    for _ in 0..10 {
        day(&app).await;
    }
    let first = app.db.number(FIRST).await;
    assert!(first > 8, "{first}");
    let old = "SELECT count(*) FROM audit_log WHERE action = 'register'";
    assert_eq!(app.db.number(old).await, 0);
    assert!(app.db.number("SELECT min(sequence) FROM audit_seals").await == first - 1);
    let report = verify(&app.db, &[]).await;
    assert_eq!(report["begins_after"], first - 1);
    assert_eq!(report["entries"], app.db.number(KEPT).await);
    assert_eq!(report["whole"], true);
    let said = run(&app.db, &["audit", "verify"], &[]).await.success();
    assert!(said.contains(&format!("from {first} to ")), "{said}");
    let gone = announced(&app).swap_remove(0);
    let too_old = run(&app.db, &["audit", "verify", "--checkpoint", &gone], &[]).await;
    assert!(too_old.refusal().contains("give a later checkpoint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_goes_on_when_all_of_it_is_past_its_time() {
    let app = TestApp::start_with(MONTH).await;
    app.bob().await;
    seal(&app).await;
    app.advance(TimeDelta::days(40));
    seal(&app).await;
    seal(&app).await;
    assert_eq!(fault(&app.db, &[]).await, "");
    let left = app
        .db
        .texts("SELECT action FROM audit_log WHERE sequence IS NOT NULL ORDER BY sequence")
        .await;
    assert_eq!(left, ["sweep_audit_log"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_stay_for_ever_unless_a_time_is_set() {
    let app = TestApp::start().await;
    app.bob().await;
    seal(&app).await;
    app.advance(TimeDelta::days(10_000));
    seal(&app).await;
    assert_eq!(app.db.number(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn v16_4_2_a_prefix_that_somebody_else_cut_is_found() {
    let app = TestApp::start().await;
    app.bob().await;
    for _ in 0..3 {
        day(&app).await;
    }
    let first = app.db.number("SELECT min(sequence) FROM audit_seals").await;
    app.db.lift_trail_guard().await;
    app.db
        .execute(&format!(
            "DELETE FROM audit_log WHERE sequence <= {first}; DELETE FROM audit_seals WHERE sequence < {first}"
        ))
        .await;
    assert_eq!(fault(&app.db, &[]).await, "entry_missing 1");
    app.db
        .execute(&format!(
            "UPDATE audit_seals SET kind = 'beginning' WHERE sequence = {first}"
        ))
        .await;
    assert_eq!(
        fault(&app.db, &[]).await,
        format!("checkpoint_changed {first}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_not_ours_never_becomes_the_beginning() {
    let app = TestApp::start_with(MONTH).await;
    app.bob().await;
    day(&app).await;
    app.db.lift_trail_guard().await;
    app.db
        .execute("UPDATE audit_seals SET count = count - 1")
        .await;
    app.advance(TimeDelta::days(40));
    assert!(app.app.do_housekeeping().await.is_err());
    assert_eq!(app.db.number(FIRST).await, 1);
}
