//! Probes, the way in, keys and the meaning of problems.

use super::*;
use serde_json::json;

#[tokio::test]
async fn a_probe_says_up_and_nothing_else() {
    let bench = Bench::new(true, Docs::Public).await;
    for path in ["/health", "/livez", "/readyz"] {
        let answer = bench.get(path, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, r#"{"status":"up"}"#, "{path}");
    }
}

#[tokio::test]
async fn a_node_that_stops_is_alive_but_not_ready() {
    let bench = Bench::new(true, Docs::Public).await;
    bench.system.services.drain();
    let answer = bench.get("/readyz", None).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["code"], "unavailable");
    for path in ["/livez", "/health"] {
        assert_eq!(bench.get(path, None).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn without_its_database_a_node_is_alive_but_neither_healthy_nor_ready() {
    let bench = Bench::new(true, Docs::Public).await;
    bench.system.services.store.close().await;
    for path in ["/health", "/readyz"] {
        let answer = bench.get(path, None).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.json()["code"], "unavailable");
    }
    assert_eq!(bench.get("/livez", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn in_production_the_way_in_names_no_version() {
    let open = Bench::new(false, Docs::Public).await;
    let home = open.get("/", None).await.json();
    assert_eq!(home["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(home["links"]["docs"], "/docs");
    let closed = Bench::new(true, Docs::Off).await;
    let home = closed.get("/", None).await.json();
    assert_eq!(home["name"], "Usher");
    assert_eq!(home.get("version"), None);
    assert_eq!(home["links"].get("docs"), None);
}

#[tokio::test]
async fn the_keys_may_be_kept_for_five_minutes_and_are_public_ones() {
    let bench = Bench::new(true, Docs::Public).await;
    let answer = bench.get("/.well-known/jwks.json", None).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let keys = answer.json()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(keys[0]["kty"], "OKP");
    assert_eq!(keys[0].get("d"), None);
    let etag = answer.header("etag");
    let again = bench.get_known("/.well-known/jwks.json", etag).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
}

#[tokio::test]
async fn password_managers_are_sent_to_the_page() {
    let bench = Bench::new(true, Docs::Public).await;
    let answer = bench.get("/.well-known/change-password", None).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.header("location"), "/forgot-password");
}

#[tokio::test]
async fn every_code_is_explained_and_others_are_not_there() {
    let bench = Bench::new(true, Docs::Off).await;
    let answer = bench.get("/problems/email_taken", None).await.json();
    assert_eq!(
        answer,
        json!({
            "type": "/problems/email_taken", "code": "email_taken", "title": "Email taken", "status": 409,
            "detail": "Another account has this e-mail address."
        })
    );
    for path in ["/problems/nothing", "/problems/%2e%2e", "/problems/%ff"] {
        assert_eq!(
            bench.get(path, None).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}
