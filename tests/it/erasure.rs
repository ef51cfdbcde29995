//! Erasing people: nothing of them is left that anybody could read.

mod tables;

use crate::{
    secrecy::disk,
    support::{
        TestApp,
        at_once::{ask_at_once, count},
        people::{BOB, Person},
    },
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

/// What nobody else has; so long that no page of the database holds it by chance.
const NAME: &str = "Canaria Erased-Name";
const USERNAME: &str = "canary-erased";
const TITLE: &str = "Erased canary keeper";
const EMAIL: &str = "canary.erased@first-nest.example";

impl TestApp {
    async fn erase(&self, who: &Person, id: &str) -> crate::support::Reply {
        let at = format!("/api/v1/users/{id}");
        self.ask(Method::DELETE, &who.access, &at, Value::Null)
            .await
    }

    /// Somebody with something in every table of people, and mails on their way.
    async fn canary(&self) -> Person {
        let canary = self.person(EMAIL).await;
        let all = json!({
            "full_name": NAME, "username": USERNAME, "current_title": TITLE, "country": "NL",
            "location": "Canary Wharf Erased",
        });
        let me = "/api/v1/users/me";
        self.ask(Method::PATCH, &canary.access, me, all)
            .await
            .expect(200);
        let short = json!({ "full_name": "Short" });
        self.ask(Method::PATCH, &canary.access, me, short)
            .await
            .expect(200);
        let again = json!({ "full_name": NAME });
        self.ask(Method::PATCH, &canary.access, me, again)
            .await
            .expect(200);
        let told = json!({ "headline": TITLE, "bio": "A life at Canary Wharf Erased", "skills": ["canary-erased"] });
        let profile = "/api/v1/users/me/profile";
        self.ask(Method::PUT, &canary.access, profile, told)
            .await
            .expect(200);
        let body = json!({ "email": EMAIL });
        self.post("/api/v1/auth/password-reset-request", body)
            .await
            .expect(202);
        self.catch_up().await;
        canary
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_an_erased_person_is_gone_from_every_table_and_every_node() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (ada, canary) = (app.ada().await, app.canary().await);
    node.get_as(&canary.access, "/api/v1/users/me")
        .await
        .expect(200);
    let reply = app.erase(&ada, &canary.id).await.expect(204);
    assert_eq!(reply.text, "");
    for on in [&app, &node] {
        on.get_as(&canary.access, "/api/v1/users/me")
            .await
            .expect_problem(401, "session_ended");
        on.get_as(&ada.access, &format!("/api/v1/users/{}", canary.id))
            .await
            .expect_problem(404, "not_found");
    }
    let refresh = json!({ "refresh_token": canary.refresh });
    app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    assert_eq!(
        app.try_password(EMAIL, crate::support::app::PASSWORD).await,
        401
    );
    app.erase(&ada, &canary.id)
        .await
        .expect_problem(404, "not_found");
    for table in [
        "users WHERE id <> $ada",
        "user_keys WHERE user_id <> $ada",
        "user_roles WHERE user_id <> $ada",
        "credentials WHERE user_id <> $ada",
        "known_devices WHERE user_id <> $ada",
        "user_sessions WHERE user_id <> $ada",
        "email_verifications",
        "password_resets",
        "outbox_mails",
        "user_profiles",
        "user_preferences",
        "avatars",
        "search_documents WHERE user_id <> $ada",
    ] {
        let ada = if app.db.is_postgres() {
            format!("'{}'", ada.id)
        } else {
            format!("X'{}'", ada.id.replace('-', ""))
        };
        let sql = format!("SELECT count(*) FROM {}", table.replace("$ada", &ada));
        assert_eq!(app.db.number(&sql).await, 0, "{table}");
    }
    assert_eq!(app.events().await.last().unwrap(), "user.deleted");
    let audit = app.audit().await;
    assert!(audit.contains(&"erase_user success".to_owned()));
    assert!(
        audit.contains(&"register success".to_owned()),
        "the trail stays"
    );
    app.sign_up(EMAIL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_nothing_of_an_erased_person_is_left_on_the_disk() {
    let app = TestApp::start().await;
    let (ada, canary) = (app.ada().await, app.canary().await);
    app.inbox().await;
    let before = disk::contents(&app.db).await;
    assert!(before.contains(NAME), "the disk was not read");
    app.erase(&ada, &canary.id).await.expect(204);
    let after = disk::contents(&app.db).await;
    let small = after.to_lowercase();
    for text in [NAME, USERNAME, TITLE, EMAIL, "Canary Wharf Erased"] {
        assert!(!small.contains(&text.to_lowercase()), "{text} is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_the_keys_tells_nothing_of_who_was_erased_since() {
    let app = TestApp::start().await;
    app.expect_errors();
    let (ada, canary) = (app.ada().await, app.canary().await);
    let keep = "CREATE TABLE kept AS SELECT * FROM users WHERE full_name = 'Canaria Erased-Name'";
    app.db.execute(keep).await;
    app.erase(&ada, &canary.id).await.expect(204);
    app.db.execute("INSERT INTO users SELECT * FROM kept").await;
    let node = app.start_node(2, &[]).await;
    for on in [&app, &node] {
        let at = format!("/api/v1/users/{}", canary.id);
        on.get_as(&ada.access, &at).await.expect(404);
        let all = on.get_as(&ada.access, "/api/v1/users").await.expect(200);
        assert!(!all.text.contains(EMAIL) && !all.text.contains(NAME));
        let reset = json!({ "email": EMAIL });
        on.post("/api/v1/auth/password-reset-request", reset)
            .await
            .expect(202);
        on.catch_up().await;
        let left = "SELECT count(*) FROM mail_requests";
        assert_eq!(app.db.number(left).await, 0, "nobody has the address");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_person_needs_a_fresh_proof_and_leaves_an_admin() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    app.erase(&ada, &ada.id)
        .await
        .expect_problem(409, "last_admin");
    assert_eq!(app.audit().await.last().unwrap(), "erase_user refused");
    app.advance(TimeDelta::minutes(10));
    app.erase(&ada, &bob.id)
        .await
        .expect_problem(403, "reauthentication_required");
    let max = app.max_as_admin().await;
    app.erase(&max, &max.id).await.expect(204);
    app.get_as(&max.access, "/api/v1/users/me")
        .await
        .expect(401);
    assert_eq!(app.db.number("SELECT count(*) FROM users").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_of_two_admins_who_erase_each_other_at_once_one_stays() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, max) = (app.ada().await, app.max_as_admin().await);
        let ask = |who: &Person, other: &Person| {
            let at = format!("/api/v1/users/{}", other.id);
            (Method::DELETE, who.access.clone(), at, Value::Null)
        };
        let replies = ask_at_once(&nodes, vec![ask(&ada, &max), ask(&max, &ada)]).await;
        assert_eq!(count(&replies, 204), 1, "{replies:?}");
        let admins = "SELECT count(*) FROM user_roles WHERE role = 'admin'";
        assert_eq!(app.db.number(admins).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_erased_while_he_acts_is_told_so_and_nothing_breaks() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, bob) = (app.ada().await, app.bob().await);
        let login = json!({ "email": BOB, "password": crate::support::app::PASSWORD });
        let me = "/api/v1/users/me".to_owned();
        let token = || bob.access.clone();
        let asks = vec![
            (
                Method::DELETE,
                ada.access.clone(),
                format!("/api/v1/users/{}", bob.id),
                Value::Null,
            ),
            (
                Method::PATCH,
                token(),
                me.clone(),
                json!({ "full_name": "Still Here" }),
            ),
            (Method::POST, String::new(), "/login".to_owned(), login),
            (Method::POST, token(), "/logout".to_owned(), Value::Null),
            (
                Method::POST,
                String::new(),
                "/auth/refresh".to_owned(),
                json!({ "refresh_token": bob.refresh }),
            ),
        ];
        let replies = ask_at_once(&nodes, asks).await;
        assert_eq!(replies[0].status, 204, "{}", replies[0].text);
        assert!(
            replies.iter().all(|reply| reply.status < 500),
            "{replies:?}"
        );
        assert_eq!(app.db.number("SELECT count(*) FROM users").await, 1);
        assert_eq!(app.db.number("SELECT count(*) FROM user_keys").await, 1);
    }
}
