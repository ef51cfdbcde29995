//! Tokens that are damaged or of another shape must not pass (J7 of the security requirements).

use super::*;
use base64::engine::general_purpose::URL_SAFE;
use proptest::prelude::*;

#[test]
fn a_signature_of_zeros_is_refused() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let signer = signer(&[key(algorithm)]);
        let token = signer.sign(&claims(), now()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        for length in [0, 1, 32, 63, 64, 65, 96] {
            let forged = format!("{message}.{}", b64(vec![0; length]));
            assert_eq!(signer.verify(&forged, now()), Err(INVALID));
        }
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let signer = signer(&[key(algorithm)]);
        let token = signer.sign(&claims(), now()).unwrap();
        let parts: Vec<Vec<u8>> = token
            .split('.')
            .map(|p| URL_SAFE_NO_PAD.decode(p).unwrap())
            .collect();
        let bits: usize = parts.iter().map(|part| part.len() * 8).sum();
        for round in 0..1000 {
            let mut changed = parts.clone();
            // A stride that shares no factor with the length visits every part.
            let mut bit = (round * 7919) % bits;
            for part in &mut changed {
                if bit < part.len() * 8 {
                    part[bit / 8] ^= 1 << (bit % 8);
                    break;
                }
                bit -= part.len() * 8;
            }
            let changed: Vec<String> = changed.iter().map(b64).collect();
            assert_eq!(
                signer.verify(&changed.join("."), now()),
                Err(INVALID),
                "{algorithm:?} {round}"
            );
        }
    }
}

#[test]
fn an_ed25519_signature_has_one_form_only() {
    // RFC 8032, section 5.1.7: S must be below the group's order L; S + L would else be a second valid signature.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = signer(&[key(Algorithm::EdDsa)]);
    let token = signer.sign(&claims(), now()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(
        signer.verify(&format!("{message}.{}", b64(signature)), now()),
        Err(INVALID)
    );
}

#[test]
fn another_shape_of_the_same_token_is_refused() {
    let signer = signer(&[key(Algorithm::EdDsa)]);
    let token = signer.sign(&claims(), now()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    let padded = |part: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).unwrap());
    let shapes = [
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{token}.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}.{payload}.{}", padded(signature)),
        format!("{header}.{payload}.{signature}="),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{header}.{payload}. {signature}"),
        format!("{header}\t.{payload}.{signature}"),
        token.replace('.', ".\0"),
        token.to_uppercase(),
        format!("Bearer {token}"),
        String::new(),
        "..".to_owned(),
    ];
    for shape in shapes {
        assert_eq!(signer.verify(&shape, now()), Err(INVALID), "{shape}");
    }
}

#[test]
fn an_encrypted_token_is_none_of_ours() {
    // RFC 7516: five parts, of which only the first is read before anything is decrypted.
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let key = key(algorithm);
        let signer = signer(std::slice::from_ref(&key));
        let token = signer.sign(&claims(), now()).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let payload = message.split('.').nth(1).unwrap();
        let ours = serde_json::to_value(true_header(&key)).unwrap();
        let with = |members: &Value| {
            let mut header = ours.as_object().unwrap().clone();
            header.extend(members.as_object().unwrap().clone());
            b64(Value::Object(header).to_string())
        };
        let (key, vector, tag) = (b64([7; 40]), b64([7; 12]), b64([7; 16]));
        for header in [
            json!({ "alg": "dir", "enc": "A256GCM" }),
            json!({ "alg": "A256KW", "enc": "A256GCM" }),
            json!({ "alg": "ECDH-ES", "enc": "A128CBC-HS256", "epk": { "kty": "OKP", "crv": "X25519", "x": b64([9; 32]) } }),
            json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_000_000_000, "p2s": b64([1; 16]) }),
            json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF" }),
            json!({ "enc": "A256GCM" }),
        ] {
            let header = with(&header);
            for shape in [
                format!("{header}..{vector}.{payload}.{tag}"),
                format!("{header}.{key}.{vector}.{payload}.{tag}"),
                format!("{header}.{key}.{vector}.{payload}.{signature}"),
                format!("{header}.{payload}.{signature}"),
                format!("{header}.{payload}."),
            ] {
                assert_eq!(signer.verify(&shape, now()), Err(INVALID), "{shape}");
            }
        }
        assert!(signer.verify(&token, now()).is_ok());
    }
}

#[test]
fn a_token_over_four_kibibytes_is_refused_though_it_is_genuine() {
    let key = key(Algorithm::EdDsa);
    let signer = signer(std::slice::from_ref(&key));
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims["tier"] = json!("x".repeat(2000));
    assert!(
        signer
            .verify(&signed(&key, &true_header(&key), &claims), now())
            .is_ok()
    );
    claims["tier"] = json!("x".repeat(3000));
    let long = signed(&key, &true_header(&key), &claims);
    assert_eq!(signer.verify(&long, now()), Err(INVALID));
}

proptest! {
    #[test]
    fn other_text_is_never_a_token(text: String) {
        prop_assert_eq!(signer(&[key(Algorithm::EdDsa)]).verify(&text, now()), Err(INVALID));
    }

    #[test]
    fn random_parts_are_never_a_token(header: Vec<u8>, claims: Vec<u8>, signature: [u8; 32]) {
        let token = [b64(header), b64(claims), b64([signature, signature].concat())].join(".");
        prop_assert_eq!(signer(&[key(Algorithm::EdDsa)]).verify(&token, now()), Err(INVALID));
    }

    #[test]
    fn a_random_signature_is_never_ours(signature in prop::collection::vec(any::<u8>(), 0..80)) {
        let signer = signer(&[key(Algorithm::EdDsa)]);
        let token = signer.sign(&claims(), now()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{message}.{}", b64(signature));
        prop_assert_eq!(signer.verify(&forged, now()), Err(INVALID));
    }
}
