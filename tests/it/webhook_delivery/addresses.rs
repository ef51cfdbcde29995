//! X5: where webhooks may not lead. Nothing is ever connected to there, whatever name or spelling leads to it, and
//! whenever it began to.

use super::{deliver, rows};
use crate::{
    support::{TestApp, app::BEGIN, database::TestDatabase, endpoint::Endpoint, smtp::certified},
    webhooks::WEBHOOKS,
};
use serde_json::json;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};
use usher::{Clock, Resolver, Table};

const STRICT: (&str, &str) = ("WEBHOOK_ALLOW_PRIVATE", "false");

/// Names with the addresses that they have, look-up by look-up.
fn table(names: &[(&str, &[&[&str]])]) -> Table {
    let addresses = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    let names = names.iter().map(|(name, lists)| {
        let lists: Vec<Vec<IpAddr>> = lists.iter().map(addresses).collect();
        ((*name).to_owned(), lists)
    });
    Arc::new(Mutex::new(names.collect::<HashMap<_, _>>()))
}

async fn among(names: &[(&str, &[&[&str]])], settings: &[(&str, &str)]) -> TestApp {
    let db = Arc::new(TestDatabase::create().await);
    let clock = Clock::hand_wound(BEGIN.parse().unwrap());
    let resolver = Resolver::Table(table(names));
    TestApp::start_among(db, clock, 1, settings, resolver).await
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_an_address_inside_is_refused_however_it_is_written() {
    let app = among(
        &[
            ("inside.example", &[&["10.0.0.7"]]),
            ("both.example", &[&["8.8.8.8", "127.0.0.1"]]),
            ("mapped.example", &[&["::ffff:169.254.169.254"]]),
            ("outside.example", &[&["8.8.8.8", "2001:4860:4860::8888"]]),
        ],
        &[STRICT],
    )
    .await;
    let ada = app.ada().await;
    for (url, code) in [
        ("https://127.0.0.1/", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://0x7f.1/", "private_address"),
        ("https://0177.0.0.01/", "private_address"),
        ("https://127.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::ffff:127.0.0.1]/", "private_address"),
        ("https://[64:ff9b::7f00:1]/", "private_address"),
        (
            "https://169.254.169.254/latest/meta-data/",
            "private_address",
        ),
        ("https://inside.example/", "private_address"),
        ("https://both.example/", "private_address"),
        ("https://mapped.example/", "private_address"),
        ("http://outside.example/", "https_required"),
        ("file:///etc/passwd", "format"),
        ("gopher://outside.example/", "format"),
        ("https://outside.example:0/", "format"),
        ("https://user:word@outside.example/", "format"),
    ] {
        let form = json!({ "url": url, "events": ["*"] });
        let reply = app.post_as(&ada.access, WEBHOOKS, form).await;
        assert_eq!(reply.violations(), [format!("url: {code}")], "{url}");
    }
    // A name that nobody knows yet is taken: what is dialled is judged again.
    for url in [
        "https://outside.example/",
        "https://8.8.8.8/",
        "https://later.example/",
    ] {
        app.webhook(&ada.access, url, &["*"]).await;
    }
    let one = app
        .webhook(&ada.access, "https://outside.example/", &["*"])
        .await;
    let change = json!({ "url": "https://inside.example/" });
    let at = crate::webhooks::path(&one);
    let reply = app.ask(axum::http::Method::PATCH, &ada.access, &at, change);
    assert_eq!(reply.await.violations(), ["url: private_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_though_nobody_answers_for_its_name() {
    let db = Arc::new(TestDatabase::create().await);
    let clock = Clock::hand_wound(BEGIN.parse().unwrap());
    let hurried = ("REQUEST_TIMEOUT_SECONDS", "1");
    let app = TestApp::start_among(db, clock, 1, &[STRICT, hurried], Resolver::Silent).await;
    let ada = app.ada().await;
    app.webhook(&ada.access, "https://hooks.example/", &["*"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_a_name_that_comes_to_lead_inside_is_not_followed() {
    let app = among(
        &[
            ("rebinds.example", &[&["8.8.8.8"], &["127.0.0.1"]]),
            ("gone.example", &[&["8.8.8.8"], &[]]),
        ],
        &[STRICT],
    )
    .await;
    let ada = app.ada().await;
    deliver(&app).await;
    let canary = Endpoint::start().await;
    for name in ["rebinds.example", "gone.example"] {
        let url = format!("https://{name}:{}/", canary.port());
        app.webhook(&ada.access, &url, &["*"]).await;
    }
    app.ada().await;
    deliver(&app).await;
    let mut rows = rows(&app).await;
    rows.sort();
    assert_eq!(
        rows,
        ["pending 1 - private_address", "pending 1 - unknown_host"]
    );
    assert_eq!(canary.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_what_was_taken_before_the_rule_is_not_followed_any_more() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    deliver(&app).await;
    let canary = Endpoint::start().await;
    let port = canary.port();
    for host in ["127.0.0.1", "2130706433", "localhost"] {
        let url = format!("http://{host}:{port}/");
        app.webhook(&ada.access, &url, &["*"]).await;
    }
    let strict = app.start_node(2, &[STRICT]).await;
    app.ada().await;
    deliver(&strict).await;
    assert_eq!(rows(&app).await, ["pending 1 - private_address"; 3]);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn v12_3_1_a_certificate_counts_only_from_an_authority_that_is_known() {
    let (acceptor, ca) = certified();
    let endpoint = Endpoint::start_with(Some(acceptor)).await;
    let app = TestApp::start().await;
    let file = app.db.folder().join("ca.pem");
    std::fs::write(&file, ca).unwrap();
    let file = file.display().to_string();
    let ada = app.ada().await;
    deliver(&app).await;
    let url = format!("https://localhost:{}/", endpoint.port());
    let webhook = app.webhook(&ada.access, &url, &["*"]).await;
    app.ada().await;
    deliver(&app).await;
    assert_eq!(rows(&app).await, ["pending 1 - tls"]);
    assert!(endpoint.messages().is_empty());
    let trusting = app.start_node(2, &[("WEBHOOK_CA_FILE", &file)]).await;
    app.advance(chrono::TimeDelta::seconds(6));
    deliver(&trusting).await;
    assert_eq!(rows(&app).await, ["delivered 2 200 -"]);
    let secret = webhook["secret"].as_str().unwrap();
    assert!(endpoint.messages()[0].is_signed_with(secret));
}
