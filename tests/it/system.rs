//! The service about itself, whole: figures after real traffic, whom production shows them, life without a database.

use crate::support::{
    Reply, TestApp,
    app::{PASSWORD, PRODUCTION},
    people::BOB,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const METRICS_TOKEN: &str = "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1G";

#[tokio::test(flavor = "multi_thread")]
async fn after_traffic_the_figures_are_there() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    app.get("/nowhere").await.expect(404);
    app.app.do_housekeeping().await.unwrap();
    let metrics = app.get("/metrics").await.expect(200).text;
    for series in [
        "usher_http_requests_total{method=\"POST\",route=\"/api/v1/auth/login\",status=\"200\"} 1",
        "usher_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "usher_http_request_seconds_bucket{method=\"GET\",route=\"/api/v1/users/me\",le=\"+Inf\"} 1",
        "usher_http_request_seconds_count{method=\"GET\",route=\"/api/v1/users/me\"} 1",
        "usher_hash_queue_length 0",
        "usher_hash_seconds_count ",
        "usher_db_connections{state=\"open\"} ",
        "usher_db_connections{state=\"idle\"} ",
        "usher_mails_pending 0",
        "usher_mail_requests_pending 0",
        "usher_mails_total{outcome=\"sent\"} 1",
        // Without a broker nothing waits for it.
        "usher_outbox_events_undelivered 0",
        "usher_outbox_lag_seconds 0",
    ] {
        assert!(metrics.contains(series), "{series} is not in\n{metrics}");
    }
}

/// A production node with Ada in it; mails go into the test's list.
async fn production(settings: &[(&'static str, &'static str)]) -> TestApp {
    TestApp::start_with(&[PRODUCTION, settings].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn k5_production_shows_figures_to_operators_and_admins_only() {
    let app = production(&[("METRICS_TOKEN", METRICS_TOKEN)]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    for path in ["/metrics", "/db/status"] {
        app.get(path).await.expect_problem(401, "unauthenticated");
        app.get_as("garbage", path).await.expect(401);
        app.get_as(&bob.access, path)
            .await
            .expect_problem(403, "forbidden");
        for token in [METRICS_TOKEN, &ada.access] {
            let shown = app.get_as(token, path).await.expect(200);
            assert_eq!(shown.header("cache-control"), "no-store");
        }
        app.advance(TimeDelta::hours(1));
        app.get_as(&ada.access, path).await.expect(401);
        app.advance(TimeDelta::hours(-1));
    }
    // The token for figures is good for nothing else.
    app.get_as(METRICS_TOKEN, "/api/v1/users/me")
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn k5_production_has_none_of_the_doors_that_scanners_try() {
    let app = production(&[]).await;
    let ada = app.ada().await;
    for path in [
        "/.env",
        "/.git",
        "/.git/config",
        "/actuator",
        "/actuator/env",
        "/admin.php",
        "/debug",
        "/debug/pprof",
        "/dev/mailbox",
        "/dev/mailbox.json",
        "/docs/..%2f..%2fetc/passwd",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/..%5c..%5cetc%5cpasswd",
        "/docs/",
        "/redoc/..%2f..%2fCargo.toml",
        "/server-status",
        "/static/",
    ] {
        // A trailing slash is the same path, and the pages of the documentation are public by default.
        let expected = if path == "/docs/" { 200 } else { 404 };
        let reply = app.get_as(&ada.access, path).await;
        assert_eq!(reply.status, expected, "{path}: {}", reply.text);
        assert!(!reply.text.contains("root:"), "{path}");
    }
    let trace = app.request(Method::TRACE, "/health").send().await;
    trace.expect_problem(405, "method_not_allowed");
    for path in ["/", "/health", "/livez", "/readyz"] {
        let reply = app.get(path).await.expect(200);
        assert!(!reply.text.contains(env!("CARGO_PKG_VERSION")), "{path}");
        assert_eq!(
            reply.header("strict-transport-security"),
            "max-age=63072000; includeSubDomains"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_status_names_the_database_and_its_schema() {
    let app = TestApp::start().await;
    let status = app.get("/db/status").await.expect(200).body;
    let (backend, table) = if app.db.is_postgres() {
        (
            "postgresql",
            "SELECT count(*) FROM pg_tables WHERE tablename = 'users'",
        )
    } else {
        (
            "sqlite",
            "SELECT count(*) FROM sqlite_master WHERE name = 'users'",
        )
    };
    assert_eq!(app.db.number(table).await, 1);
    assert_eq!(status["backend"], backend);
    assert_eq!(status["status"], "up");
    assert!(status["latency_ms"].as_f64().unwrap() > 0.0);
    let applied = app.db.number("SELECT count(*) FROM seaql_migrations").await;
    assert_eq!(status["migrations"]["applied"], applied);
    assert_eq!(status["migrations"]["pending"], 0);
    let pool = &status["pool"];
    let count = |name: &str| pool[name].as_u64().unwrap();
    assert!(
        count("idle") <= count("size") && count("size") <= count("max"),
        "{pool}"
    );
    assert!(!status.to_string().contains(&app.db.url()));
    // A later version moves the schema on while this one still serves.
    app.db
        .execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2099_01_01_000001_later', 0)")
        .await;
    let moved = app.get("/db/status").await.expect(200).body;
    assert_eq!(moved["migrations"]["applied"], applied + 1);
    assert_eq!(moved["migrations"]["pending"], 0);
}

/// Takes the database away behind the service's back: shut for everybody on PostgreSQL, closed on SQLite.
async fn take_database_away(app: &TestApp) {
    // What stands in memory may be believed for a moment longer.
    app.db.touch();
    if !app.db.is_postgres() {
        app.app.close().await;
        return;
    }
    let mut server: url::Url = app.db.url().parse().unwrap();
    let name = server.path().trim_start_matches('/').to_owned();
    server.set_path("postgres");
    app.db.close().await;
    let mut server = PgConnection::connect(server.as_str()).await.unwrap();
    for sql in [
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ] {
        let sql = AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(&mut server).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_service_says_so_and_admits_nobody() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.inbox().await;
    take_database_away(&app).await;
    app.expect_errors();
    let login = json!({ "email": BOB, "password": PASSWORD });
    let sent: [(Method, &str, Value); 6] = [
        (Method::GET, "/health", Value::Null),
        (Method::GET, "/readyz", Value::Null),
        (Method::GET, "/db/status", Value::Null),
        (Method::GET, "/api/v1/users/me", Value::Null),
        (Method::POST, "/api/v1/auth/login", login),
        (
            Method::POST,
            "/api/v1/auth/refresh",
            json!({ "refresh_token": bob.refresh }),
        ),
    ];
    for (method, path, body) in sent {
        let mut request = app.request(method, path).bearer(&bob.access);
        if !body.is_null() {
            request = request.json(body);
        }
        let reply: Reply = request.send().await;
        assert_eq!(reply.status, 503, "{path}: {}", reply.text);
        let reply = reply.expect_problem(503, "unavailable");
        assert!(
            reply.header("retry-after").parse::<u32>().unwrap() >= 1,
            "{path}"
        );
        for inner in [
            "sqlx",
            "pool",
            "postgres",
            "sqlite",
            "usher_test",
            "relation",
        ] {
            assert!(
                !reply.text.to_lowercase().contains(inner),
                "{path}: {}",
                reply.text
            );
        }
    }
    for path in [
        "/livez",
        "/",
        "/openapi.json",
        "/.well-known/jwks.json",
        "/metrics",
    ] {
        app.get(path).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_can_check_an_access_token_by_the_published_keys_alone() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let keys = app.get("/.well-known/jwks.json").await.expect(200).body;
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys).unwrap();
    let head = jsonwebtoken::decode_header(&bob.access).unwrap();
    let key = keys.find(head.kid.as_deref().unwrap()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let mut rules = jsonwebtoken::Validation::new(head.alg);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.set_issuer(&["http://usher.test"]);
    let claims = jsonwebtoken::decode::<Value>(&bob.access, &key, &rules).unwrap();
    assert_eq!(claims.claims["sub"], bob.id);
    assert_eq!(claims.claims["exp"], app.now().timestamp() + 1_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_password_managers_look_there_is_a_page() {
    let app = TestApp::start().await;
    let found = app.get("/.well-known/change-password").await.expect(302);
    let page = app.request(Method::GET, found.header("location"));
    let page = page.header("accept", "text/html").send().await.expect(200);
    assert!(page.text.contains("<form"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_documentation_find_their_files() {
    let app = TestApp::start().await;
    for page in ["/docs", "/redoc"] {
        let html = app.get(page).await.expect(200).text;
        let files = html
            .split(['"', '\''])
            .filter(|part| [".js", ".css"].iter().any(|end| part.ends_with(end)));
        let files: Vec<String> = files.map(str::to_owned).collect();
        assert!(!files.is_empty(), "{page}: {html}");
        for file in files {
            assert!(file.starts_with('/'), "{page} loads {file}");
            let reply = app.get(&file).await.expect(200);
            assert!(reply.text.len() > 100, "{file}");
        }
    }
}
