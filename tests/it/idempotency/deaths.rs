//! Runs that died: before they took effect they are run again, after it they are not. The database plays the death: it
//! refuses what a dead process does not write any more.

use super::{KEY, LOGIN, REGISTER, assert_replayed, login, races::at_once, sign_up};
use crate::support::{Reply, TestApp, people::BOB};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

const DECLINE: &str = "/api/v1/auth/verify-email/decline";
/// A run that dies has not written its answer.
const ANSWER: (&str, &str) = ("UPDATE OF answer_sealed", "idempotency_keys");
/// Nor has it given its request up.
const GIVING_UP: (&str, &str) = ("DELETE", "idempotency_keys");
/// One that dies before its commit has opened no session.
const SESSION: (&str, &str) = ("INSERT", "user_sessions");

impl TestApp {
    /// Has the database answer such a write by this.
    async fn answer_write(&self, (what, table): (&str, &str), body: &str) {
        let make = if self.db.is_postgres() {
            format!(
                "CREATE OR REPLACE FUNCTION death() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
                 CREATE TRIGGER death_{table} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION death()"
            )
        } else {
            format!("CREATE TRIGGER death_{table} BEFORE {what} ON {table} BEGIN {body}; END")
        };
        self.db.execute(&make).await;
    }

    /// Has the database refuse such a write.
    async fn refuse_write(&self, write: (&str, &str)) {
        let refuse = if self.db.is_postgres() {
            "RAISE EXCEPTION 'dead'"
        } else {
            "SELECT RAISE(ABORT, 'dead')"
        };
        self.answer_write(write, refuse).await;
    }

    /// Ends what was said for writes to this table.
    async fn allow_writes(&self, table: &str) {
        let on = if self.db.is_postgres() {
            format!(" ON {table}")
        } else {
            String::new()
        };
        let allow = format!("DROP TRIGGER death_{table}{on}");
        self.db.execute(&allow).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_took_effect_and_lost_its_answer_is_not_run_again() {
    let app = TestApp::start().await;
    app.bob().await;
    let before = app.sessions().await;
    app.refuse_write(ANSWER).await;
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    app.allow_writes("idempotency_keys").await;
    app.advance(TimeDelta::seconds(59));
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect_problem(409, "idempotency_in_flight");
    for wait in [1, 100, 80_000] {
        app.advance(TimeDelta::seconds(wait));
        app.post_once(KEY, None, (LOGIN, &login()))
            .await
            .expect_problem(409, "idempotency_outcome_unknown");
    }
    assert_eq!(app.sessions().await, before + 1);
    app.advance(TimeDelta::hours(24));
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_run_died_before_it_took_effect_runs_after_its_lease() {
    let app = TestApp::start().await;
    app.expect_errors();
    app.bob().await;
    let before = app.sessions().await;
    app.refuse_write(SESSION).await;
    app.refuse_write(GIVING_UP).await;
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect_problem(500, "internal");
    app.allow_writes("user_sessions").await;
    app.allow_writes("idempotency_keys").await;
    app.advance(TimeDelta::seconds(59));
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect_problem(409, "idempotency_in_flight");
    app.advance(TimeDelta::seconds(1));
    let first = app
        .post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_replayed(&app.post_once(KEY, None, (LOGIN, &login())).await, &first);
    assert_eq!(app.sessions().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_before_it_took_effect_runs_at_once() {
    let app = TestApp::start().await;
    app.expect_errors();
    app.bob().await;
    app.refuse_write(SESSION).await;
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect_problem(500, "internal");
    app.allow_writes("user_sessions").await;
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_after_it_took_effect_is_not_run_again() {
    let app = TestApp::start().await;
    app.expect_errors();
    let ada = app.ada().await;
    let webhook = app
        .webhook(&ada.access, "https://1.1.1.1/hook", &["user.created"])
        .await;
    let id = webhook["id"].as_str().unwrap();
    let rotate = format!("/api/v1/webhooks/{id}/rotate-secret");
    let rotate = || app.post_once(KEY, Some(&ada), (&rotate, &Value::Null));
    // The address is read for the answer, after the commit.
    app.db
        .execute("UPDATE webhooks SET url_sealed = secret_sealed")
        .await;
    rotate().await.expect_problem(500, "internal");
    let version = "SELECT version FROM webhooks";
    let rotated = app.db.number(version).await;
    rotate()
        .await
        .expect_problem(409, "idempotency_outcome_unknown");
    assert_eq!(app.db.number(version).await, rotated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_request_was_given_to_another_takes_no_effect() {
    let app = TestApp::start().await;
    app.bob().await;
    let before = app.sessions().await;
    let other = if app.db.is_postgres() {
        "gen_random_uuid()"
    } else {
        "randomblob(16)"
    };
    let give = format!("UPDATE idempotency_keys SET run_id = {other}");
    app.answer_write(SESSION, &give).await;
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect_problem(409, "idempotency_in_flight");
    assert_eq!(app.sessions().await, before);
    app.allow_writes("user_sessions").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_run_died_is_taken_over_by_one() {
    let app = Arc::new(TestApp::start().await);
    app.expect_errors();
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    nodes[1].expect_errors();
    app.refuse_write(("INSERT", "users")).await;
    app.refuse_write(GIVING_UP).await;
    app.post_once(KEY, None, (REGISTER, &sign_up()))
        .await
        .expect_problem(500, "internal");
    app.allow_writes("users").await;
    app.allow_writes("idempotency_keys").await;
    app.advance(TimeDelta::minutes(2));
    let replies = at_once(&nodes, 10).await;
    let ran =
        |reply: &&Reply| reply.status == 201 && reply.header("idempotency-replayed").is_empty();
    assert_eq!(replies.iter().filter(ran).count(), 1);
    assert!(
        replies
            .iter()
            .all(|reply| matches!(reply.status, 201 | 409))
    );
    assert_eq!(app.db.number("SELECT count(*) FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_by_the_request_takes_its_key_along() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    app.sign_up(BOB).await;
    let bob = app.sign_in(BOB).await;
    let token = json!({ "token": app.last_token_to(BOB).await });
    app.post_once(KEY, Some(&bob), (DECLINE, &token))
        .await
        .expect(200);
    assert_eq!((app.keys().await, app.sessions().await), (0, 0));
}
