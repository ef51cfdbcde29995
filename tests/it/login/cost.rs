//! What a sign-in costs: the hash as it is stored, and what is held while it is computed.

use super::{LOGIN, WRONG};
use crate::support::{
    TestApp,
    at_once::{count, post_at_once},
};
use axum::http::Method;
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn d13_a_password_that_is_being_hashed_holds_no_connection() {
    let app = TestApp::start_with(&[
        ("DB_POOL_SIZE", "1"),
        ("HASH_THREADS", "1"),
        ("HASH_MEMORY_KIB", "65536"),
        ("HASH_ITERATIONS", "6"),
        ("REQUEST_TIMEOUT_SECONDS", "60"),
    ]);
    let app = Arc::new(app.await);
    let bob = app.bob().await;
    let form = json!({ "email": "nobody@example.com", "password": WRONG });
    let nodes = [Arc::clone(&app)];
    let guesses =
        tokio::spawn(async move { post_at_once(&nodes, vec![(None, LOGIN, form); 4]).await });
    for number in 0..5 {
        let name = json!({ "full_name": format!("Bob {number}") });
        let me = "/api/v1/users/me";
        app.ask(Method::PATCH, &bob.access, me, name)
            .await
            .expect(200);
    }
    assert!(!guesses.is_finished(), "nothing was being hashed");
    assert_eq!(count(&guesses.await.unwrap(), 401), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn v11_4_2_a_stored_password_has_the_least_cost_that_production_takes() {
    let cost = [("HASH_MEMORY_KIB", "19456"), ("HASH_ITERATIONS", "2")];
    let app = TestApp::start_with(&cost).await;
    app.bob().await;
    let hashes = "SELECT password_hash FROM credentials";
    for hash in app.db.texts(hashes).await {
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
    }
}
