//! Finding people by what they tell in their profile, and paging through what they call themselves.

use super::SEARCH;
use crate::support::TestApp;
use axum::http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_people_tell_in_their_profile_is_found_and_who_hides_is_not() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    for (name, skills, open) in [
        ("Carla", json!(["Rust", "C"]), true),
        ("Dora", json!(["Rusty Nails", "C++"]), false),
    ] {
        let person = app
            .known_as(
                &format!("{}@example.com", name.to_lowercase()),
                json!({ "full_name": name, "location": "Den Haag" }),
            )
            .await;
        for (path, body) in [
            (
                "profile",
                json!({ "headline": format!("Headline of {name}"), "skills": skills }),
            ),
            ("preferences", json!({ "open_to_work": open })),
        ] {
            let path = format!("/api/v1/users/me/{path}");
            let request = app.request(Method::PUT, &path).bearer(&person.access);
            request.json(body).send().await.expect(200);
        }
    }
    for (query, found) in [
        ("q=headline", vec!["Carla", "Dora"]),
        ("q=headline%20dora", vec!["Dora"]),
        ("skills=rust", vec!["Carla"]),
        ("skills=c", vec!["Carla"]),
        ("skills=C%2B%2B", vec!["Dora"]),
        ("skills=rust,C", vec!["Carla"]),
        ("q=rust", vec!["Carla", "Dora"]),
        // Short words are found where a word or a skill begins.
        ("q=c%2B", vec!["Dora"]),
        ("q=C%2B%2B", vec!["Dora"]),
        ("q=ru", vec!["Carla", "Dora"]),
        ("q=c%2B%2B&open_to_work=false", vec!["Dora"]),
        ("q=c%2B%2B%20c", vec!["Dora"]),
        ("location=haag", vec!["Carla", "Dora"]),
        ("open_to_work=true", vec!["Carla"]),
        ("q=haag&open_to_work=false", vec!["Dora"]),
    ] {
        assert_eq!(app.found(&pia, query).await, found, "{query}");
    }
    let dora = app.sign_in("dora@example.com").await;
    let hide = app
        .request(Method::PATCH, "/api/v1/users/me/profile")
        .bearer(&dora.access);
    hide.json(json!({ "visibility": "private" }))
        .send()
        .await
        .expect(200);
    assert_eq!(app.found(&pia, "q=headline").await, ["Carla"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_signs_that_stand_for_many_breaks_no_page() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let name: String = ('\u{3300}'..='\u{3331}').chain(['\u{fdfa}'; 50]).collect();
    for email in ["one@example.com", "two@example.com"] {
        let fields = json!({ "full_name": name, "country": "NL" });
        app.known_as(email, fields).await;
    }
    for filter in ["q=%E3%8C%80", "country=NL"] {
        let first = format!("{SEARCH}?{filter}&limit=1");
        let first = app.get_as(&ada.access, &first).await.expect(200).body;
        let next = first["_links"]["next"]["href"].as_str().unwrap();
        let second = app.get_as(&ada.access, next).await.expect(200).body;
        assert_ne!(
            first["items"][0]["id"], second["items"][0]["id"],
            "{filter}"
        );
    }
}
