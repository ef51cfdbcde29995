//! Access tokens as another service sees them: taken apart and checked by the published keys without our own code or
//! its library.

use aws_lc_rs::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// The header.
pub fn header(token: &str) -> Value {
    part(token, 0)
}

/// The claims, unchecked.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Whether a key of the published set made the signature.
pub fn is_signed_by(token: &str, jwks: &Value) -> bool {
    let header = header(token);
    let keys = jwks["keys"].as_array().unwrap();
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else {
        return false;
    };
    assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &"sig".into()));
    assert!(key.get("d").is_none(), "a private key is published");
    let coordinate = |name: &str| decode(key[name].as_str().unwrap());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = decode(signature);
    match header["alg"].as_str().unwrap() {
        "EdDSA" => UnparsedPublicKey::new(&ED25519, coordinate("x"))
            .verify(signed.as_bytes(), &signature)
            .is_ok(),
        "ES256" => {
            let point = [vec![4], coordinate("x"), coordinate("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
                .is_ok()
        }
        other => panic!("{other}"),
    }
}

/// Whether the shared secret made the signature.
pub fn is_signed_with(token: &str, secret: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &decode(signature)).is_ok()
}

/// A token with this header and these claims, signed with HMAC-SHA256 under the key, or not at all.
pub fn forge(header: &Value, claims: &Value, key: Option<&[u8]>) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = key.map_or_else(String::new, |key| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()))
    });
    format!("{signed}.{signature}")
}

fn part(token: &str, place: usize) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(place).unwrap())).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
