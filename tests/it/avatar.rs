//! One's picture: sent, kept, served. What the decoder itself refuses is proven beside it, in `infra/image`.

mod bodies;
mod tags;
mod viewers;

use crate::support::{
    Reply, TestApp,
    people::{BOB, Person},
};
use axum::http::Method;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::json;
use std::{io::Cursor, sync::Arc};
use tokio::{sync::Barrier, task::JoinSet};

pub const AVATAR: &str = "/api/v1/users/me/avatar";

/// A picture of one colour.
pub fn flat(colour: [u8; 3]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let image = DynamicImage::from(RgbImage::from_pixel(30, 20, Rgb(colour)));
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

impl TestApp {
    /// Sends a picture as the body itself.
    pub async fn put_avatar(&self, who: &Person, kind: &str, file: Vec<u8>) -> Reply {
        let request = self.request(Method::PUT, AVATAR).bearer(&who.access);
        request.header("content-type", kind).body(file).send().await
    }

    /// Whether anything is kept of pictures.
    pub async fn assert_no_picture(&self) {
        let rows = self.db.number("SELECT count(*) FROM avatars").await;
        let tags = "SELECT count(*) FROM users WHERE avatar_tag IS NOT NULL";
        assert_eq!((rows, self.db.number(tags).await), (0, 0));
    }
}

#[track_caller]
fn assert_is_picture(reply: &Reply, side: u32, colour: [u8; 3]) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "image/png");
    let picture = image::load_from_memory(&reply.bytes).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (side, side));
    assert_eq!(picture.get_pixel(side / 2, side / 2).0, colour);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_and_served_in_both_sizes() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let me = app.get_as(&bob.access, "/api/v1/users/me").await;
    assert_eq!(me.body["avatar_url"], json!(null));
    let reply = app.put_avatar(&bob, "image/png", flat([200, 10, 10])).await;
    let url = format!("/api/v1/users/{}/avatar", bob.id);
    let etag = app.get_as(&bob.access, AVATAR).await;
    let etag = etag.header("etag");
    let told = json!({ "avatar_url": url, "etag": etag });
    assert_eq!(reply.expect(200).body, told);
    let changed = app.get_as(&bob.access, "/api/v1/users/me").await;
    assert_eq!(changed.body["avatar_url"], json!(url));
    assert_eq!(changed.body["_links"]["avatar"]["href"], json!(url));
    assert!(changed.body["version"].as_i64() > me.body["version"].as_i64());
    for path in [AVATAR, "/users/me/avatar", &url] {
        let large = app.get_as(&bob.access, path).await;
        assert_is_picture(&large, 512, [200, 10, 10]);
        let large_too = app.get_as(&bob.access, &format!("{path}?size=512")).await;
        assert_eq!(large_too.header("etag"), large.header("etag"));
        let small = app.get_as(&bob.access, &format!("{path}?size=64")).await;
        assert_is_picture(&small, 64, [200, 10, 10]);
        assert_ne!(small.header("etag"), large.header("etag"));
    }
    for size in ["", "0", "128", "512.0", "064"] {
        let path = format!("{AVATAR}?size={size}");
        let reply = app.get_as(&bob.access, &path).await;
        assert_eq!(reply.violations(), ["size: unknown_value"], "{size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_asked_for_again_by_its_tag_and_is_nobodys_but_the_askers() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    let first = app.get_as(&bob.access, AVATAR).await.expect(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with("-512\""), "{tag}");
    let again = async |tag: &str| {
        let request = app.request(Method::GET, AVATAR).bearer(&bob.access);
        request.header("if-none-match", tag).send().await
    };
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let reply = again(&known).await.expect(304);
        assert_eq!(
            (reply.header("etag"), reply.text.as_str()),
            (tag.as_str(), "")
        );
    }
    for reply in [first, again(&tag).await] {
        let kept = reply.header("cache-control");
        assert_eq!(kept, "private, max-age=0, must-revalidate");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("vary").contains("authorization"));
        assert!(
            reply
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    let served = app.get_as(&bob.access, AVATAR).await;
    assert_eq!(
        served.header("content-disposition"),
        "inline; filename=\"avatar.png\""
    );
    again("\"other-512\"").await.expect(200);
    app.put_avatar(&bob, "image/png", flat([9, 9, 9]))
        .await
        .expect(200);
    assert_is_picture(&again(&tag).await, 512, [9, 9, 9]);
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    again(&tag).await.expect(304);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_can_be_removed() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let remove = || {
        app.request(Method::DELETE, AVATAR)
            .bearer(&bob.access)
            .send()
    };
    assert_eq!(remove().await.expect(204).text, "");
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    remove().await.expect(204);
    remove().await.expect(204);
    app.get_as(&bob.access, AVATAR)
        .await
        .expect_problem(404, "not_found");
    let me = app.get_as(&bob.access, "/api/v1/users/me").await;
    assert_eq!(me.body["avatar_url"], json!(null));
    app.assert_no_picture().await;
    let told = |audit: &[String], line: &str| audit.iter().filter(|entry| *entry == line).count();
    let audit = app.audit().await;
    assert_eq!(told(&audit, "update_avatar success"), 1);
    assert_eq!(told(&audit, "delete_avatar success"), 1);
    assert_eq!(told(&app.events().await, "user.updated"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_sealed_at_rest() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.put_avatar(&bob, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    let clear = if app.db.is_postgres() {
        "SELECT count(*) FROM avatars WHERE position('IHDR'::bytea IN large_sealed) > 0 \
         OR position('IHDR'::bytea IN small_sealed) > 0"
    } else {
        "SELECT count(*) FROM avatars WHERE instr(large_sealed, CAST('IHDR' AS BLOB)) > 0 \
         OR instr(small_sealed, CAST('IHDR' AS BLOB)) > 0"
    };
    assert_eq!(app.db.number(clear).await, 0);
    assert_eq!(app.db.number("SELECT count(*) FROM avatars").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_pictures_that_are_sent_at_once_the_last_is_whole() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let bob = app.bob().await;
    let before = app.get_as(&bob.access, "/api/v1/users/me").await.body["version"].as_i64();
    let start = Arc::new(Barrier::new(6));
    let mut running = JoinSet::new();
    for place in 0..6_u8 {
        let (node, start, bob) = (
            Arc::clone(&nodes[usize::from(place) % 2]),
            Arc::clone(&start),
            bob.clone(),
        );
        running.spawn(async move {
            start.wait().await;
            node.put_avatar(&bob, "image/png", flat([place, 0, 0]))
                .await
        });
    }
    let replies = running.join_all().await;
    let kept = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(kept >= 1);
    for refused in replies.into_iter().filter(|reply| reply.status != 200) {
        let refused = refused.expect_problem(503, "busy");
        assert!(!refused.header("retry-after").is_empty());
    }
    let me = app.get_as(&bob.access, "/api/v1/users/me").await;
    let after = before.map(|version| version + i64::try_from(kept).unwrap());
    assert_eq!(me.body["version"].as_i64(), after);
    let [large, small] = [512, 64].map(|size| format!("{AVATAR}?size={size}"));
    let large = app.get_as(&bob.access, &large).await.expect(200);
    let colour = image::load_from_memory(&large.bytes)
        .unwrap()
        .into_rgb8()
        .get_pixel(9, 9)
        .0;
    assert_is_picture(&app.get_as(&bob.access, &small).await, 64, colour);
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_a_strangers_picture_goes_when_the_owner_of_the_address_comes() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    app.sign_up(BOB).await;
    let stranger = app.sign_in(BOB).await;
    app.put_avatar(&stranger, "image/png", flat([1, 2, 3]))
        .await
        .expect(200);
    // The mails of the sign-up leave first.
    app.inbox().await;
    let token = app.reset_token(BOB).await;
    let body = json!({ "token": token, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);
    app.assert_no_picture().await;
}
