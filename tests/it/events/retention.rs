//! A cursor whose place the feed has forgotten: whoever would miss events is told so, and nobody else.

use super::{each, items, monitor, read};
use crate::support::{
    TestApp,
    database::TestDatabase,
    people::Person,
    process::{Service, run},
};
use chrono::TimeDelta;

const LAST: &str = "SELECT CAST(max(position) AS bigint) FROM outbox_events";

/// The feed's first page of two events, and the query of the page beside it in this direction.
async fn beside(app: &TestApp, who: &Person, query: &str, link: &str) -> String {
    let page = read(app, who, query).await;
    let href = page.body["_links"][link]["href"].as_str().unwrap();
    href.split_once('?').unwrap().1.to_owned()
}

/// Forgets all events so far but the last one, and has some new ones.
async fn forget(app: &TestApp) {
    app.app.place_events().await.unwrap();
    app.advance(TimeDelta::days(31));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.db.number("SELECT count(*) FROM outbox_events").await, 1);
    app.carol().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_after_which_events_were_deleted_unread_has_expired() {
    let app = TestApp::start().await;
    app.bob().await;
    let ada = app.ada().await;
    let forward = beside(&app, &ada, "?limit=2", "next").await;
    let filtered = beside(&app, &ada, "?limit=1&type=user.created", "monitor").await;
    let second = read(&app, &ada, &format!("?{forward}")).await;
    let backward = second.body["_links"]["prev"]["href"].as_str().unwrap();
    let backward = backward.split_once('?').unwrap().1;
    forget(&app).await;
    let ada = app.ada().await;
    for query in [forward.as_str(), &filtered, backward] {
        let expired = read(&app, &ada, &format!("?{query}")).await;
        expired.expect_problem(410, "cursor_expired");
        assert_eq!(app.audit().await.last().unwrap(), "list_events refused");
    }
    let anew = read(&app, &ada, "?limit=100").await;
    assert!(items(&anew).len() > 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_everything_that_is_gone_goes_on_and_may_go_back_to_the_beginning() {
    let app = TestApp::start().await;
    app.bob().await;
    let ada = app.ada().await;
    let all = read(&app, &ada, "?limit=100").await;
    let last = app.db.number(LAST).await;
    assert_eq!(i64::try_from(items(&all).len()).unwrap(), last);
    // The place of the last event that will be deleted: nothing that follows it is.
    let most = read(&app, &ada, &format!("?limit={}", last - 1)).await;
    forget(&app).await;
    let ada = app.ada().await;
    let kept = each(&read(&app, &ada, "?limit=100").await, "id");
    for page in [&all, &most] {
        let later = read(&app, &ada, &monitor(page)).await;
        let read_before = usize::from(items(page).len() == items(&all).len());
        assert_eq!(each(&later, "id"), kept[read_before..]);
    }
    let second = beside(&app, &ada, "?limit=1", "next").await;
    let second = read(&app, &ada, &format!("?{second}")).await;
    let first = second.body["_links"]["prev"]["href"].as_str().unwrap();
    let first = read(
        &app,
        &ada,
        &format!("?{}", first.split_once('?').unwrap().1),
    )
    .await;
    assert_eq!(each(&first, "id"), kept[..1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_among_the_deleted_hides_no_gap() {
    let app = TestApp::start().await;
    app.bob().await;
    let ada = app.ada().await;
    let page = read(&app, &ada, "?limit=2").await;
    // The third event is kept, as one that waits for a broker would be.
    let young =
        "UPDATE outbox_events SET occurred_at = '2030-01-01T00:00:00+00:00' WHERE position = 3";
    assert_eq!(app.db.execute(young).await, 1);
    app.advance(TimeDelta::days(31));
    app.app.do_housekeeping().await.unwrap();
    let left = "SELECT count(*) FROM outbox_events WHERE position <= 3";
    assert_eq!(app.db.number(left).await, 1);
    let ada = app.ada().await;
    let next = page.body["_links"]["next"]["href"].as_str().unwrap();
    app.get_as(&ada.access, next)
        .await
        .expect_problem(410, "cursor_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_before_the_service_kept_account_of_it_is_found_by_its_gap() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    for number in 0..3 {
        service.sign_up(&format!("p{number}@example.com")).await;
    }
    let placed = "SELECT count(*) FROM outbox_events WHERE position IS NOT NULL";
    while db.number(placed).await < 6 {
        tokio::task::yield_now().await;
    }
    service.stop().await;
    let kept = "SELECT count(*) FROM seaql_migrations WHERE version LIKE '%create_event_horizon'";
    while db.number(kept).await > 0 {
        run(&db, &["migrate", "down"], &[]).await.success();
    }
    let gone = "DELETE FROM outbox_events WHERE position IN (1, 2, 4)";
    assert_eq!(db.execute(gone).await, 3);
    run(&db, &["migrate", "up"], &[]).await.success();
    let horizon = "SELECT CAST(max(position) AS bigint) FROM event_horizon";
    assert_eq!(db.number(horizon).await, 4);
}
