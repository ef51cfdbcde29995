//! Figures: to whom they are shown, and their shape.

use super::*;

const GUARDED: [&str; 2] = ["/metrics", "/db/status"];

#[tokio::test]
async fn in_development_figures_are_open() {
    let bench = Bench::new(false, Docs::Public).await;
    for path in GUARDED {
        assert_eq!(bench.get(path, None).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn in_production_figures_need_the_token_or_the_permission() {
    let bench = Bench::new(true, Docs::Public).await;
    let admin = bench.admin_token().await;
    for path in GUARDED {
        for token in [METRICS_TOKEN, &admin] {
            assert_eq!(
                bench.get(path, Some(token)).await.status,
                StatusCode::OK,
                "{path}"
            );
        }
        let longer = format!("{METRICS_TOKEN}x");
        for token in [
            None,
            Some(""),
            Some("x"),
            Some(&*longer),
            Some(&METRICS_TOKEN[1..]),
        ] {
            let refused = bench.get(path, token).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path} {token:?}");
            assert!(refused.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn without_a_configured_token_no_token_is_the_right_one() {
    let mut bench = Bench::new(true, Docs::Public).await;
    for configured in [None, Some("".into())] {
        let mut settings = (*bench.system.settings).clone();
        settings.metrics_token = configured;
        bench.system.settings = settings.into();
        for token in [None, Some(""), Some(METRICS_TOKEN)] {
            let refused = bench.get("/metrics", token).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn the_listener_for_operators_asks_for_no_token() {
    let bench = Bench::new(true, Docs::Off).await;
    for path in ["/health", "/livez", "/readyz", "/metrics", "/db/status"] {
        let answer = bench.get_as_operator(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_database_status_has_its_documented_shape() {
    let bench = Bench::new(false, Docs::Public).await;
    let answer = bench.get("/db/status", None).await;
    let status = answer.json();
    let names = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        names(&status),
        [
            "backend",
            "latency_ms",
            "migrations",
            "pool",
            "status",
            "version"
        ]
    );
    assert_eq!(names(&status["pool"]), ["idle", "max", "size"]);
    assert_eq!(
        names(&status["migrations"]),
        ["applied", "latest", "pending"]
    );
    assert_eq!(status["backend"], "sqlite");
    assert_eq!(status["migrations"]["pending"], 0);
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let bench = Bench::new(false, Docs::Public).await;
    let answer = bench.get("/metrics", None).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
}
