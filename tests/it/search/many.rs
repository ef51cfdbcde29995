//! A word that very many people have: the answer stays bounded, the same, and holds those of that name.

use super::{SEARCH, names};
use crate::support::{TestApp, people::Person};
use serde_json::Value;
use std::collections::HashSet;

/// More than a search looks at.
const MANY: usize = 10_000;

impl TestApp {
    /// Adds people called Anna Smith and a number, and after them these. On PostgreSQL their documents are so long that
    /// the table is one of those that are read from wherever another reader is, and there is no index of trigrams.
    async fn add_smiths(&self, last: &[&str]) {
        let is_postgres = self.db.is_postgres();
        if is_postgres {
            let sql = "DROP INDEX search_documents_document_idx";
            self.db.execute(sql).await;
        }
        let series = if is_postgres {
            format!("SELECT n FROM generate_series(1, {MANY}) n")
        } else {
            format!(
                "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY}) SELECT n FROM s"
            )
        };
        self.add_people(&format!(
            "SELECT n, 'Anna Smith ' || n AS name FROM ({series}) AS s"
        ))
        .await;
        for (place, name) in last.iter().enumerate() {
            let number = MANY + 1 + place;
            self.add_people(&format!("SELECT {number} AS n, '{name}' AS name"))
                .await;
        }
        if is_postgres {
            self.db.execute("ANALYZE search_documents").await;
        }
    }

    async fn add_people(&self, people: &str) {
        let (id, bytes, long) = if self.db.is_postgres() {
            (
                "lpad(n::text, 32, '0')::uuid",
                "decode(lpad(n::text, 8, '0'), 'hex')",
                "(SELECT string_agg(md5(n::text || i), '') FROM generate_series(1, 55) i)",
            )
        } else {
            (
                "unhex(printf('%032d', n))",
                "unhex(printf('%08d', n))",
                "''",
            )
        };
        let users = format!(
            "INSERT INTO users (id, email_sealed, email_index, full_name, country, status, tier, created_at, updated_at) \
             SELECT {id}, {bytes}, {bytes}, name, CASE WHEN n % 2 = 0 THEN 'NL' ELSE 'BE' END, 'active', 'basic', \
             '2026-01-05 12:00:00+00:00', '2026-01-05 12:00:00+00:00' FROM ({people}) AS p ORDER BY n"
        );
        self.db.execute(&users).await;
        let documents = format!(
            "INSERT INTO search_documents (user_id, document, name, location, country, open_to_work, is_visible) \
             SELECT {id}, ' ' || lower(name) || ' ' || {long}, lower(name), '', \
             CASE WHEN n % 2 = 0 THEN 'NL' ELSE 'BE' END, false, true FROM ({people}) AS p ORDER BY n"
        );
        self.db.execute(&documents).await;
    }

    /// A page of a search.
    async fn page(&self, by: &Person, path: &str) -> Value {
        self.get_as(&by.access, path).await.expect(200).body
    }
}

fn link(page: &Value, to: &str) -> Option<String> {
    page["_links"][to]["href"].as_str().map(str::to_owned)
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_name_it_is_comes_first_however_many_have_the_word() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    app.add_smiths(&["Zoe Smith", "Smithson", "Smith", "Smith Anna"])
        .await;
    let first = |page: &Value| names(page)[..3].to_vec();
    let page = app.page(&pia, &format!("{SEARCH}?q=smith")).await;
    assert_eq!(first(&page), ["Smith", "Smith Anna", "Smithson"]);
    let page = app
        .page(&pia, &format!("{SEARCH}?q=smith&country=BE"))
        .await;
    assert_eq!(names(&page)[0], "Smith");
    assert!(!names(&page).contains(&"Smithson".to_owned()));
    let page = app.page(&pia, &format!("{SEARCH}?q=smith%20an")).await;
    assert_eq!(names(&page)[0], "Smith Anna");
    for filter in [
        "open_to_work=true",
        "location=utrecht",
        "skills=rust",
        "open_to_work=true&country=BE",
    ] {
        let page = app.page(&pia, &format!("{SEARCH}?q=smith&{filter}")).await;
        assert_eq!(names(&page), Vec::<String>::new(), "{filter}");
    }
    for filter in ["open_to_work=false", "open_to_work=false&country=BE"] {
        let page = app.page(&pia, &format!("{SEARCH}?q=smith&{filter}")).await;
        assert_eq!(names(&page)[0], "Smith", "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_search_finds_the_same_people_and_its_pages_join() {
    let app = TestApp::start().await;
    let pia = app.pia().await;
    app.add_smiths(&["Smith"]).await;
    let path = format!("{SEARCH}?q=smith&limit=100");
    let first = app.page(&pia, &path).await;
    for _ in 0..3 {
        assert_eq!(ids(&app.page(&pia, &path).await), ids(&first));
    }
    let (mut seen, mut page) = (ids(&first), first.clone());
    while let Some(next) = link(&page, "next") {
        let before = ids(&page);
        page = app.page(&pia, &next).await;
        let back = app.page(&pia, &link(&page, "prev").unwrap()).await;
        assert_eq!(ids(&back), before);
        seen.extend(ids(&page));
        assert!(seen.len() <= 1_000, "it never ends");
    }
    assert_eq!(seen.len(), 1_000);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 1_000);
}
