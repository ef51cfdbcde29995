//! Usher's own TLS, and what it does about people who come to its proxy without any.

use crate::support::{
    TestApp,
    app::{ADA, PASSWORD, PRODUCTION},
    database::TestDatabase,
    document::Document,
    process::{self, Service, run},
};
use axum::http::Method;
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Version};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PINNED: &str = "max-age=63072000; includeSubDomains";
const LOGIN: &str = "/api/v1/auth/login";

/// A production node that ends TLS itself.
async fn with_tls(db: &TestDatabase) -> Service {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let cert = CertificateParams::new(names).unwrap();
    let cert = cert.self_signed(&key).unwrap();
    let file = |name: &str, text: String| {
        let path = db.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (cert, key) = (
        file("tls.crt", cert.pem()),
        file("tls.key", key.serialize_pem()),
    );
    let tls = [("TLS_CERT", cert.as_str()), ("TLS_KEY", key.as_str())];
    run(db, &["migrate", "up"], &process::PRODUCTION)
        .await
        .success();
    Service::start(db, &[&process::PRODUCTION[..], &tls].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_4_1_over_its_own_tls_every_answer_pins_https_in_both_versions_of_http() {
    let db = TestDatabase::create().await;
    let service = with_tls(&db).await;
    let client = || Client::builder().tls_danger_accept_invalid_certs(true);
    let old = client().http1_only().build().unwrap();
    for (client, version) in [
        (client().build().unwrap(), Version::HTTP_2),
        (old, Version::HTTP_11),
    ] {
        for (path, status) in [
            ("/health", 200),
            ("/nowhere", 404),
            ("/api/v1/users/me", 401),
        ] {
            let url = format!("https://localhost:{}{path}", service.address.port());
            let reply = client.get(url).send().await.unwrap();
            assert_eq!(reply.version(), version);
            assert_eq!(reply.status().as_u16(), status, "{path}");
            assert_eq!(
                reply.headers()["strict-transport-security"],
                PINNED,
                "{path}"
            );
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v4_1_2_who_speaks_in_clear_where_tls_is_spoken_gets_no_answer() {
    let db = TestDatabase::create().await;
    let service = with_tls(&db).await;
    for path in ["/health", LOGIN, "/verify-email"] {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        let sent = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told).await;
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains("HTTP"), "{path}: {told}");
    }
    service.stop().await;
}

/// A sign-in that the proxy says it took by this scheme.
async fn sign_in_by(app: &TestApp, from: &str, scheme: &str) -> crate::support::Reply {
    let request = app.request(Method::POST, LOGIN).from(from);
    let request = request.header("x-forwarded-proto", scheme);
    let form = json!({ "email": ADA, "password": PASSWORD });
    request.json(form).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn v4_1_2_in_production_nothing_is_done_that_reached_the_proxy_in_clear() {
    let proxies = [("TRUSTED_PROXIES", "192.0.2.0/24")];
    let app = TestApp::start_with(&[PRODUCTION, &proxies].concat()).await;
    for operation in Document::of(&app).await.operations() {
        let request = operation.request(&app).header("x-forwarded-proto", "http");
        let reply = request.send().await;
        if ["/health", "/livez", "/readyz"].contains(&operation.path.as_str()) {
            reply.expect(200);
        } else {
            reply.expect_problem(400, "https_required");
        }
    }
    for scheme in ["http", "HTTP", "https, http"] {
        let refused = sign_in_by(&app, "192.0.2.7", scheme).await;
        let refused = refused.expect_problem(400, "https_required");
        assert!(!refused.text.contains("token"), "{}", refused.text);
        assert_eq!(refused.header("location"), "");
    }
    let logins = "SELECT count(*) FROM user_sessions";
    assert_eq!(app.db.number(logins).await, 0);
    sign_in_by(&app, "192.0.2.7", "https").await.expect(200);
    // Who is no proxy of ours says nothing about itself.
    sign_in_by(&app, "203.0.113.1", "http").await.expect(200);
    let development = TestApp::start_with(&proxies).await;
    sign_in_by(&development, "192.0.2.7", "http")
        .await
        .expect(200);
}
