//! The hasher's tests. The vectors come from the reference implementations (libargon2, libxcrypt, OpenSSL).

use super::{stored::Unusable, *};
use proptest::prelude::*;

/// Of `correct horse`, all but one with the salt `saltsaltsaltsalt`.
const ARGON2ID: &str = "$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$j2XvmacbHphFDyyA14YErzZEJ2+WXbUgRbvtE5sDtf0";
const FOREIGN: [&str; 9] = [
    "$argon2i$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$7x0DEovheUe3rTI6Gdl+g8z50SqNX3QXuuWBAYjf02I",
    "$argon2d$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$WS605zgqcFN5b1Yh15KiVWYNX76mPf1b4VaIRlCV8BI",
    "$argon2i$v=16$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$dTDlPuIRX1aV/aTjbh2J5gIbZtVixpYE4P4EYCd0JaY",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    "pbkdf2_sha256$1000$seasalt2seasalt2$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=",
    "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
    "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
];

fn hasher(memory_kib: u32, iterations: u32) -> Hasher {
    let settings = HasherSettings {
        threads: 1,
        queue: 16,
        memory_kib,
        iterations,
    };
    Hasher::start(settings, Entropy::seeded(1))
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

async fn judge(hasher: &Hasher, text: &str, hash: &str) -> Verdict {
    let hash = PasswordHash::new(hash.to_owned());
    hasher.verify(password(text), hash).await.unwrap()
}

#[tokio::test]
async fn a_password_is_right_for_its_own_hash_only() {
    let hasher = hasher(8, 1);
    let hash = hasher.hash(password("correct horse")).await.unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    assert_eq!(
        judge(&hasher, "correct horse", hash.as_str()).await,
        Verdict::Right
    );

    let again = hasher.hash(password("correct horse")).await.unwrap();
    assert_ne!(again.as_str(), hash.as_str());
    let salt_and_hash: Vec<usize> = hash.as_str().split('$').skip(4).map(str::len).collect();
    assert_eq!(salt_and_hash, [22, 43], "16 and 32 bytes");
}

#[tokio::test]
async fn every_byte_of_a_password_counts() {
    let hasher = hasher(8, 1);
    let long = "p".repeat(100);
    let byte_73 = format!("{}q{}", "p".repeat(72), "p".repeat(27));
    let pairs = [
        (long.as_str(), byte_73.as_str()),
        (&long, long.get(..72).unwrap()),
        (&long, long.get(..99).unwrap()),
        ("Correct Horse 1", "Correct Horse 2"),
        ("Correct Horse", "correct horse"),
        ("correct horse", "correct horse "),
        ("correct horse", " correct horse"),
        ("correct horse", "correct  horse"),
    ];
    for (one, other) in pairs {
        let hash = hasher.hash(password(one)).await.unwrap();
        assert_eq!(judge(&hasher, one, hash.as_str()).await, Verdict::Right);
        assert_eq!(
            judge(&hasher, other, hash.as_str()).await,
            Verdict::Wrong,
            "{one} {other}"
        );
    }
}

#[tokio::test]
async fn weaker_settings_than_ours_are_outdated_and_stronger_are_not() {
    for (memory, iterations, verdict) in [
        (256, 2, Verdict::Right),
        (8, 1, Verdict::Right),
        (257, 2, Verdict::RightButOutdated),
        (256, 3, Verdict::RightButOutdated),
    ] {
        let hasher = hasher(memory, iterations);
        assert_eq!(
            judge(&hasher, "correct horse", ARGON2ID).await,
            verdict,
            "{memory} {iterations}"
        );
        assert_eq!(
            judge(&hasher, "wrong horse", ARGON2ID).await,
            Verdict::Wrong
        );
    }
}

#[tokio::test]
async fn four_lanes_are_verified_too() {
    let hash = "$argon2id$v=19$m=64,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$J6rOp0uRPYZ0wNbYYDsezB06q/di10m/0dw24OZUhC0";
    assert_eq!(
        judge(&hasher(8, 1), "correct horse", hash).await,
        Verdict::Right
    );
}

#[tokio::test]
async fn foreign_hashes_are_verified_and_outdated() {
    let hasher = hasher(8, 1);
    for hash in FOREIGN {
        let right = judge(&hasher, "correct horse", hash).await;
        assert_eq!(right, Verdict::RightButOutdated, "{hash}");
        for wrong in ["correct horsf", "Correct horse", "correct horse ", ""] {
            // The password type may refuse the empty one itself.
            if let Ok(wrong) = Password::parse(wrong) {
                let hash = PasswordHash::new(hash.to_owned());
                assert_eq!(hasher.verify(wrong, hash).await.unwrap(), Verdict::Wrong);
            }
        }
    }
}

#[tokio::test]
async fn a_bcrypt_hash_covers_the_first_72_bytes() {
    let hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    let hasher = hasher(8, 1);
    assert_eq!(
        judge(&hasher, &"x".repeat(100), hash).await,
        Verdict::RightButOutdated
    );
    assert_eq!(
        judge(&hasher, &"x".repeat(72), hash).await,
        Verdict::RightButOutdated
    );
    assert_eq!(judge(&hasher, &"x".repeat(71), hash).await, Verdict::Wrong);
}

#[test]
fn a_hash_that_asks_too_much_is_refused_unread() {
    let salt_and_hash = "$c2FsdHNhbHRzYWx0c2FsdA$j2XvmacbHphFDyyA14YErzZEJ2+WXbUgRbvtE5sDtf0";
    let django = "$salt$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=";
    let bcrypt = "$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
    let cases = [
        format!("$argon2id$v=19$m=262145,t=1,p=1{salt_and_hash}"),
        format!("$argon2id$v=19$m=4294967295,t=1,p=1{salt_and_hash}"),
        format!("$argon2i$v=19$m=8,t=17,p=1{salt_and_hash}"),
        format!("$scrypt$ln=18,r=1,p=1{salt_and_hash}"),
        format!("$scrypt$ln=300,r=8,p=1{salt_and_hash}"),
        format!("$scrypt$ln=17,r=17,p=1{salt_and_hash}"),
        format!("$scrypt$ln=1,r=1,p=4294967295{salt_and_hash}"),
        format!("$scrypt$ln=1,r=4294967295,p=4294967295{salt_and_hash}"),
        format!("$pbkdf2-sha256$i=2000001{salt_and_hash}"),
        format!("pbkdf2_sha256$2000001{django}"),
        format!("$2b$15{bcrypt}"),
        format!("$2b$31{bcrypt}"),
    ];
    for text in cases {
        assert_eq!(
            Stored::parse(&text).err(),
            Some(Unusable::OverCap),
            "{text}"
        );
    }
    let within = [
        format!("$argon2id$v=19$m=262144,t=16,p=1{salt_and_hash}"),
        format!("$scrypt$ln=17,r=8,p=2{salt_and_hash}"),
        format!("$pbkdf2-sha256$i=2000000{salt_and_hash}"),
        format!("pbkdf2_sha256$2000000{django}"),
        format!("$2b$14{bcrypt}"),
    ];
    for text in within {
        assert!(Stored::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_malformed_hash_is_refused() {
    let salt_and_hash = "$c2FsdHNhbHRzYWx0c2FsdA$j2XvmacbHphFDyyA14YErzZEJ2+WXbUgRbvtE5sDtf0";
    let cases = [
        String::new(),
        "correct horse".to_owned(),
        "!".to_owned(),
        ARGON2ID.replace("v=19", "v=20"),
        ARGON2ID.replace("argon2id", "argon2x"),
        ARGON2ID.replace("p=1", "p=0"),
        ARGON2ID.replace("m=256", "m=7"),
        format!("{ARGON2ID}$"),
        "$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA".to_owned(),
        format!("$scrypt$ln=10,r=8{salt_and_hash}"),
        format!("$scrypt$ln=10,r=0,p=1{salt_and_hash}"),
        format!("$scrypt$ln=10,r=8,p=1,x=1{salt_and_hash}"),
        format!("$pbkdf2-sha256$i=0{salt_and_hash}"),
        format!("$pbkdf2-sha256$i=1000,l=31{salt_and_hash}"),
        format!("$pbkdf2-sha512$i=1000{salt_and_hash}"),
        "pbkdf2_sha256$1000$salt".to_owned(),
        "pbkdf2_sha256$1000$$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=".to_owned(),
        "pbkdf2_sha256$1000$salt$8Mkv".to_owned(),
        "$2b$03$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2".to_owned(),
        "$2x$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2".to_owned(),
        "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy".to_owned(),
        format!("pbkdf2_sha256$1000${}$8Mkv", "s".repeat(600)),
    ];
    for text in cases {
        assert_eq!(
            Stored::parse(&text).err(),
            Some(Unusable::Malformed),
            "{text}"
        );
    }
}

#[tokio::test]
async fn no_password_is_right_for_an_unusable_hash() {
    let hasher = hasher(8, 1);
    let over = ARGON2ID.replace("m=256", "m=262145");
    for hash in ["", "correct horse", "*", &over] {
        assert_eq!(judge(&hasher, "correct horse", hash).await, Verdict::Wrong);
    }
}

#[tokio::test]
async fn a_person_who_is_not_there_costs_the_same_work() {
    let hasher = hasher(8, 1);
    hasher
        .verify_nobody(password("correct horse"))
        .await
        .unwrap();
    let Stored::Argon2 {
        argon2, salt, hash, ..
    } = &hasher.0.nobody
    else {
        panic!("ours is Argon2");
    };
    assert_eq!(argon2.params(), &hasher.0.params);
    assert_eq!((salt.len(), hash.len()), (SALT_LENGTH, HASH_LENGTH));
    assert_eq!(hasher.0.queue.len(), 0);
}

#[test]
fn our_own_form_is_read_back() {
    let params = Params::new(19_456, 2, 1, Some(HASH_LENGTH)).unwrap();
    let text = stored::encode(&params, &[1; SALT_LENGTH], &[2; HASH_LENGTH]);
    let Ok(Stored::Argon2 {
        argon2, salt, hash, ..
    }) = Stored::parse(&text)
    else {
        panic!("{text} must be read");
    };
    assert_eq!(
        (argon2.params().m_cost(), argon2.params().t_cost()),
        (19_456, 2)
    );
    assert_eq!((salt, hash), (vec![1; SALT_LENGTH], vec![2; HASH_LENGTH]));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fail_other_than_by_an_error(text: String) {
        let _ = Stored::parse(&text);
    }

    #[test]
    fn nor_does_a_damaged_hash(which in 0..FOREIGN.len(), at in 0usize..110, byte in 0x20u8..0x7f) {
        let mut text = FOREIGN[which].as_bytes().to_vec();
        let at = at % text.len();
        text[at] = byte;
        let _ = Stored::parse(std::str::from_utf8(&text).unwrap());
    }
}
