//! Filters by what no one of the crowd has by itself, and the size of a page that nobody asked for.

use crate::support::TestApp;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn filters_by_country_role_and_status_find_who_fits() {
    let app = TestApp::start().await;
    let ada = app.crowd().await;
    for (who, sql) in [
        ("p1", "UPDATE users SET country = 'NL' WHERE id = $id"),
        (
            "p2",
            "UPDATE user_roles SET role = 'manager' WHERE user_id = $id",
        ),
        (
            "p3",
            "UPDATE users SET status = 'deactivated' WHERE id = $id",
        ),
        (
            "p4",
            "UPDATE users SET status = 'terminated', country = 'NL' WHERE id = $id",
        ),
    ] {
        let found = app.list(&ada, &format!("email={who}@example.com")).await;
        let id = found.expect(200).body["items"][0]["id"].clone();
        app.set_in_users_table(who, id.as_str().unwrap(), sql).await;
    }
    for (query, expected) in [
        ("country=NL", "p4 p1"),
        ("country=nld", "p4 p1"),
        ("country=Netherlands&status=pending", "p1"),
        ("role=manager", "p2"),
        ("role=manager&country=NL", ""),
        ("status=deactivated", "p3"),
        ("status=terminated", "p4"),
        ("status=terminated&country=BE", ""),
    ] {
        assert_eq!(app.listed(&ada, query).await.join(" "), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_20_items_unless_more_or_less_are_asked_for() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    for number in 0..20 {
        app.sign_up(&format!("n{number}@example.com")).await;
    }
    let first = app.list(&ada, "").await.expect(200).body;
    assert_eq!(first["items"].as_array().unwrap().len(), 20);
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let last = app.get_as(&ada.access, next).await.expect(200).body;
    assert_eq!(last["items"].as_array().unwrap().len(), 1);
    assert_eq!(last["next_cursor"], Value::Null);
    let whole = app.list(&ada, "limit=21").await.expect(200).body;
    assert_eq!(whole["items"].as_array().unwrap().len(), 21);
}
