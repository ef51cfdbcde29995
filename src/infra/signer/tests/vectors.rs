//! What others have collected of signatures that must and must not pass (J7): Project Wycheproof's vectors, see
//! `tests/it/vectors/README.md`.

use super::*;
use jsonwebtoken::{Validation, crypto, errors::ErrorKind, jwk::Jwk};
use serde::Deserialize;

const JWS: &str = include_str!("../../../../tests/it/vectors/json_web_signature.json");
const ED25519: &str = include_str!("../../../../tests/it/vectors/ed25519.json");

/// Where we differ from the vectors, and why.
const EXCEPTIONS: [(u32, bool, &str); 8] = [
    (
        353,
        true,
        "what a key is for is our own knowledge: none comes from outside",
    ),
    (354, true, "the same"),
    (355, true, "the same"),
    (356, true, "the same"),
    (
        367,
        true,
        "to the letter the valid 357, its padding was lost; `shape` tests padding",
    ),
    (370, true, "the same"),
    (
        372,
        false,
        "a character outside base64url in the header (RFC 7515, section 2)",
    ),
    (373, false, "the same in the payload"),
];

#[derive(Deserialize)]
struct JwsGroup {
    alg: String,
    jwk: Jwk,
    tests: Vec<JwsTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JwsTest {
    tc_id: u32,
    comment: String,
    jws: String,
    result: String,
}

/// The key as [`Key::parse`] would have made it, but without a type of token, which the vectors do not have.
fn key_of(group: &JwsGroup) -> Key {
    let algorithm = Algorithm::parse(&group.alg).unwrap().jose();
    let mut header = Header::new(algorithm);
    header.typ = None;
    header.kid = group.jwk.common.key_id.clone();
    Key {
        kid: header.kid.clone().unwrap(),
        header,
        signing: EncodingKey::from_secret(b"none"),
        verifying: DecodingKey::from_jwk(&group.jwk).unwrap(),
        validation: Validation::new(algorithm),
        jwk: None,
        active_from: now(),
        retired_at: None,
    }
}

/// Whether header and signature pass. The vectors' payloads are no JSON, so what passes fails at reading it.
fn passes(key: &Key, jws: &str) -> bool {
    jsonwebtoken::decode_header(jws).is_ok_and(|header| header == key.header)
        && match key.open::<Value>(jws) {
            Ok(_) => true,
            Err(error) => matches!(error.kind(), ErrorKind::Json(_)),
        }
}

#[test]
fn j7_the_jose_vectors_agree_with_the_library() {
    let groups: Vec<JwsGroup> = serde_json::from_str(JWS).unwrap();
    let (mut tests, mut wrong) = (0, Vec::new());
    for group in &groups {
        let key = key_of(group);
        for test in &group.tests {
            let exception = EXCEPTIONS.iter().find(|(id, ..)| *id == test.tc_id);
            let expected = exception.map_or(test.result == "valid", |(_, ours, _)| *ours);
            if passes(&key, &test.jws) != expected {
                wrong.push((test.tc_id, &test.comment, &test.result));
            }
            tests += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(tests, 316, "the file was cut");
}

#[derive(Deserialize)]
struct EdGroup {
    pk: String,
    tests: Vec<EdTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EdTest {
    tc_id: u32,
    msg: String,
    sig: String,
    result: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn j7_the_ed25519_vectors_agree_with_the_library() {
    let groups: Vec<EdGroup> = serde_json::from_str(ED25519).unwrap();
    let mut tests = 0;
    for group in &groups {
        let key = DecodingKey::from_ed_components(&b64(bytes(&group.pk))).unwrap();
        for test in &group.tests {
            let (signature, message) = (b64(bytes(&test.sig)), bytes(&test.msg));
            let algorithm = jsonwebtoken::Algorithm::EdDSA;
            let passes = crypto::verify(&signature, &message, &key, algorithm);
            let expected = test.result == "valid";
            assert_eq!(passes.unwrap_or(false), expected, "{}", test.tc_id);
            tests += 1;
        }
    }
    assert_eq!(tests, 151, "the file was cut");
}
