//! Tokens that somebody else made must not pass (J1 to J5 of the security requirements).

use super::*;
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::engine::general_purpose::STANDARD;

#[test]
fn a_token_without_signature_is_refused() {
    let key = key(Algorithm::EdDsa);
    let signer = signer(std::slice::from_ref(&key));
    let payload = b64(serde_json::to_vec(&claims()).unwrap());
    let token = signer.sign(&claims(), now()).unwrap();
    let signature = token.rsplit('.').next().unwrap();
    for alg in ["none", "None", "nOnE", "NONE", "", "EdDSA"] {
        let header = b64(json!({"typ": "at+jwt", "alg": alg, "kid": key.kid}).to_string());
        assert_eq!(
            signer.verify(&format!("{header}.{payload}."), now()),
            Err(INVALID)
        );
        assert_eq!(
            signer.verify(&format!("{header}.{payload}"), now()),
            Err(INVALID)
        );
    }
    let without_alg = b64(json!({"typ": "at+jwt", "kid": key.kid}).to_string());
    let token = format!("{without_alg}.{payload}.{signature}");
    assert_eq!(signer.verify(&token, now()), Err(INVALID));
}

/// The public key as somebody might get hold of it.
fn public_encodings(key: &SigningKey) -> Vec<Vec<u8>> {
    let (der, raw) = if key.algorithm == Algorithm::EdDsa {
        let pair = Ed25519KeyPair::from_pkcs8(&key.private).unwrap();
        let public = pair.public_key();
        let der: PublicKeyX509Der<'_> = public.as_der().unwrap();
        (der.as_ref().to_vec(), public.as_ref().to_vec())
    } else {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.private);
        let pair = pair.unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (der.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
    };
    let jwk = signer(std::slice::from_ref(key)).jwks(now())["keys"][0].clone();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(&der)
    );
    let mut ssh = vec![0, 0, 0, 11];
    ssh.extend_from_slice(b"ssh-ed25519\0\0\0\x20");
    ssh.extend_from_slice(&raw);
    let ssh = format!("ssh-ed25519 {}", STANDARD.encode(ssh));
    let mut all = vec![der, raw.clone(), b64(raw).into_bytes()];
    for text in [
        pem,
        jwk.to_string(),
        jwk["x"].as_str().unwrap().to_owned(),
        ssh,
    ] {
        all.push(text.clone().into_bytes());
        all.push(format!("{text}\n").into_bytes());
    }
    all
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = key(algorithm);
        // A true shared secret beside it makes HS256 a lawful algorithm, but not of that key.
        let shared =
            SigningKey::shared_secret(b"a shared secret of more than 32 bytes", now()).unwrap();
        let signer = signer(&[key.clone(), shared.clone()]);
        for secret in public_encodings(&key) {
            for kid in [&key.kid, &shared.kid] {
                let mut header = true_header(&key);
                header.alg = jsonwebtoken::Algorithm::HS256;
                header.kid = Some(kid.clone());
                let forged =
                    jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&secret));
                assert_eq!(signer.verify(&forged.unwrap(), now()), Err(INVALID));
            }
        }
    }
}

#[test]
fn the_header_must_be_ours_to_the_letter() {
    let key = key(Algorithm::EdDsa);
    let signer = signer(std::slice::from_ref(&key));
    let claims = serde_json::to_value(claims()).unwrap();
    assert!(
        signer
            .verify(&signed(&key, &true_header(&key), &claims), now())
            .is_ok()
    );

    let changes: [fn(&mut Header); 9] = [
        |h| h.typ = None,
        |h| h.typ = Some("JWT".to_owned()),
        |h| h.typ = Some("AT+JWT".to_owned()),
        |h| h.kid = None,
        |h| h.kid = Some("other".to_owned()),
        |h| h.crit = Some(vec!["b64".to_owned()]),
        |h| h.jku = Some("https://evil.test/keys".to_owned()),
        |h| h.cty = Some("JWT".to_owned()),
        |h| h.extras.insert("b64", false),
    ];
    for change in changes {
        let mut header = true_header(&key);
        change(&mut header);
        let token = signed(&key, &header, &claims);
        assert_eq!(signer.verify(&token, now()), Err(INVALID), "{header:?}");
    }
}

#[test]
fn a_key_in_the_header_is_not_believed() {
    let [ours, theirs] = [1, 2]
        .map(|seed| SigningKey::generate(Algorithm::EdDsa, &Entropy::seeded(seed), now()).unwrap());
    let signer = signer(std::slice::from_ref(&ours));
    let mut header = true_header(&ours);
    header.jwk = halves(theirs.algorithm, &theirs.private).unwrap().jwk;
    let token = signed(&theirs, &header, &serde_json::to_value(claims()).unwrap());
    assert_eq!(signer.verify(&token, now()), Err(INVALID));
}

#[test]
fn a_token_for_or_from_somebody_else_is_refused() {
    let key = key(Algorithm::EdDsa);
    let signer = signer(std::slice::from_ref(&key));
    let changes = [
        ("iss", json!("https://other.test")),
        ("iss", json!("https://usher.test/")),
        ("iss", json!([ISSUER])),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!("USHER")),
        ("aud", json!(["usher"])),
        ("aud", json!(["usher", "other"])),
        ("aud", Value::Null),
        ("exp", json!("1800001800")),
        ("exp", Value::Null),
        ("sub", json!("nobody")),
        ("roles", json!(["root"])),
    ];
    for (name, value) in changes {
        let mut claims = serde_json::to_value(claims()).unwrap();
        claims[name] = value;
        let token = signed(&key, &true_header(&key), &claims);
        assert_eq!(signer.verify(&token, now()), Err(INVALID), "{claims}");

        claims.as_object_mut().unwrap().remove(name);
        let token = signed(&key, &true_header(&key), &claims);
        assert_eq!(signer.verify(&token, now()), Err(INVALID), "{name} missing");
    }
}

#[test]
fn a_token_of_another_environment_is_refused() {
    let [here, there] = [1, 2].map(|seed| {
        signer(&[SigningKey::generate(Algorithm::EdDsa, &Entropy::seeded(seed), now()).unwrap()])
    });
    let token = there.sign(&claims(), now()).unwrap();
    assert_eq!(here.verify(&token, now()), Err(INVALID));
}
