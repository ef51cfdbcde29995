//! K1, K3: after every flow with marked secrets, none of them is in the logs at their finest level, in the figures, or
//! readable in the database as it lies on the disk.

pub mod disk;
mod flows;
mod misuse;
mod staff;

use crate::support::TestApp;
use flows::{Canaries, run_all};

/// The ways in which a text may have been written by accident.
fn disguises(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    let listed = format!("{bytes:?}");
    let encoded: String = url::form_urlencoded::byte_serialize(bytes).collect();
    vec![
        secret.to_owned(),
        secret.to_lowercase(),
        hex,
        listed.trim_matches(['[', ']']).to_owned(),
        encoded,
    ]
}

/// Where a secret shows, with what stands around it.
fn found_in(what: &str, text: &str, secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for secret in secrets {
        for disguise in disguises(secret) {
            if let Some(at) = text.find(&disguise) {
                let from = text.floor_char_boundary(at.saturating_sub(200));
                let to = text.floor_char_boundary((at + 80).min(text.len()));
                found.push(format!("{secret} is in {what}: {}", &text[from..to]));
                break;
            }
        }
    }
    found
}

#[test]
fn a_secret_is_found_in_every_disguise() {
    for disguise in ["ab@c", "61624063", "97, 98, 64, 99", "ab%40c"] {
        let text = format!("x {disguise} y");
        assert_eq!(found_in("it", &text, &["ab@c".to_owned()]).len(), 1);
    }
    assert!(found_in("it", "ab c", &["ab@c".to_owned()]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_no_secret_and_no_person_reaches_logs_or_figures() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "60/1m")]).await;
    app.expect_errors();
    let canaries = run_all(&app).await;
    let Canaries { secrets, personal } = &canaries;
    assert!(secrets.len() > 15, "only {} secrets", secrets.len());
    app.app.do_housekeeping().await.unwrap();
    tracing::trace!("the finest level");
    let logs = app.logs.text();
    for level in ["the finest level", "answered"] {
        assert!(logs.contains(level), "{level} is not in the log");
    }
    let figures = app.get("/metrics").await.expect(200).text;
    let document = app.get("/db/status").await.expect(200).text;
    let url = [app.db.url()];
    let mut found = Vec::new();
    for (what, text) in [
        ("the log", &logs),
        ("the figures", &figures),
        ("the database status", &document),
    ] {
        found.extend(found_in(what, text, secrets));
        found.extend(found_in(what, text, personal));
        found.extend(found_in(what, text, &url));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn k1_no_secret_and_no_address_can_be_read_on_the_disk() {
    let app = TestApp::start().await;
    app.expect_errors();
    let canaries = run_all(&app).await;
    let waiting = app.db.number("SELECT count(*) FROM audit_log").await;
    assert!(waiting > 20, "only {waiting} rows in the trail");
    let disk = disk::contents(&app.db).await;
    // What is searched for is in clear, so that this test would see a secret, too.
    assert!(disk.contains(flows::FULL_NAME), "the disk was not read");
    let mut secrets = canaries.secrets.clone();
    secrets.extend(
        canaries
            .personal
            .iter()
            .filter(|text| *text != flows::FULL_NAME && *text != flows::USERNAME)
            .cloned(),
    );
    let found = found_in("the database", &disk, &secrets);
    assert!(found.is_empty(), "{found:#?}");
}
