//! Finding other people.

mod many;
mod profiles;

use crate::support::{TestApp, people::Person};
use axum::http::Method;
use serde_json::{Value, json};

const SEARCH: &str = "/api/v1/users/search";

impl TestApp {
    /// A person with these basic fields.
    async fn known_as(&self, email: &str, fields: Value) -> Person {
        let person = self.person(email).await;
        let request = self
            .request(Method::PATCH, "/api/v1/users/me")
            .bearer(&person.access);
        request.json(fields).send().await.expect(200);
        person
    }

    /// The names that a search finds, in order.
    async fn found(&self, by: &Person, query: &str) -> Vec<String> {
        let reply = self
            .get_as(&by.access, &format!("{SEARCH}?{query}"))
            .await
            .expect(200);
        names(&reply.body)
    }
}

fn names(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["full_name"].as_str().unwrap_or("-").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_any_part_of_a_word_and_the_best_first() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    for (number, (name, title)) in [
        ("Maria Anna", "Smith"),
        ("Anna", "Teacher"),
        ("Joanna Berg", "Teacher"),
        ("Anna Berg", "Smith"),
        ("Zoë Ångström", "Friend of Anna"),
        ("Bruce Li", "Actor"),
        ("Ali Baba", "Trader"),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = json!({ "full_name": name, "current_title": title });
        app.known_as(&format!("p{number}@example.com"), fields)
            .await;
    }
    let all = [
        "Anna",
        "Anna Berg",
        "Maria Anna",
        "Joanna Berg",
        "Zoë Ångström",
    ];
    assert_eq!(app.found(&pia, "q=anna").await, all);
    assert_eq!(
        app.found(&pia, "q=ANNA%20smi").await,
        ["Anna Berg", "Maria Anna"]
    );
    assert_eq!(app.found(&pia, "q=angstrom").await, ["Zoë Ångström"]);
    assert_eq!(
        app.found(&pia, "q=%C3%85NGSTR%C3%96M").await,
        ["Zoë Ångström"]
    );
    // Two letters are looked for at the beginning of words.
    assert_eq!(app.found(&pia, "q=li").await, ["Bruce Li"]);
    assert_eq!(app.found(&pia, "q=annasmith").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn d7_wildcards_and_operators_mean_themselves() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    app.known_as(
        "one@example.com",
        json!({ "full_name": "100% Proof_Reader" }),
    )
    .await;
    app.known_as(
        "two@example.com",
        json!({ "full_name": "Bob \"Quote\\Slash\" O'Neil AND (NOT) NEAR*" }),
    )
    .await;
    for (query, count) in [
        ("100%25", 1),
        ("100%25%20%25", 0),
        ("100%25%20_r", 0),
        ("f_r", 1),
        ("e%5Cs", 1),
        ("%22quote", 1),
        ("o'neil", 1),
        ("AND%20not", 1),
        ("NEAR*", 1),
        ("near(bob", 0),
        ("bob%20OR%20xyz", 0),
        ("document:bob", 0),
        ("'%20OR%201=1--", 0),
        ("(a%2B)%2B$", 0),
    ] {
        assert_eq!(
            app.found(&pia, &format!("q={query}")).await.len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d7_what_no_index_can_find_is_refused() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    for (query, violation) in [
        ("q=a", "q: too_short"),
        ("q=%25", "q: too_short"),
        ("q=%25%25%25", "q: too_short"),
        ("q=%25_%25_%25", "q: too_short"),
        ("q=___", "q: too_short"),
        ("q=%5C%5C%5C", "q: too_short"),
        ("q=*:*", "q: too_short"),
        ("q=", "q: too_short"),
        ("q=%00ab", "q: format"),
        ("skills=,", "skills: format"),
        ("skills=c,%25%25", "skills: format"),
        ("location=ab", "location: too_short"),
        ("location=%25%25%25", "location: too_short"),
        ("country=Atlantis", "country: unknown_value"),
        ("open_to_work=maybe", "open_to_work: format"),
        ("limit=0", "limit: format"),
        ("limit=101", "limit: format"),
        ("limit=9223372036854775807", "limit: format"),
        ("cursor=AAAA", "cursor: format"),
    ] {
        let reply = app.get_as(&pia.access, &format!("{SEARCH}?{query}")).await;
        assert_eq!(reply.violations(), [violation], "{query}");
    }
    let long = format!("{SEARCH}?q={}", "a".repeat(5_000));
    assert_eq!(
        app.get_as(&pia.access, &long).await.violations(),
        ["q: too_long"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_active_people_are_found_and_never_by_their_address() {
    let app = TestApp::start().await;
    let (pia, dave) = (
        app.pia().await,
        app.person("quite.findable@example.com").await,
    );
    let name = json!({ "full_name": "Dave Hidden" });
    let rename = app
        .request(Method::PATCH, "/api/v1/users/me")
        .bearer(&dave.access)
        .json(name);
    rename.send().await.expect(200);
    assert_eq!(app.found(&pia, "q=hidden").await.len(), 1);
    for part in ["q=findable", "q=example.com", "q=quite"] {
        assert_eq!(app.found(&pia, part).await.len(), 0, "{part}");
    }
    let end = json!({ "password": crate::support::app::PASSWORD, "confirm": true });
    app.post_as(&dave.access, "/terminate", end)
        .await
        .expect(204);
    assert_eq!(app.found(&pia, "q=hidden").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_and_the_list_of_all_are_paged_forth_and_back() {
    let app = TestApp::start().await;
    let pia = app
        .known_as("pia@example.com", json!({ "country": "DE" }))
        .await;
    app.set_in_users_table(
        "Pia",
        &pia.id,
        "UPDATE users SET tier = 'premium' WHERE id = $id",
    )
    .await;
    for number in 0..7 {
        let fields = json!({ "full_name": format!("Carl {number}"), "country": "NL" });
        app.known_as(&format!("c{number}@example.com"), fields)
            .await;
    }
    let all: Vec<String> = (0..7).map(|number| format!("Carl {number}")).collect();
    for filter in ["q=carl", "country=NL", "q=carl&country=Netherlands"] {
        let first = format!("{SEARCH}?{filter}&limit=3");
        let (mut seen, mut path, mut pages) = (Vec::new(), Some(first), Vec::new());
        while let Some(at) = path {
            let reply = app.get_as(&pia.access, &at).await.expect(200);
            seen.extend(names(&reply.body));
            path = reply.body["_links"]["next"]["href"]
                .as_str()
                .map(str::to_owned);
            assert_eq!(path.is_some(), reply.body["next_cursor"].is_string());
            assert_eq!(
                reply.header("link").contains("rel=\"next\""),
                path.is_some()
            );
            let prev = &reply.body["_links"]["prev"]["href"];
            let told = prev.as_str().map(|at| format!("<{at}>; rel=\"prev\""));
            assert_eq!(told.is_some(), !pages.is_empty());
            assert!(reply.header("link").contains(&told.unwrap_or_default()));
            pages.push(reply.body);
        }
        assert_eq!(
            (seen.as_slice(), pages.len()),
            (all.as_slice(), 3),
            "{filter}"
        );
        let back = pages[2]["_links"]["prev"]["href"].as_str().unwrap();
        let before = app.get_as(&pia.access, back).await.expect(200);
        assert_eq!(names(&before.body), all[3..6], "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z12_search_is_for_premium_members_and_staff() {
    let app = TestApp::start().await;
    let (bob, pia, max, ada) = (
        app.bob().await,
        app.pia().await,
        app.max().await,
        app.ada().await,
    );
    app.get(SEARCH).await.expect_problem(401, "unauthenticated");
    app.get_as(&bob.access, SEARCH)
        .await
        .expect_problem(403, "premium_required");
    for person in [&pia, &max, &ada] {
        app.get_as(&person.access, &format!("{SEARCH}?q=nobody"))
            .await
            .expect(200);
    }
    let sql = if app.db.is_postgres() {
        "UPDATE users SET tier_until = '2026-01-05T12:30:00Z' WHERE id = $id"
    } else {
        "UPDATE users SET tier_until = '2026-01-05 12:30:00+00:00' WHERE id = $id"
    };
    app.set_in_users_table("Pia", &pia.id, sql).await;
    app.advance(chrono::TimeDelta::minutes(29));
    app.get_as(&pia.access, SEARCH).await.expect(200);
    app.advance(chrono::TimeDelta::minutes(1));
    let pia = app.sign_in(&pia.email).await;
    app.get_as(&pia.access, SEARCH)
        .await
        .expect_problem(403, "premium_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn v14_2_6_a_found_person_shows_no_more_than_a_card() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    let fields = json!({ "full_name": "Ada Lovelace", "username": "ada.l", "country": "GB", "location": "London" });
    app.known_as("lovelace@example.com", fields).await;
    let reply = app
        .get_as(&pia.access, &format!("{SEARCH}?q=lovelace"))
        .await
        .expect(200);
    insta::assert_json_snapshot!(reply.body["items"], {
        "[].id" => "[id]",
        "[]._links.*.href" => "[href]",
    }, @r#"
    [
      {
        "_links": {
          "profile": {
            "href": "[href]"
          },
          "self": {
            "href": "[href]"
          }
        },
        "avatar_url": null,
        "country": "GB",
        "current_title": null,
        "full_name": "Ada Lovelace",
        "headline": null,
        "id": "[id]",
        "location": "London",
        "open_to_work": false,
        "skills": [],
        "state_province": null,
        "username": "ada.l"
      }
    ]
    "#);
}
