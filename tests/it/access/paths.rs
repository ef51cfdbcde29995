//! Which paths there are, by which methods, and under which other names.

use super::ask;
use crate::support::{
    Reply, TestApp,
    document::{Document, Operation, target},
};
use axum::http::Method;
use std::collections::BTreeSet;

/// The paths of API.md's chapter Authentication: method, path, and its twins.
const AUTHENTICATION: &[(&str, &str, &[&str])] = &[
    ("post", "register", &["/signup", "/auth/register"]),
    ("post", "login", &["/login", "/auth/login"]),
    ("post", "refresh", &["/auth/refresh"]),
    ("post", "logout", &["/logout", "/auth/logout"]),
    ("post", "logout-all", &[]),
    ("post", "reauthenticate", &[]),
    (
        "post",
        "password-reset-request",
        &["/password-reset-request", "/auth/request-password-reset"],
    ),
    (
        "post",
        "password-reset-confirm",
        &["/password-reset", "/auth/reset-password"],
    ),
    (
        "post",
        "verify-email-request",
        &["/auth/resend-verification"],
    ),
    ("post", "verify-email", &[]),
    ("post", "verify-email/decline", &[]),
    ("get", "me", &["/auth/me", "/api/v1/users/me", "/users/me"]),
    ("post", "change-password", &["/auth/change-password"]),
    ("post", "change-email", &[]),
    ("post", "confirm-email-change", &[]),
    ("post", "undo-email-change", &[]),
    ("post", "accept-invitation", &[]),
    ("get", "password-policy", &[]),
    ("get", "sessions", &[]),
    ("delete", "sessions/{id}", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_path_that_the_requirements_name_is_there() {
    let app = TestApp::start().await;
    let document = Document::of(&app).await;
    let operation = |method: &str, path: &str| {
        let found = document.0["paths"][path][method].clone();
        assert!(!found.is_null(), "{method} {path}");
        found
    };
    for (method, canonical, twins) in AUTHENTICATION {
        let canonical = operation(method, &format!("/api/v1/auth/{canonical}"));
        for twin in *twins {
            let twin = operation(method, twin);
            let statuses = |of: &serde_json::Value| -> BTreeSet<String> {
                of["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned()
                    .collect()
            };
            assert_eq!(statuses(&twin), statuses(&canonical), "{twin}");
        }
    }
    for path in ["/verify-email", "/auth/verify-email"] {
        operation("get", path);
    }
    for path in ["/terminate", "/api/v1/users/me/terminate"] {
        operation("post", path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v4_1_4_a_path_takes_only_its_methods_and_names_them_without_a_token() {
    // Pages for people share these paths.
    const PAGES: [(&str, Method); 1] = [("/verify-email", Method::POST)];
    let app = TestApp::start().await;
    let all = [
        "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "OPTIONS",
    ];
    for (path, mut methods) in Document::of(&app).await.paths() {
        let pages = PAGES.iter().filter(|(at, _)| *at == path);
        methods.extend(pages.map(|(_, method)| method.clone()));
        let mut named: BTreeSet<String> = methods.iter().map(ToString::to_string).collect();
        if named.contains("GET") {
            named.insert("HEAD".to_owned());
        }
        for method in all.map(|name| name.parse::<Method>().unwrap()) {
            if methods.contains(&method) {
                continue;
            }
            let reply = app
                .request(method.clone(), &target(&path, "x"))
                .send()
                .await;
            assert_eq!(reply.status, 405, "{method} {path}: {}", reply.text);
            let reply = reply.expect_problem(405, "method_not_allowed");
            let allowed = reply.header("allow").split(',').map(str::trim);
            let allowed: BTreeSet<String> = allowed.map(str::to_owned).collect();
            assert_eq!(allowed, named, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_slash_is_the_same_path() {
    let app = TestApp::start().await;
    for operation in Document::of(&app).await.operations() {
        let told = |reply: Reply| (reply.status, reply.body["code"].clone());
        let plain = told(ask(&app, &operation, None).await);
        let slashed = Operation {
            path: format!("{}/", operation.path),
            ..operation.clone()
        };
        let slashed = told(ask(&app, &slashed, None).await);
        assert_eq!(slashed, plain, "{}", operation.place());
    }
}
