//! Other people by id: who sees whom, and how much.

use crate::support::{
    Reply, TestApp,
    people::{BOB, Person},
};
use axum::http::Method;
use serde_json::{Value, json};

/// What can be seen of a person.
const VIEWS: [&str; 3] = ["", "/profile", "/preferences"];

impl TestApp {
    async fn tell(&self, who: &Person, path: &str, body: Value) {
        let path = format!("/api/v1/users/me{path}");
        let request = self.request(Method::PATCH, &path).bearer(&who.access);
        request.json(body).send().await.expect(200);
    }

    async fn look(&self, by: &Person, id: &str, view: &str) -> Reply {
        self.get_as(&by.access, &format!("/api/v1/users/{id}{view}"))
            .await
    }

    /// Bob, who tells much and is open to work.
    async fn talkative_bob(&self) -> Person {
        let bob = self.bob().await;
        self.tell(
            &bob,
            "",
            json!({ "full_name": "Bob", "location": "Utrecht" }),
        )
        .await;
        let profile = json!({ "headline": "Smith", "bio": "I forge.", "phone": "+31207946095", "skills": ["Iron"] });
        self.tell(&bob, "/profile", profile).await;
        let work = json!({ "open_to_work": true, "salary_min": 1, "salary_currency": "EUR", "extra": { "secret": 1 } });
        self.tell(&bob, "/preferences", work).await;
        bob
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn premium_members_see_a_card_a_profile_without_telephone_and_what_work_is_looked_for() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.talkative_bob().await, app.pia().await);
    let card = app.look(&pia, &bob.id, "").await.expect(200);
    let mut fields: Vec<&String> = card.body.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "_links",
            "avatar_url",
            "country",
            "current_title",
            "full_name",
            "headline",
            "id",
            "location",
            "open_to_work",
            "skills",
            "state_province",
            "username",
        ]
    );
    assert_eq!(card.body["headline"], "Smith");
    let there = format!("/api/v1/users/{}", bob.id);
    assert_eq!(
        card.body["_links"],
        json!({
            "self": { "href": there }, "profile": { "href": format!("{there}/profile") },
            "preferences": { "href": format!("{there}/preferences") },
        })
    );
    let profile = app.look(&pia, &bob.id, "/profile").await.expect(200).body;
    assert_eq!(
        (&profile["bio"], &profile["phone"]),
        (&json!("I forge."), &Value::Null)
    );
    let preferences = app
        .look(&pia, &bob.id, "/preferences")
        .await
        .expect(200)
        .body;
    assert_eq!(preferences["salary_min"], 1);
    for hidden in ["email_notifications", "marketing_emails", "extra"] {
        assert!(preferences.get(hidden).is_none(), "{hidden}");
    }
    for view in VIEWS {
        assert!(!app.look(&pia, &bob.id, view).await.text.contains(BOB));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_and_oneself_see_everything_and_staff_leaves_a_trace() {
    let app = TestApp::start().await;
    let (bob, max, ada) = (app.talkative_bob().await, app.max().await, app.ada().await);
    for person in [&bob, &max, &ada] {
        assert_eq!(
            app.look(person, &bob.id, "").await.expect(200).body["email"],
            BOB
        );
        let profile = app.look(person, &bob.id, "/profile").await.expect(200);
        assert_eq!(profile.body["phone"], "+31207946095");
        let preferences = app.look(person, &bob.id, "/preferences").await.expect(200);
        assert_eq!(preferences.body["extra"], json!({ "secret": 1 }));
    }
    let trail = app.audit().await;
    for action in ["get_user", "get_user_profile", "get_user_preferences"] {
        let row = format!("{action} success");
        assert_eq!(
            trail.iter().filter(|entry| **entry == row).count(),
            2,
            "{action}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn e6_the_hidden_the_inactive_the_absent_and_the_malformed_are_the_same() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.talkative_bob().await, app.pia().await);
    let hidden = app.person("hidden@example.com").await;
    app.tell(&hidden, "/profile", json!({ "visibility": "private" }))
        .await;
    app.tell(&hidden, "/preferences", json!({ "open_to_work": true }))
        .await;
    let dave = app.dave().await;
    let carol = app.carol().await;
    let absent = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f";
    for view in VIEWS {
        let mut answers = Vec::new();
        for id in [&hidden.id, &dave.id, &carol, absent, "nobody", "0"] {
            let reply = app.look(&pia, id, view).await;
            answers.push((
                reply.status,
                reply.body["code"].clone(),
                reply.body["detail"].clone(),
            ));
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        assert_eq!(answers[0].0, 404);
    }
    app.tell(&bob, "/preferences", json!({ "open_to_work": false }))
        .await;
    app.look(&pia, &bob.id, "/preferences")
        .await
        .expect_problem(404, "not_found");
    // A plain user learns nothing of anybody but themselves.
    for view in VIEWS {
        app.look(&bob, &bob.id, view).await.expect(200);
        for id in [&pia.id, &hidden.id, absent] {
            app.look(&bob, id, view)
                .await
                .expect_problem(403, "premium_required");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_by_others_are_counted_once_an_hour_each() {
    let app = TestApp::start().await;
    let (bob, pia, max) = (app.talkative_bob().await, app.pia().await, app.max().await);
    let views = async || {
        app.get_as(&bob.access, "/api/v1/users/me/stats")
            .await
            .expect(200)
            .body["profile_views"]
            .clone()
    };
    assert_eq!(views().await, 0);
    for _ in 0..3 {
        app.look(&pia, &bob.id, "").await.expect(200);
        app.look(&pia, &bob.id, "/profile").await.expect(200);
        app.look(&bob, &bob.id, "/profile").await.expect(200);
    }
    assert_eq!(views().await, 1);
    app.look(&max, &bob.id, "/profile").await.expect(200);
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(views().await, 2);
    app.advance(chrono::TimeDelta::hours(1));
    let (pia, bob) = (app.sign_in(&pia.email).await, app.sign_in(BOB).await);
    app.look(&pia, &bob.id, "/profile").await.expect(200);
    let stats = app
        .get_as(&bob.access, "/api/v1/users/me/stats")
        .await
        .expect(200);
    assert_eq!(stats.body["profile_views"], 3);
}
