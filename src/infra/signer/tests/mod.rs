//! The signer's tests: here the life of keys and tokens, in the files beside what must not pass.

mod forgery;
mod shape;
mod vectors;

use super::{key::halves, *};
use crate::{
    domain::{
        id::{AccessTokenId, SessionId, UserId},
        permission::{Role, Roles},
    },
    infra::entropy::Entropy,
};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::jwk::JwkSet;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

const ISSUER: &str = "https://usher.test";
const INVALID: Refusal = Refusal::TokenInvalid;

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + TimeDelta::seconds(seconds)
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        aud: "usher".to_owned(),
        sub: UserId(Uuid::from_u128(1)),
        sid: SessionId(Uuid::from_u128(2)),
        jti: AccessTokenId(Uuid::from_u128(3)),
        iat: now().timestamp(),
        exp: after(1800).timestamp(),
        auth_time: now().timestamp(),
        roles: Roles::new([Role::User]),
        tier: "basic".to_owned(),
    }
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &Entropy::seeded(1), now()).unwrap()
}

fn signer(keys: &[SigningKey]) -> Signer {
    let signer = Signer::new(ISSUER, "usher");
    signer.replace(keys.to_vec()).unwrap();
    signer
}

/// A token with this header and these claims, signed by the true key.
fn signed(key: &SigningKey, header: &Header, claims: &Value) -> String {
    let signing = halves(key.algorithm, &key.private).unwrap().signing;
    jsonwebtoken::encode(header, claims, &signing).unwrap()
}

fn true_header(key: &SigningKey) -> Header {
    let mut header = Header::new(key.algorithm.jose());
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid.clone());
    header
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn each_algorithm_signs_what_it_verifies() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let signer = signer(std::slice::from_ref(&key));
        let token = signer.sign(&claims(), now()).unwrap();
        assert_eq!(signer.verify(&token, now()), Ok(claims()), "{algorithm:?}");

        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header, true_header(&key));
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    assert_eq!(Algorithm::parse("none"), None);
    assert_eq!(Algorithm::parse("eddsa"), None);
}

#[test]
fn the_name_of_a_key_is_its_thumbprint() {
    // RFC 8037, appendices A.1 and A.3.
    let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed.unwrap()).unwrap();
    let private = pair.to_pkcs8v1().unwrap();
    let jwk = halves(Algorithm::EdDsa, private.as_ref()).unwrap().jwk;
    let thumbprint = jwk
        .unwrap()
        .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256);
    assert_eq!(
        thumbprint.unwrap(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn a_seeded_ed25519_key_is_reproducible_and_does_not_print() {
    let [one, two] = [key(Algorithm::EdDsa), key(Algorithm::EdDsa)];
    assert_eq!(one.kid, two.kid);
    assert_eq!(
        format!("{one:?}"),
        format!("SigningKey(EdDSA, {}, ***)", one.kid)
    );
}

#[test]
fn the_name_of_a_shared_secret_reveals_neither_it_nor_its_hash() {
    let secret = b"a shared secret of more than 32 bytes";
    let key = SigningKey::shared_secret(secret, now()).unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
    assert!(key.kid != b64(secret) && key.kid != b64(hash));
    assert!(SigningKey::shared_secret(b"", now()).is_err());
}

#[test]
fn a_token_lives_from_issue_to_expiry_with_the_leeway_at_both_ends() {
    let signer = signer(&[key(Algorithm::EdDsa)]);
    let token = signer.sign(&claims(), now()).unwrap();
    assert_eq!(
        signer.verify(&token, after(-LEEWAY_SECONDS - 1)),
        Err(INVALID)
    );
    assert!(signer.verify(&token, after(-LEEWAY_SECONDS)).is_ok());
    assert!(
        signer
            .verify(&token, after(1800 + LEEWAY_SECONDS - 1))
            .is_ok()
    );
    let late = signer.verify(&token, after(1800 + LEEWAY_SECONDS));
    assert_eq!(late, Err(Refusal::TokenExpired));
}

#[test]
fn rotation_overlaps() {
    let entropy = Entropy::seeded(1);
    let mut old = SigningKey::generate(Algorithm::EdDsa, &entropy, now()).unwrap();
    old.retired_at = Some(after(7200));
    let new = SigningKey::generate(Algorithm::Es256, &entropy, after(3600)).unwrap();
    let signer = signer(&[new.clone(), old.clone()]);
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let published = |at| signer.jwks(at)["keys"].as_array().unwrap().len();

    // Before the new key is active it is published, but the old one signs.
    let first = signer.sign(&claims(), now()).unwrap();
    assert_eq!((kid(&first), published(now())), (old.kid.clone(), 2));

    // From then on the new one signs, and tokens of the old one still pass.
    let mut later = claims();
    later.exp = after(10_000).timestamp();
    let of_old = signer.sign(&later, now()).unwrap();
    assert_eq!(kid(&signer.sign(&later, after(3600)).unwrap()), new.kid);
    assert!(signer.verify(&of_old, after(7199)).is_ok());

    // Once the old one is retired, they do not.
    assert_eq!(signer.verify(&of_old, after(7200)), Err(INVALID));
    assert_eq!(published(after(7200)), 1);
}

#[test]
fn a_failed_replacement_leaves_the_keys_as_they_were() {
    let good = key(Algorithm::EdDsa);
    let signer = signer(std::slice::from_ref(&good));
    let token = signer.sign(&claims(), now()).unwrap();
    let mut bad = good;
    bad.private = vec![0; 48].into();
    assert!(signer.replace(vec![bad]).is_err());
    assert!(signer.replace(Vec::new()).is_err());
    assert!(signer.clone().verify(&token, now()).is_ok());
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_however_many_tokens_name_it() {
    let entropy = Entropy::seeded(1);
    let make = || SigningKey::generate(Algorithm::EdDsa, &entropy, now()).unwrap();
    let (old, new) = (make(), make());
    let theirs = signer(std::slice::from_ref(&new));
    let token = theirs.sign(&claims(), now()).unwrap();
    let ours = signer(std::slice::from_ref(&old));
    let reads = AtomicU32::new(0);
    let read = async || {
        tokio::task::yield_now().await;
        reads.fetch_add(1, Ordering::SeqCst);
        ours.replace(vec![old.clone(), new.clone()])
    };
    let own = ours.sign(&claims(), now()).unwrap();
    for known in [own.as_str(), "no token", &"a".repeat(9000)] {
        ours.look_for_key(known, read).await.unwrap();
    }
    assert_eq!(reads.load(Ordering::SeqCst), 0);

    let look = async || {
        ours.look_for_key(&token, read).await.unwrap();
        assert!(ours.verify(&token, now()).is_ok());
    };
    tokio::join!(look(), look(), look());
    assert_eq!(reads.load(Ordering::SeqCst), 1);

    let made_up = signer(&[make()]).sign(&claims(), now()).unwrap();
    ours.look_for_key(&made_up, read).await.unwrap();
    assert_eq!(reads.load(Ordering::SeqCst), 1, "within a second");
    assert_eq!(ours.verify(&made_up, now()), Err(INVALID));
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_for_is_not_refused() {
    let entropy = Entropy::seeded(1);
    let make = || SigningKey::generate(Algorithm::EdDsa, &entropy, now()).unwrap();
    let ours = signer(&[make()]);
    let token = signer(&[make()]).sign(&claims(), now()).unwrap();
    let reads = AtomicU32::new(0);
    let read = async || {
        reads.fetch_add(1, Ordering::SeqCst);
        Err(Error::Unavailable(Part::Database))
    };
    for _ in 0..3 {
        let outcome = ours.look_for_key(&token, read).await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    }
    assert_eq!(reads.load(Ordering::SeqCst), 1, "within a second");
}

#[test]
fn without_a_key_nothing_is_signed() {
    assert!(Signer::new(ISSUER, "usher").sign(&claims(), now()).is_err());
}

#[test]
fn a_clock_set_back_behind_all_keys_signs_by_the_first_one() {
    let first = key(Algorithm::EdDsa);
    let second = SigningKey {
        active_from: after(600),
        ..key(Algorithm::EdDsa)
    };
    let signer = signer(&[second, first.clone()]);
    let token = signer.sign(&claims(), after(-3600)).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid, Some(first.kid));
}

#[test]
fn the_published_keys_verify_our_tokens_and_hold_nothing_secret() {
    let keys = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256].map(key);
    let shared =
        SigningKey::shared_secret(b"a shared secret of more than 32 bytes", now()).unwrap();
    for key in keys {
        let signer = signer(std::slice::from_ref(&key));
        let token = signer.sign(&claims(), now()).unwrap();
        signer.replace(vec![key.clone(), shared.clone()]).unwrap();

        let published = signer.jwks(now());
        let [jwk] = published["keys"].as_array().unwrap().as_slice() else {
            panic!("one key: {published}")
        };
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["alg"], key.algorithm.as_str());
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(jwk.get(private).is_none());
        }

        let set: JwkSet = serde_json::from_value(published.clone()).unwrap();
        let verifying = DecodingKey::from_jwk(set.find(&key.kid).unwrap()).unwrap();
        let mut validation = Validation::new(key.algorithm.jose());
        validation.set_audience(&["usher"]);
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<AccessClaims>(&token, &verifying, &validation).unwrap();
        assert_eq!(token.claims, claims());
    }
}
