//! People in pages, as staff lists them.

mod matches;

use crate::support::{
    Reply, TestApp,
    people::{PIA, Person},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

const USERS: &str = "/api/v1/users";
const SORTS: [&str; 5] = [
    "created_at",
    "updated_at",
    "last_login_at",
    "full_name",
    "username",
];

/// The addresses on a page, without what they have in common.
fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let name = |item: &Value| item["email"].as_str().unwrap().replace("@example.com", "");
    items.map(name).collect()
}

impl TestApp {
    async fn list(&self, who: &Person, query: &str) -> Reply {
        self.get_as(&who.access, &format!("{USERS}?{query}")).await
    }

    async fn listed(&self, who: &Person, query: &str) -> Vec<String> {
        names(&self.list(who, query).await.expect(200).body)
    }

    /// Follows a link of the pages until it ends.
    async fn walk(&self, who: &Person, from: Value, relation: &str) -> (Vec<Vec<String>>, Value) {
        let mut page = from;
        let mut pages = vec![names(&page)];
        while let Some(at) = page["_links"][relation]["href"].as_str() {
            page = self.get_as(&who.access, at).await.expect(200).body;
            pages.push(names(&page));
            assert!(pages.len() < 50, "the pages go round in circles");
        }
        (pages, page)
    }

    /// Ada and eight others; some have names, some have signed in, and two share a name.
    async fn crowd(&self) -> Person {
        let ada = self.ada().await;
        for (number, name) in [
            Some("Zoe"),
            None,
            Some("adam"),
            Some("Émile"),
            None,
            Some("Zoe"),
            Some("100% Max_1"),
            None,
        ]
        .into_iter()
        .enumerate()
        {
            self.advance(TimeDelta::minutes(1));
            let email = format!("p{number}@example.com");
            let mut form = json!({ "email": email, "password": crate::support::app::PASSWORD });
            if let Some(name) = name {
                form["full_name"] = json!(name);
            }
            if number % 2 == 0 {
                form["username"] = json!(format!("User{}", 9 - number));
            }
            self.post("/api/v1/auth/register", form).await.expect(201);
            if number % 3 == 0 {
                self.verify(&email).await;
                self.sign_in(&email).await;
            }
        }
        ada
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_order_the_pages_lead_to_the_end_and_back_and_lose_nobody() {
    let app = TestApp::start().await;
    let ada = app.crowd().await;
    for sort in SORTS {
        for sign in ["", "-"] {
            let all = app
                .listed(&ada, &format!("sort={sign}{sort}&limit=100"))
                .await;
            assert_eq!(all.len(), 9, "{sign}{sort}");
            let first = app.list(&ada, &format!("sort={sign}{sort}&limit=2")).await;
            let first = first.expect(200).body;
            assert!(first["_links"]["prev"].is_null());
            let (pages, last) = app.walk(&ada, first, "next").await;
            assert_eq!(pages.concat(), all, "{sign}{sort}");
            assert_eq!(pages.len(), 5, "{sign}{sort}");
            assert!(last["next_cursor"].is_null());
            let (mut back, _) = app.walk(&ada, last, "prev").await;
            back.reverse();
            assert_eq!(back.concat(), all, "{sign}{sort} backward");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_value_comes_last_whichever_way_the_list_runs() {
    let app = TestApp::start().await;
    let ada = app.crowd().await;
    for (sort, expected) in [
        ("full_name", "p6 p0 p5 p2 p3 ada p1 p4 p7"),
        ("-full_name", "p3 p2 p5 p0 p6 p7 p4 p1 ada"),
        ("username", "p6 p4 p2 p0 ada p1 p3 p5 p7"),
        ("-username", "p0 p2 p4 p6 p7 p5 p3 p1 ada"),
        ("last_login_at", "ada p0 p3 p6 p1 p2 p4 p5 p7"),
        ("-last_login_at", "p6 p3 p0 ada p7 p5 p4 p2 p1"),
        ("created_at", "ada p0 p1 p2 p3 p4 p5 p6 p7"),
    ] {
        let listed = app.listed(&ada, &format!("sort={sort}")).await;
        assert_eq!(listed.join(" "), expected, "{sort}");
    }
    let newest = app.listed(&ada, "").await;
    assert_eq!(newest.join(" "), "p7 p6 p5 p4 p3 p2 p1 p0 ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_narrows_and_all_hold_at_once() {
    let app = TestApp::start().await;
    let ada = app.crowd().await;
    for (query, expected) in [
        ("q=zoe", "p5 p0"),
        ("q=ZOE", "p5 p0"),
        ("q=%C3%89mile", "p3"),
        ("q=USER7", "p2"),
        ("q=%25", "422"),
        ("q=x_1", "p6"),
        ("q=x%5C_1", ""),
        ("q=zoe%25", ""),
        ("email=P3@Example.com", "p3"),
        ("email=p3", "422"),
        ("email=nobody@example.com", ""),
        ("role=admin", "ada"),
        ("role=manager", ""),
        ("role=user&limit=3", "p7 p6 p5"),
        ("status=active", "p6 p3 p0 ada"),
        ("status=pending&q=zoe", "p5"),
        ("verified=true", "p6 p3 p0 ada"),
        ("verified=false&q=zoe", "p5"),
        ("country=NL", ""),
        ("tier=premium", ""),
        ("created_from=2026-01-05T12:07:00Z", "p7 p6"),
        ("created_to=2026-01-05T12:01:00Z", "ada"),
        (
            "created_from=2026-01-05&created_to=2026-01-06&role=admin",
            "ada",
        ),
        ("last_login_from=2026-01-05T12:04:00Z", "p6 p3"),
        ("last_login_to=2026-01-05T12:04:00Z", "p0 ada"),
    ] {
        let reply = app.list(&ada, query).await;
        if expected == "422" {
            reply.expect(422);
            continue;
        }
        assert_eq!(
            names(&reply.expect(200).body).join(" "),
            expected,
            "{query}"
        );
    }
    let counted = app.list(&ada, "role=user&limit=3&include=total").await;
    assert_eq!(counted.expect(200).body["total"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_premium_that_has_run_out_is_listed_as_basic() {
    let app = TestApp::start().await;
    let (ada, pia) = (app.ada().await, app.pia().await);
    assert_eq!(app.listed(&ada, "tier=premium").await, ["pia"]);
    let until = (app.now() + TimeDelta::hours(1)).to_rfc3339();
    let sql = format!("UPDATE users SET tier_until = '{until}' WHERE id = $id");
    app.set_in_users_table(PIA, &pia.id, &sql).await;
    assert_eq!(app.listed(&ada, "tier=premium").await, ["pia"]);
    app.advance(TimeDelta::hours(1));
    let ada = app.ada().await;
    assert_eq!(app.listed(&ada, "tier=premium").await, [""; 0]);
    assert_eq!(app.listed(&ada, "tier=basic").await, ["pia", "ada"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_wrong_parameters_are_told_at_once() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let query = "q=%20&email=x&role=root&status=gone&tier=gold&country=Atlantis&verified=yes&created_from=today\
                 &created_to=1&last_login_from=x&last_login_to=2026-13-01&sort=id&limit=0&cursor=x&include=all";
    let reply = app.list(&ada, query).await;
    assert_eq!(
        reply.violations(),
        [
            "country: unknown_value",
            "created_from: format",
            "created_to: format",
            "cursor: format",
            "email: format",
            "include: unknown_value",
            "last_login_from: format",
            "last_login_to: format",
            "limit: format",
            "q: too_short",
            "role: unknown_value",
            "sort: unknown_value",
            "status: unknown_value",
            "tier: unknown_value",
            "verified: format",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_order_or_with_a_foreign_value_is_refused() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let app = TestApp::start().await;
    let ada = app.crowd().await;
    let first = app.list(&ada, "limit=2").await.expect(200).body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let other = format!("sort=full_name&cursor={cursor}");
    assert_eq!(
        app.list(&ada, &other).await.violations(),
        ["cursor: format"]
    );
    let id = "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d";
    for key in [
        json!(null),
        json!("'); DROP TABLE users"),
        json!("0"),
        json!(7),
    ] {
        let forged = json!({ "o": "-created_at", "k": key, "i": id }).to_string();
        let forged = URL_SAFE_NO_PAD.encode(forged);
        let reply = app.list(&ada, &format!("cursor={forged}")).await;
        assert_eq!(reply.violations(), ["cursor: format"], "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_by_what_was_searched_and_not_for_what() {
    let app = TestApp::start().await;
    let max = app.max().await;
    app.list(&max, "email=bob@example.com&status=active&sort=username")
        .await
        .expect(200);
    let last = "SELECT details FROM audit_log WHERE action = 'list_users'";
    let details = app.db.texts(last).await;
    assert_eq!(details, [r#"{"filters":["email","status"]}"#]);
    let subjects =
        "SELECT count(*) FROM audit_log WHERE action = 'list_users' AND subject_id IS NOT NULL";
    assert_eq!(app.db.number(subjects).await, 0);
}
