//! The checkpoints over HTTP: what the log told, with the key to verify by.

use super::{announced, seal};
use crate::support::{TestApp, people::BOB, process::run};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

const CHECKPOINTS: &str = "/api/v1/audit-logs/checkpoints";

/// Whether the signature holds for what the checkpoint says, by the key that it brings.
fn is_signed(item: &Value) -> bool {
    let text = |name: &str| {
        let value = &item[name];
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let fields = ["kind", "sequence", "hash", "count", "at", "key_id"].map(text);
    let message = format!("usher/1/audit-checkpoint\n{}\n", fields.join("\n"));
    let key = bytes(item["key"]["x"].as_str().unwrap());
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message.as_bytes(), &bytes(&text("signature")))
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_reads_the_signed_checkpoints_page_by_page() {
    let app = TestApp::start().await;
    app.bob().await;
    let ada = app.ada().await;
    for _ in 0..5 {
        app.sign_in(BOB).await;
        seal(&app).await;
    }
    let mut seen = Vec::new();
    let mut next = Some(format!("{CHECKPOINTS}?limit=2"));
    while let Some(path) = next {
        let page = app.get_as(&ada.access, &path).await.expect(200);
        seen.extend(page.body["items"].as_array().unwrap().clone());
        let href = page.body["_links"]["next"]["href"].as_str();
        next = href.map(str::to_owned);
    }
    assert!(seen.iter().all(is_signed), "{seen:?}");
    let mut forged = seen[0].clone();
    forged["count"] = 1000.into();
    assert!(!is_signed(&forged));
    let place = |item: &Value| format!("{}:{}", item["sequence"], item["hash"].as_str().unwrap());
    let mut places: Vec<String> = seen.iter().map(place).collect();
    places.reverse();
    assert_eq!(places, announced(&app));
    let printed = run(&app.db, &["audit", "verify", "--print-key"], &[]).await;
    let printed: Value = serde_json::from_str(&printed.success()).unwrap();
    assert_eq!(seen[0]["key"], printed);
    let other = format!("{CHECKPOINTS}?cursor=eyJvIjoiLWF0In0");
    let other = app.get_as(&ada.access, &other).await;
    assert_eq!(other.violations(), ["cursor: format"]);
}
