//! Which passwords are taken, and that one opens the door only as it was chosen: whole, exact, in any Unicode spelling.

use crate::support::{
    Reply, TestApp,
    people::{BOB, CAROL},
};
use serde_json::{Value, json};

const REGISTER: &str = "/api/v1/auth/register";
const MARGARET: &str = "margaret@example.com";
const PROFILES: [&str; 4] = ["tiered", "requirement", "asvs", "nist"];

async fn register(app: &TestApp, email: &str, password: &str) -> Reply {
    app.post(REGISTER, json!({ "email": email, "password": password }))
        .await
}

async fn login(app: &TestApp, password: &str) -> Reply {
    app.post(
        "/api/v1/auth/login",
        json!({ "email": BOB, "password": password }),
    )
    .await
}

/// Bob, confirmed, with this password.
async fn bob_with(password: &str) -> TestApp {
    let app = TestApp::start().await;
    register(&app, BOB, password).await.expect(201);
    app.verify(BOB).await;
    app
}

/// The table of passwords, and in which profiles each is lawful: tiered, requirement, asvs, nist.
fn truth() -> Vec<(String, [bool; 4])> {
    let whole = |text: &str| text.to_owned();
    let filled = |begin: &str, length: usize| {
        let rest = "zv qk ".chars().cycle().take(length - begin.len());
        begin.chars().chain(rest).collect::<String>()
    };
    vec![
        (whole("Short1A"), [false; 4]),
        (whole("Shorter1"), [true, true, true, false]),
        (whole("SecurePass123"), [true, true, true, false]),
        (whole("alllowercase"), [false, false, true, false]),
        (
            whole("violet kettle anchors marsh"),
            [true, false, true, true],
        ),
        (whole("Password123"), [false; 4]),
        (whole("Qwerty12345678"), [false; 4]),
        (whole("Margaret12345678"), [false; 4]),
        (whole("margaret!!!!!!!!1A"), [false; 4]),
        (
            whole("🐙🦊🐢🦉🐝🦋🐌🐞🦀🐡🐬🦭🦔🐿🦚"),
            [true, false, true, true],
        ),
        (filled("", 14), [false, false, true, false]),
        (filled("", 15), [true, false, true, true]),
        (filled("A1", 14), [true, true, true, false]),
        (filled("A1", 64), [true; 4]),
        (filled("A1", 128), [true; 4]),
        (filled("A1", 256), [true; 4]),
        (filled("", 256), [true, false, true, true]),
        (filled("A1", 257), [false; 4]),
        (whole("Nul\0inside 1234567"), [false; 4]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_profile_takes_what_its_table_says() {
    for (column, profile) in PROFILES.into_iter().enumerate() {
        let app = TestApp::start_with(&[
            ("PASSWORD_POLICY", profile),
            ("ADMIN_PASSWORD", "Violet kettle anchors 7"),
            ("SIGNUP_PRIVACY", "strict"),
        ])
        .await;
        for (password, lawful) in truth() {
            let status = register(&app, MARGARET, &password).await.status;
            let expected = if lawful[column] { 202 } else { 422 };
            assert_eq!(status, expected, "{profile}: {password}");
        }
        app.inbox().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_told_as_it_is_in_force() {
    let mut told = Vec::new();
    for profile in PROFILES {
        let app = TestApp::start_with(&[
            ("PASSWORD_POLICY", profile),
            ("ADMIN_PASSWORD", "Violet kettle anchors 7"),
        ])
        .await;
        let reply = app.get("/api/v1/auth/password-policy").await.expect(200);
        told.push(reply.body);
    }
    let column = |name: &str| {
        told.iter()
            .map(|rules| rules[name].clone())
            .collect::<Value>()
    };
    assert_eq!(column("profile"), json!(PROFILES));
    assert_eq!(column("min_length"), json!([8, 8, 8, 15]));
    assert_eq!(column("composition_until"), json!([15, null, null, null]));
    for name in ["requires_uppercase", "requires_lowercase", "requires_digit"] {
        assert_eq!(column(name), json!([true, true, false, false]), "{name}");
    }
    assert_eq!(column("max_length"), json!([256, 256, 256, 256]));
    for name in ["blocklist", "context_words"] {
        assert_eq!(column(name), json!([true, true, true, true]), "{name}");
    }
    assert_eq!(told[0].as_object().unwrap().len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn common_passwords_and_ones_own_name_are_refused_with_their_reason() {
    let app = TestApp::start().await;
    for password in [
        "Password1",
        "Qwerty123",
        "Passw0rd",
        "Iloveyou1",
        "Welcome1",
        "Football1",
    ] {
        let reply = register(&app, BOB, password).await;
        assert_eq!(
            reply.violations(),
            ["password: password_blocklisted"],
            "{password}"
        );
    }
    let form = |password: &str| {
        json!({ "email": "grace.hopper@example.com", "password": password, "username": "amazing",
            "full_name": "Grace Brewster" })
    };
    for password in [
        "Grace.Hopper1",
        "Amazing-2026",
        "GraceBrewster1",
        "Usher-2026",
    ] {
        let reply = app.post(REGISTER, form(password)).await;
        assert_eq!(
            reply.violations(),
            ["password: password_context"],
            "{password}"
        );
        assert!(!reply.text.contains(password), "a password comes back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_every_byte_of_a_long_password_counts() {
    let long: String = "Aa1 zvqk".chars().cycle().take(100).collect();
    let app = bob_with(&long).await;
    let with = |at: usize, c: &str| {
        let mut other = long.clone();
        other.replace_range(at..=at, c);
        other
    };
    for wrong in [
        long[..72].to_owned(),
        with(72, "#"),
        with(99, "#"),
        with(0, "a"),
        format!("{long} "),
    ] {
        login(&app, &wrong)
            .await
            .expect_problem(401, "invalid_credentials");
    }
    login(&app, &long).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_trimmed_folded_or_cut() {
    let chosen = " Violet kettle, anchors marsh ";
    let app = bob_with(chosen).await;
    for wrong in [
        chosen.trim().to_owned(),
        chosen.to_lowercase(),
        chosen.replace(' ', "\u{a0}"),
        format!("{chosen}x"),
    ] {
        login(&app, &wrong)
            .await
            .expect_problem(401, "invalid_credentials");
    }
    login(&app, chosen).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_the_same_composed_or_not_but_a_ligature_is_another() {
    let app = bob_with("caf\u{e9} \u{fb01}xtures 42 K").await;
    login(&app, "cafe\u{301} \u{fb01}xtures 42 K")
        .await
        .expect(200);
    login(&app, "caf\u{e9} \u{fb01}xtures 42 K")
        .await
        .expect(200);
    for wrong in ["caf\u{e9} fixtures 42 K", "cafe \u{fb01}xtures 42 K"] {
        login(&app, wrong)
            .await
            .expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_2_10_a_password_never_runs_out() {
    let chosen = "Violet kettle anchors 7";
    let app = bob_with(chosen).await;
    for _ in 0..3 {
        app.advance(chrono::TimeDelta::days(366));
        app.app.do_housekeeping().await.unwrap();
        let reply = login(&app, chosen).await.expect(200);
        let access = reply.body["access_token"].as_str().unwrap();
        let me = app.get_as(access, "/api/v1/users/me").await;
        me.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_a_password_with_nul_is_refused() {
    let app = bob_with("Zvqkef12").await;
    for password in ["Zvqkef12\0x", "Zvqkef12\0", "\0Zvqkef12"] {
        let reply = register(&app, CAROL, password).await;
        assert_eq!(reply.violations(), ["password: format"]);
        let status = login(&app, password).await.status;
        assert!(matches!(status, 401 | 422), "{status}");
    }
}
