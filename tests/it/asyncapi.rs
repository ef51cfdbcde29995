//! The `AsyncAPI` document: kept in `docs/` as it is served, and every event of every type keeps it.

use crate::support::{
    TestApp,
    app::PASSWORD,
    people::{BOB, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const KEPT: &str = include_str!("../../docs/asyncapi.json");

#[tokio::test(flavor = "multi_thread")]
async fn the_document_in_docs_is_the_one_that_is_served() {
    let app = TestApp::start().await;
    let served = app.get("/asyncapi.json").await.expect(200).body;
    let kept: Value = serde_json::from_str(KEPT).unwrap();
    assert!(
        kept == served,
        "renew it: cargo run -q -- asyncapi > docs/asyncapi.json"
    );
}

/// Everything that the API can do to Bob that makes an event.
async fn live(app: &TestApp) -> (Person, Person) {
    let ada = app.ada().await;
    let bob = app.bob().await;
    let person = format!("/api/v1/users/{}", bob.id);
    let name = json!({ "full_name": "Bob", "country": "NL" });
    app.ask(Method::PATCH, &bob.access, "/api/v1/users/me", name)
        .await
        .expect(200);
    let wrong = json!({ "email": BOB, "password": "WrongPass123" });
    app.post("/api/v1/auth/login", wrong).await.expect(401);
    let staff = async |method: Method, end: &str, body: Value| {
        let path = format!("{person}/{end}");
        app.ask(method, &ada.access, &path, body).await.expect(200)
    };
    staff(Method::PUT, "subscription", json!({ "tier": "premium" })).await;
    staff(
        Method::PUT,
        "roles",
        json!({ "roles": ["user", "manager"] }),
    )
    .await;
    let bob = app.sign_in(BOB).await;
    let new = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
    app.post_as(&bob.access, "/api/v1/auth/change-password", new)
        .await;
    let bob = app.sign_in(BOB).await;
    app.post_as(&bob.access, "/api/v1/auth/logout", json!({}))
        .await;
    let bob = app.sign_in(BOB).await;
    staff(Method::POST, "deactivate", json!({})).await;
    staff(Method::POST, "reactivate", json!({})).await;
    (ada, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_every_type_keeps_the_document() {
    let settings = [("MAIL_TRANSPORT", "events"), ("MAX_LOGIN_FAILURES", "3")];
    let app = TestApp::start_with(&settings).await;
    let (ada, bob) = live(&app).await;
    let request = json!({ "email": BOB });
    app.post("/api/v1/auth/password-reset-request", request)
        .await
        .expect(202);
    app.catch_up().await;
    let person = format!("/api/v1/users/{}", bob.id);
    let email = json!({ "email": "bob@second.example" });
    app.ask(Method::PATCH, &ada.access, &person, email)
        .await
        .expect(200);
    app.sign_up("carol@example.com").await;
    app.verify("carol@example.com").await;
    let carol = app.sign_in("carol@example.com").await;
    app.advance(chrono::TimeDelta::seconds(60));
    let again = json!({ "refresh_token": carol.refresh });
    app.post("/api/v1/auth/refresh", again.clone())
        .await
        .expect(200);
    app.advance(chrono::TimeDelta::seconds(60));
    app.post("/api/v1/auth/refresh", again).await.expect(401);
    for _ in 0..4 {
        let wrong = json!({ "email": "carol@example.com", "password": "WrongPass123" });
        let stranger = app.request(Method::POST, "/api/v1/auth/login");
        let stranger = stranger.header("user-agent", "curl/8.5.0");
        stranger.json(wrong).send().await;
    }
    let document = app.get("/asyncapi.json").await.expect(200).body;
    let seen = read_all(&app, &ada, &document).await;
    let told = document["components"]["messages"].as_object().unwrap();
    let missing: Vec<&String> = told.keys().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "no event of {missing:?}");
    // And once more, when there is nothing of Bob left.
    app.ask(Method::DELETE, &ada.access, &person, Value::Null)
        .await
        .expect(204);
    assert!(
        read_all(&app, &ada, &document)
            .await
            .contains("user.deleted")
    );
}

/// The types of all events in the feed, each of which keeps the document.
async fn read_all(app: &TestApp, ada: &Person, document: &Value) -> BTreeSet<String> {
    app.catch_up().await;
    app.app.place_events().await.unwrap();
    let mut seen = BTreeSet::new();
    let mut next = Some("/api/v1/events?limit=100".to_owned());
    while let Some(path) = next {
        let page = app.get_as(&ada.access, &path).await.expect(200);
        for event in page.body["items"].as_array().unwrap() {
            must_keep(document, event);
            seen.insert(event["type"].as_str().unwrap().to_owned());
        }
        next = page.body["_links"]["next"]["href"]
            .as_str()
            .map(str::to_owned);
    }
    seen
}

/// The event is what the document says of its type, and its data says nothing that the document does not.
fn must_keep(document: &Value, event: &Value) {
    let kind = event["type"].as_str().unwrap();
    let components = &document["components"];
    let schema = json!({
        "$ref": format!("#/components/schemas/{kind}"),
        "components": components,
    });
    let rules = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft7)
        .should_validate_formats(true)
        .build(&json!({ "allOf": [schema], "components": components }))
        .unwrap();
    let broken: Vec<String> = rules
        .iter_errors(event)
        .map(|error| error.to_string())
        .collect();
    assert!(broken.is_empty(), "{kind}: {broken:?} {event}");
    let data = &components["schemas"][kind]["properties"]["data"]["anyOf"][0]["properties"];
    for name in event["data"]
        .as_object()
        .into_iter()
        .flat_map(|data| data.keys())
    {
        assert!(data.get(name).is_some(), "{kind} says nothing of {name}");
    }
}

#[test]
fn the_table_in_docs_names_every_field_of_every_type() {
    let kept: Value = serde_json::from_str(KEPT).unwrap();
    let rows: Vec<&str> = include_str!("../../docs/events.md")
        .lines()
        .filter(|line| line.starts_with("| `user."))
        .collect();
    let mut types = 0;
    for (name, schema) in kept["components"]["schemas"].as_object().unwrap() {
        let forms = schema["properties"]["data"]["anyOf"].as_array();
        let mut fields = forms.into_iter().flatten();
        let Some(fields) = fields.find_map(|form| form["properties"].as_object()) else {
            continue;
        };
        types += 1;
        let mut row = rows.iter().filter(|row| row.contains(&format!("`{name}`")));
        let row = row.next().unwrap_or_else(|| panic!("{name} has no row"));
        for field in fields.keys() {
            assert!(row.contains(&format!("`{field}`")), "{name}: {field}");
        }
    }
    assert_eq!(types, 17);
}
