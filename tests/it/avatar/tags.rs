//! `If-Match` on the picture, and on the account when it goes: two writers never lose an update.

use super::{AVATAR, flat};
use crate::support::{
    Reply, TestApp,
    people::{BOB, Person},
};
use axum::http::Method;

async fn put(app: &TestApp, bob: &Person, seen: &str, colour: [u8; 3]) -> Reply {
    let request = app.request(Method::PUT, AVATAR).bearer(&bob.access);
    let request = request.header("content-type", "image/png");
    let request = request.header("if-match", seen);
    request.body(flat(colour)).send().await
}

async fn delete(app: &TestApp, who: &Person, path: &str, seen: &str) -> Reply {
    let request = app.request(Method::DELETE, path).bearer(&who.access);
    request.header("if-match", seen).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_replaced_and_removed_only_as_it_was_seen() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    put(&app, &bob, "*", [1, 1, 1])
        .await
        .expect_problem(412, "stale");
    delete(&app, &bob, AVATAR, "*")
        .await
        .expect_problem(412, "stale");
    let first = app.put_avatar(&bob, "image/png", flat([1, 2, 3])).await;
    let first = first.expect(200).body["etag"].clone();
    let first = first.as_str().unwrap();
    let read = app.get_as(&bob.access, AVATAR).await;
    assert_eq!(read.header("etag"), first);
    let small = app.get_as(&bob.access, &format!("{AVATAR}?size=64")).await;
    let small = small.header("etag").to_owned();
    let second = put(&app, &bob, &small, [4, 5, 6]).await.expect(200);
    let second = second.body["etag"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    for stale in [first, &small, "\"3\"", &format!("W/{second}")] {
        put(&app, &bob, stale, [7, 8, 9])
            .await
            .expect_problem(412, "stale");
        delete(&app, &bob, AVATAR, stale)
            .await
            .expect_problem(412, "stale");
    }
    let last = app.audit().await;
    assert_eq!(last.last().unwrap(), "delete_avatar refused");
    assert_eq!(app.get_as(&bob.access, AVATAR).await.header("etag"), second);
    delete(&app, &bob, AVATAR, &format!("\"x\", {second}"))
        .await
        .expect(204);
    app.assert_no_picture().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_goes_only_as_it_was_seen() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let carol = app.person("carla@example.com").await;
    let me = "/api/v1/users/me";
    let path = format!("/api/v1/users/{}", bob.id);
    let read = app.get_as(&ada.access, &path).await.expect(200);
    let seen = read.header("etag").to_owned();
    let body = serde_json::json!({ "full_name": "Bob" });
    let changed = app.ask(Method::PATCH, &bob.access, me, body).await;
    let now = changed.expect(200).header("etag").to_owned();
    for stale in [&seen, "\"x\""] {
        delete(&app, &ada, &path, stale)
            .await
            .expect_problem(412, "stale");
        delete(&app, &carol, me, "\"999\"")
            .await
            .expect_problem(412, "stale");
    }
    assert!(app.audit().await.ends_with(&[
        "erase_user refused".to_owned(),
        "terminate_account refused".to_owned()
    ]));
    app.sign_in(BOB).await;
    delete(&app, &ada, &path, &now).await.expect(204);
    delete(&app, &carol, me, "*").await.expect(204);
}
