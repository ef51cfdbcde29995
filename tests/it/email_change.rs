//! Changing one's address: asked for with the password, confirmed from the new mailbox, told to the old one.

mod undo;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::{BOB, DAVE, PIA, Person},
};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

const CHANGE: &str = "/api/v1/auth/change-email";
const CONFIRM: &str = "/api/v1/auth/confirm-email-change";
const UNDO: &str = "/api/v1/auth/undo-email-change";
const NEW: &str = "bob.new@example.com";

impl TestApp {
    /// Asks for another address and reads the token that goes there.
    async fn wish(&self, who: &Person, new: &str) -> String {
        let body = json!({ "new_email": new, "password": PASSWORD });
        self.post_as(&who.access, CHANGE, body).await.expect(202);
        self.last_token_to(new).await
    }

    /// Shows a mailed token.
    async fn show(&self, path: &str, token: &str) -> Reply {
        self.post(path, json!({ "token": token })).await
    }

    /// Changes an address; the undo token that the old one was sent.
    async fn move_to(&self, who: &Person, old: &str, new: &str) -> String {
        let token = self.wish(who, new).await;
        self.show(CONFIRM, &token).await.expect(200);
        self.last_token_to(old).await
    }

    async fn address_of(&self, who: &Person) -> String {
        let me = self.get_as(&who.access, "/api/v1/users/me").await;
        me.expect(200).body["email"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_a_new_address_replaces_the_old_one_once_it_answers() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let token = app.wish(&bob, NEW).await;
    let asked = app.mails_to(NEW).await.pop().unwrap();
    assert_eq!(
        asked.subject,
        "Confirm your new e-mail address for usher.test"
    );
    let link = format!("\nhttp://usher.test/confirm-email-change#token={token}\n");
    assert!(asked.text.contains(&link), "{}", asked.text);
    assert_eq!(app.address_of(&bob).await, BOB, "not before it answers");
    assert_eq!(app.try_password(NEW, PASSWORD).await, 401);

    let reply = app.show(CONFIRM, &token).await.expect(200);
    let message = "Your e-mail address is changed.";
    assert_eq!(reply.body, json!({ "message": message }));
    assert_eq!(app.address_of(&bob).await, NEW, "the session stays");
    assert_eq!(app.try_password(NEW, PASSWORD).await, 200);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 401);

    let told = app.mails_to(BOB).await.pop().unwrap();
    assert_eq!(
        told.subject,
        "The e-mail address of your account at usher.test was changed"
    );
    let link = "\nhttp://usher.test/undo-email-change#token=";
    assert!(told.text.contains(link), "{}", told.text);
    assert!(!told.text.contains(NEW), "the new address is not told");
    let mut audit = app.audit().await;
    audit.retain(|entry| entry.contains("email_change") || entry.contains("change_email"));
    assert_eq!(
        audit,
        ["change_email success", "confirm_email_change success"]
    );
    let events = app.events().await;
    assert!(events.contains(&"user.email_changed".to_owned()));
    app.show(CONFIRM, &token)
        .await
        .expect_problem(410, "token_used");
    let logs = app.logs.text();
    for secret in [token.as_str(), NEW, BOB, PASSWORD] {
        assert!(!logs.contains(secret), "the log tells {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_v7_5_1_without_the_password_no_change_begins() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let before = app.inbox().await.len();
    app.post_as(&bob.access, CHANGE, json!({ "new_email": NEW }))
        .await
        .expect_problem(422, "validation_failed");
    let wrong = json!({ "new_email": NEW, "password": "WrongPass123" });
    app.post_as(&bob.access, CHANGE, wrong.clone())
        .await
        .expect_problem(403, "wrong_password");
    app.post(CHANGE, wrong)
        .await
        .expect_problem(401, "unauthenticated");
    for (body, broken) in [
        (json!({}), vec!["new_email: required", "password: required"]),
        (
            json!({ "new_email": null, "password": null }),
            vec!["new_email: required", "password: required"],
        ),
        (
            json!({ "new_email": "x@example.com\r\nBcc: y@example.com", "password": PASSWORD }),
            vec!["new_email: format"],
        ),
        (
            json!({ "new_email": " BOB@Example.COM ", "password": PASSWORD }),
            vec!["new_email: unchanged"],
        ),
    ] {
        let reply = app.post_as(&bob.access, CHANGE, body).await;
        assert_eq!(reply.violations(), broken, "{}", reply.text);
    }
    assert_eq!(app.inbox().await.len(), before, "nobody got a mail");
    assert_eq!(app.address_of(&bob).await, BOB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_told_where_signing_up_tells_it() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.pia().await;
    let before = app.inbox().await.len();
    let body = json!({ "new_email": PIA.to_uppercase(), "password": PASSWORD });
    app.post_as(&bob.access, CHANGE, body)
        .await
        .expect_problem(409, "email_taken");
    assert_eq!(app.inbox().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_strict_privacy_a_taken_address_looks_like_a_free_one() {
    let app = TestApp::start_with(&[("SIGNUP_PRIVACY", "strict")]).await;
    for email in [BOB, PIA] {
        let form = json!({ "email": email, "password": PASSWORD });
        app.post("/api/v1/auth/register", form).await.expect(202);
        app.verify(email).await;
    }
    let bob = app.sign_in(BOB).await;
    let wish = async |new: &str| {
        let body = json!({ "new_email": new, "password": PASSWORD });
        let reply = app.post_as(&bob.access, CHANGE, body).await.expect(202);
        let names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        (reply.text, names)
    };
    assert_eq!(wish(PIA).await, wish(NEW).await);
    let mail = app.mails_to(PIA).await.pop().unwrap();
    assert!(mail.text.contains("/forgot-password"), "{}", mail.text);
    assert!(!mail.text.contains("token="), "{}", mail.text);
    let body = json!({ "new_email": PIA, "password": "WrongPass123" });
    app.post_as(&bob.access, CHANGE, body)
        .await
        .expect_problem(403, "wrong_password");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_want_one_address_one_gets_it() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let (bob, pia) = (app.bob().await, app.pia().await);
    let tokens = [app.wish(&bob, NEW).await, app.wish(&pia, NEW).await];
    let posts = tokens
        .iter()
        .map(|token| (None, CONFIRM, json!({ "token": token })));
    let replies = post_at_once(&nodes, posts.collect()).await;
    assert_eq!((count(&replies, 200), count(&replies, 409)), (1, 1));
    let addresses = [app.address_of(&bob).await, app.address_of(&pia).await];
    let winner = usize::from(replies[1].status == 200);
    assert_eq!(addresses[winner], NEW);
    assert_eq!(addresses[1 - winner], [BOB, PIA][1 - winner]);
    let told = app.mails_to([BOB, PIA][1 - winner]).await;
    assert_eq!(told.len(), 1, "only the mail of the sign-up");
    app.show(CONFIRM, &tokens[1 - winner])
        .await
        .expect_problem(409, "email_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_confirmation_shown_many_times_at_once_counts_once() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let bob = app.bob().await;
    let token = app.wish(&bob, NEW).await;
    let posts = (0..10).map(|_| (None, CONFIRM, json!({ "token": token })));
    let replies = post_at_once(&nodes, posts.collect()).await;
    assert_eq!((count(&replies, 200), count(&replies, 410)), (1, 9));
    let events = app.events().await;
    let changed = events.iter().filter(|e| *e == "user.email_changed");
    assert_eq!(changed.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_works_to_its_last_second_and_not_after() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let token = app.wish(&bob, NEW).await;
    app.advance(TimeDelta::hours(24));
    app.show(CONFIRM, &token)
        .await
        .expect_problem(410, "token_expired");
    let bob = app.sign_in(BOB).await;
    assert_eq!(app.address_of(&bob).await, BOB);
    let (earlier, token) = (app.wish(&bob, NEW).await, app.wish(&bob, NEW).await);
    app.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    app.show(CONFIRM, &earlier)
        .await
        .expect_problem(410, "token_expired");
    app.show(CONFIRM, &token).await.expect(200);
    app.advance(TimeDelta::hours(2));
    app.show(CONFIRM, &token)
        .await
        .expect_problem(410, "token_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_the_old_mailbox_die_with_the_change() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let reset = app.reset_token(BOB).await;
    app.move_to(&bob, BOB, NEW).await;
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    let before = app.inbox().await.len();
    let ask = json!({ "email": BOB });
    app.post("/api/v1/auth/password-reset-request", ask)
        .await
        .expect(202);
    assert_eq!(app.inbox().await.len(), before, "nobody has it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_past_the_recipients_limit_mails_nothing_and_the_trail_says_why() {
    let app = TestApp::start_with(&[("RATE_LIMIT_RECIPIENT", "1/1h")]).await;
    let bob = app.bob().await;
    let wish = json!({ "new_email": NEW, "password": PASSWORD });
    for _ in 0..2 {
        app.post_as(&bob.access, "/api/v1/auth/change-email", wish.clone())
            .await
            .expect(202);
    }
    assert_eq!(app.mails_to(NEW).await.len(), 1);
    let refused = "SELECT details FROM audit_log WHERE action = 'change_email' AND outcome = 'refused' \
        AND actor_id = subject_id";
    let told = app.db.texts(refused).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("rate_limited"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_account_keeps_its_address() {
    let app = TestApp::start().await;
    let dave = app.person(DAVE).await;
    let token = app.wish(&dave, NEW).await;
    app.set_in_users_table(
        DAVE,
        &dave.id,
        "UPDATE users SET status = 'deactivated' WHERE id = $id",
    )
    .await;
    app.show(CONFIRM, &token)
        .await
        .expect_problem(400, "token_invalid");
    assert_eq!(app.try_password(DAVE, PASSWORD).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_changes_no_address() {
    let app = TestApp::start().await;
    for path in [CONFIRM, UNDO] {
        for body in [json!({}), json!({ "token": null })] {
            let reply = app.post(path, body).await;
            assert_eq!(reply.violations(), ["token: required"]);
        }
        for token in ["", "x", &"A".repeat(43), &"A".repeat(200)] {
            app.show(path, token)
                .await
                .expect_problem(400, "token_invalid");
        }
    }
}
