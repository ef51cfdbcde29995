//! What is not one of our access tokens, through the whole router; the signer's own tests have the long lists.

use super::ME;
use crate::support::{TestApp, jwt, people::CAROL};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

async fn refuse(app: &TestApp, token: &str) {
    let reply = app.get_as(token, ME).await;
    let reply = reply.expect_problem(401, "token_invalid");
    assert!(reply.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_a_token_without_signature_is_refused() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let (header, claims) = (jwt::header(&bob.access), jwt::claims(&bob.access));
    for algorithm in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!(null),
    ] {
        let mut forged = header.clone();
        forged["alg"] = algorithm;
        refuse(&app, &jwt::forge(&forged, &claims, None)).await;
    }
    let mut forged = header.clone();
    forged.as_object_mut().unwrap().remove("alg");
    refuse(&app, &jwt::forge(&forged, &claims, None)).await;
    refuse(&app, &jwt::forge(&header, &claims, None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j2_the_public_key_is_no_shared_secret() {
    for algorithm in ["EdDSA", "ES256"] {
        let app = TestApp::start_with(&[("JWT_ALGORITHM", algorithm)]).await;
        let ada = app.ada().await;
        let jwks = app.get("/.well-known/jwks.json").await.expect(200);
        let key = &jwks.body["keys"][0];
        let mut header = jwt::header(&ada.access);
        header["alg"] = json!("HS256");
        let claims = jwt::claims(&ada.access);
        let x = key["x"].as_str().unwrap();
        for secret in [
            URL_SAFE_NO_PAD.decode(x).unwrap(),
            x.as_bytes().to_vec(),
            key.to_string().into_bytes(),
            jwks.text.clone().into_bytes(),
            Vec::new(),
        ] {
            refuse(&app, &jwt::forge(&header, &claims, Some(&secret))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j5_other_tokens_of_ours_and_of_others_are_no_access_tokens() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.carol().await;
    let verification = app.last_token_to(CAROL).await;
    let ask = json!({ "email": bob.email });
    app.post("/api/v1/auth/password-reset-request", ask)
        .await
        .expect(202);
    let reset = app.last_token_to(&bob.email).await;
    for token in [&bob.refresh, &verification, &reset] {
        refuse(&app, token).await;
    }
    // The same keys and database under another name are another environment.
    for setting in [
        ("JWT_AUDIENCE", "other"),
        ("JWT_ISSUER", "http://other.test"),
    ] {
        let other = app.start_node(2, &[setting]).await;
        refuse(&other, &bob.access).await;
    }
    let (seed, begin) = (3, app.clock.clone());
    let db = crate::support::database::TestDatabase::create().await;
    let stranger = TestApp::start_on(db.into(), begin, seed, &[]).await;
    refuse(&stranger, &bob.access).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_a_token_has_one_form_only() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let token = &bob.access;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[17] ^= 4;
    for other in [
        format!("{head}.{zeros}"),
        format!("{head}.{}", URL_SAFE_NO_PAD.encode(flipped)),
        format!("{token}="),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{head}. {signature}"),
        format!("{head}.{signature}{signature}"),
        head.to_owned(),
        token.to_uppercase(),
    ] {
        refuse(&app, &other).await;
    }
    app.get_as(token, ME).await.expect(200);
}
