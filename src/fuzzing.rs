//! What strangers and files can reach of the readers, as functions of any bytes; built for `scripts/fuzz` alone. A reader
//! refuses or takes: it never panics, and what it takes it can read again.

use crate::{
    Config,
    cli::records::{Format, Records},
    config::{Flags, Sources},
    domain::{
        Timestamp,
        email::EmailAddress,
        import::ImportedPerson,
        page::Cursor,
        password::{Context, Password, PasswordHash, PasswordPolicy},
        username::Username,
    },
    http::extract::Upload,
    infra::{
        hasher,
        signer::{Algorithm, Signer, SigningKey},
    },
};
use axum::{
    body::Body,
    extract::{FromRequest as _, Request},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt as _;
use jsonwebtoken::{Algorithm::HS256, EncodingKey};
use std::{fs, path::PathBuf, process, str, sync::LazyLock};

/// The largest picture that a form may bring: less than `scripts/fuzz` sends.
const LIMIT: usize = 1 << 10;

/// The key of [`SIGNER`], and what it writes at the head of a token.
const SECRET: [u8; 32] = [7; 32];
const HEADER: &str = r#"{"typ":"at+jwt","alg":"HS256","kid":"x"}"#;

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let signer = Signer::new("usher", "usher");
    let key = SigningKey {
        kid: "x".to_owned(),
        algorithm: Algorithm::Hs256,
        private: SECRET.to_vec().into(),
        active_from: Timestamp::UNIX_EPOCH,
        retired_at: None,
    };
    assert!(signer.replace(vec![key]).is_ok());
    signer
});

/// A file with these bytes, in memory where there is such a place.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(format!("/dev/shm/usher-fuzz-{}-{name}", process::id()));
    let _ = fs::write(&path, bytes);
    path
}

/// An access token (RFC 7519) from a stranger, and the claims of one that has our signature.
pub fn access_token(text: &str) {
    let now = Timestamp::UNIX_EPOCH;
    assert!(SIGNER.verify(text, now).is_err());
    let [header, claims] = [HEADER, text].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header}.{claims}");
    let key = EncodingKey::from_secret(&SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, HS256);
    let token = signature.map(|signature| format!("{message}.{signature}"));
    let taken = token.ok().and_then(|token| SIGNER.verify(&token, now).ok());
    if let Some(claims) = taken {
        let again = SIGNER.sign(&claims, now).ok();
        let again = again.and_then(|token| SIGNER.verify(&token, now).ok());
        assert!(again == Some(claims));
    }
}

/// An address; as it is kept, it is the same address.
pub fn email(text: &str) {
    if let Ok(email) = EmailAddress::parse(text) {
        assert!(EmailAddress::parse(email.as_str()) == Ok(email));
    }
}

/// The cursor of a list; its wire form reads as itself, unless it was written shorter than we do.
pub fn cursor(text: &str) {
    if let Ok(cursor) = Cursor::parse(text, "created_at") {
        let wire = cursor.encode();
        let again = Cursor::parse(&wire, "created_at");
        assert!(again == Ok(cursor) || wire.len() > text.len());
    }
}

/// A new password of somebody with a name, one line each.
pub fn password(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (text, username, name) = (next(), next(), next());
    let email = EmailAddress::parse("margaret.hamilton@example.org").ok();
    let context = Context {
        email: email.as_ref(),
        username: Some(username),
        full_name: Some(name),
    };
    let _ = Username::parse(username);
    if let Ok(password) = Password::parse(text) {
        for policy in PasswordPolicy::ALL {
            policy.check(&password, &context);
        }
    }
}

/// A stored hash from another system: PHC string, bcrypt, or Django's form.
pub fn password_hash(text: &str) {
    let _ = hasher::must_be_usable(&PasswordHash::new(text.to_owned()));
}

/// The body of a form with a picture, whose boundary is `b`.
pub fn form(bytes: &[u8]) {
    let request = Request::post("/").header("content-type", "multipart/form-data; boundary=b");
    if let Ok(request) = request.body(Body::from(bytes.to_vec())) {
        // All of it is there, so that there is nothing to wait for.
        let read = async {
            let upload = Upload::from_request(request, &()).await;
            upload
                .map(|upload| upload.read(&["image/png"], LIMIT))
                .ok()?
                .await
                .ok()
        };
        let ended = read.now_or_never();
        assert!(
            ended.is_some_and(|file| file.is_none_or(|file| (1..=LIMIT).contains(&file.len())))
        );
    }
}

/// A file of people, in either form.
pub fn records(bytes: &[u8]) {
    let path = file("records", bytes);
    for format in [Format::Csv, Format::Jsonl] {
        let Ok(mut records) = Records::open(&path, Some(format)) else {
            continue;
        };
        for record in records.take(1000).unwrap_or_default() {
            let _ = record.fields.map(|fields| ImportedPerson::read(&fields));
        }
    }
}

/// Settings: a file of them and, after a NUL, lines for the command line.
pub fn settings(bytes: &[u8]) {
    let (toml, lines) = bytes.split_at(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
    let lines = str::from_utf8(lines).unwrap_or_default().trim_matches('\0');
    let flags = Flags {
        config: Some(file("settings.toml", toml)),
        set: lines.lines().map(|line| line.to_owned().into()).collect(),
    };
    let _ = Config::load(&Sources::from_process(flags));
}
