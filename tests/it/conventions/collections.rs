//! Every list comes in pages: by key, so that nothing is told twice or left out because something came in between.

use crate::support::{TestApp, document::Document, people::BOB};
use chrono::TimeDelta;
use serde_json::{Value, json};

const SESSIONS: &str = "/api/v1/auth/sessions";
const WEBHOOKS: &str = "/api/v1/webhooks";

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The pages from here on, by `next` or `prev`.
async fn walk(app: &TestApp, token: &str, from: &str, way: &str) -> Vec<Vec<String>> {
    let (mut pages, mut at) = (Vec::new(), Some(from.to_owned()));
    while let Some(here) = at {
        let page = app.get_as(token, &here).await.expect(200);
        let next = &page.body["_links"]["next"]["href"];
        assert_eq!(next.is_null(), page.body["next_cursor"].is_null(), "{here}");
        pages.push(ids(&page.body));
        at = page.body["_links"][way]["href"].as_str().map(str::to_owned);
        assert!(pages.len() < 50, "no end of it");
    }
    pages
}

/// The way to the last page, which is all that `prev` needs.
async fn last_page(app: &TestApp, token: &str, from: &str) -> String {
    let mut here = from.to_owned();
    loop {
        let page = app.get_as(token, &here).await.expect(200);
        match page.body["_links"]["next"]["href"].as_str() {
            Some(next) => next.clone_into(&mut here),
            None => return here,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_collection_takes_a_limit_and_a_cursor_and_no_other() {
    // Three rows that never change.
    const WHOLE: [&str; 1] = ["list_roles"];
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let document = Document::of(&app).await;
    let mut lists = 0;
    for operation in document.operations() {
        let schema = &operation.described["responses"]["200"]["content"]["application/json"];
        let is_list = schema["schema"].to_string().contains("CollectionResponse_");
        if !is_list || WHOLE.contains(&operation.id.as_str()) {
            continue;
        }
        lists += 1;
        let place = operation.place();
        for name in ["limit", "cursor"] {
            assert!(operation.query.contains(&name.to_owned()), "{place} {name}");
        }
        // Of a webhook that nobody has there is no list.
        if operation.path.contains('{') {
            continue;
        }
        for (query, field) in [
            ("page=1", "page"),
            ("page=0", "page"),
            ("offset=20", "offset"),
            ("page_size=9223372036854775808", "page_size"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("limit=9223372036854775808", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=%00", "cursor"),
            // Of no list that there is.
            (
                "cursor=eyJvIjoieCIsImsiOm51bGwsImkiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAifQ",
                "cursor",
            ),
        ] {
            let at = format!("{}?{query}", operation.path);
            let broken = app.get_as(&ada.access, &at).await.violations();
            assert!(
                broken.contains(&format!("{field}: format")),
                "{place} {query}: {broken:?}"
            );
        }
    }
    assert!(lists >= 8, "only {lists} lists");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_come_in_pages_newest_first() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let ada = app.ada().await;
    for _ in 0..24 {
        app.advance(TimeDelta::seconds(1));
        app.sign_in(BOB).await;
    }
    let whole = format!("{SESSIONS}?limit=100");
    let all = ids(&app.get_as(&bob.access, &whole).await.expect(200).body);
    assert_eq!(all.len(), 25);
    assert!(all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    let first = app.get_as(&bob.access, SESSIONS).await.expect(200);
    assert_eq!(ids(&first.body), all[..20]);
    let sevens = format!("{SESSIONS}?limit=7");
    let pages = walk(&app, &bob.access, &sevens, "next").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7, 4]);
    assert_eq!(pages.concat(), all);
    let last = last_page(&app, &bob.access, &sevens).await;
    let mut back = walk(&app, &bob.access, &last, "prev").await;
    back.reverse();
    assert_eq!(back.concat(), all);
    // Who signs in or out in between moves nothing from one page to another.
    let page = app.get_as(&bob.access, &sevens).await.expect(200);
    app.advance(TimeDelta::seconds(1));
    app.sign_in(BOB).await;
    let end = app.request(
        axum::http::Method::DELETE,
        &format!("{SESSIONS}/{}", all[6]),
    );
    end.bearer(&bob.access).send().await.expect(204);
    let next = page.body["_links"]["next"]["href"].as_str().unwrap();
    let next = app.get_as(&bob.access, next).await.expect(200);
    assert_eq!(ids(&next.body), all[7..14]);
    // Another person's place in the list is a place in one's own, with nothing of theirs on it.
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let hers = format!("{SESSIONS}?cursor={cursor}");
    let hers = app.get_as(&ada.access, &hers).await.expect(200);
    for id in ids(&hers.body) {
        assert!(!all.contains(&id), "{id}");
    }
    let stats = app.get_as(&bob.access, "/api/v1/users/me/stats").await;
    assert_eq!(stats.body["active_sessions"], 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_come_in_pages_oldest_first() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let mut made = Vec::new();
    for number in 0..5 {
        app.advance(TimeDelta::seconds(1));
        let form = json!({ "url": format!("https://hooks.example.com/{number}"), "events": ["*"] });
        let reply = app.post_as(&ada.access, WEBHOOKS, form).await.expect(201);
        made.push(reply.body["id"].as_str().unwrap().to_owned());
    }
    let twos = format!("{WEBHOOKS}?limit=2");
    let pages = walk(&app, &ada.access, &twos, "next").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pages.concat(), made);
    let last = last_page(&app, &ada.access, &twos).await;
    let mut back = walk(&app, &ada.access, &last, "prev").await;
    back.reverse();
    assert_eq!(back.concat(), made);
    let bob = app.bob().await;
    app.get_as(&bob.access, &format!("{WEBHOOKS}?limit=x"))
        .await
        .expect_problem(403, "forbidden");
}
