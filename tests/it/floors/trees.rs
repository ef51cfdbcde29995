//! Made-up trees: every rule fails on the tree that breaks it, and on that one only.

use super::violations;
use std::fs;

const LIB: &str = "//! Head.\nmod domain;\nmod config;\nmod storage;\nmod infra;\nmod services;\nmod http;\nmod jobs;\nmod app;\n";

/// The violations of a sound tree with `files` added; every folder's `mod.rs` links what lies beside it.
fn with(files: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let modules = [
        ("lib.rs", LIB),
        ("app.rs", "//! Head.\nuse crate::{http, storage::Store};\n"),
        ("domain/mod.rs", "//! Head.\nmod user;\n"),
        ("domain/user.rs", "//! Head.\n"),
        ("config/mod.rs", "//! Head.\n"),
        (
            "storage/mod.rs",
            "//! Head.\npub mod entity;\nuse self::entity::Model;\n",
        ),
        (
            "storage/entity.rs",
            "//! Head.\nuse crate::domain::user;\nuse sea_orm::entity::prelude::*;\n",
        ),
        ("infra/mod.rs", "//! Head.\nmod clock;\n"),
        (
            "infra/clock.rs",
            "//! Head.\nfn now() { chrono::Utc::now(); }\n",
        ),
        ("services/mod.rs", "//! Head.\nmod login;\n"),
        (
            "services/login.rs",
            "//! Head.\nuse crate::{domain::user, storage};\nuse super::Services;\n",
        ),
        ("http/mod.rs", "//! Head.\nmod login;\n"),
        (
            "http/login.rs",
            "//! Head.\nuse crate::{domain, services::login};\nuse axum::Json;\n",
        ),
        ("jobs/mod.rs", "//! Head.\n"),
    ];
    for (path, text) in modules.iter().chain(files) {
        let path = root.path().join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    violations(root.path()).unwrap()
}

#[track_caller]
fn one(files: &[(&str, &str)], place: &str, part: &str) {
    let found = with(files);
    assert!(
        found.len() == 1 && found[0].starts_with(place) && found[0].contains(part),
        "{found:#?}"
    );
}

#[test]
fn a_sound_tree_has_no_violations() {
    assert_eq!(with(&[]), Vec::<String>::new());
}

#[test]
fn a_floor_that_looks_up_is_found() {
    one(
        &[("domain/user.rs", "//! Head.\nuse crate::storage::Store;\n")],
        "src/domain/user.rs:2:",
        "domain must not use storage",
    );
    one(
        &[(
            "services/login.rs",
            "//! Head.\n\nfn f() { crate::http::x() }\n",
        )],
        "src/services/login.rs:3:",
        "must not use http",
    );
}

#[test]
fn neighbours_on_a_floor_do_not_know_each_other() {
    one(
        &[("storage/entity.rs", "//! Head.\nuse crate::infra::clock;\n")],
        "src/storage/entity.rs:2:",
        "must not use infra",
    );
    one(
        &[("infra/clock.rs", "//! Head.\nuse crate::storage;\n")],
        "src/infra/clock.rs:2:",
        "must not use storage",
    );
    one(
        &[("jobs/mod.rs", "//! Head.\nuse crate::http::login;\n")],
        "src/jobs/mod.rs:2:",
        "jobs must not use http",
    );
}

#[test]
fn a_front_door_that_skips_the_services_is_found() {
    one(
        &[("http/login.rs", "//! Head.\nuse crate::infra::clock;\n")],
        "src/http/login.rs:2:",
        "only domain, services",
    );
}

#[test]
fn nested_groups_and_relative_paths_are_resolved() {
    let nested = "//! Head.\nuse crate::{\n    domain::{user, self},\n    services::{self, login as l},\n    storage::{a, b::{c}},\n};\n";
    let found = with(&[("http/login.rs", nested)]);
    assert!(
        found.len() == 2
            && found
                .iter()
                .all(|line| line.starts_with("src/http/login.rs:5:")),
        "{found:#?}"
    );
    one(
        &[(
            "domain/user.rs",
            "//! Head.\nuse super::super::config::X;\n",
        )],
        "src/domain/user.rs:2:",
        "must not use config",
    );
    one(
        &[(
            "domain/user.rs",
            "//! Head.\nmod inner { use super::super::super::config; }\n",
        )],
        "src/domain/user.rs:2:",
        "config",
    );
    assert_eq!(
        with(&[(
            "domain/user.rs",
            "//! Head.\nmod inner { use super::super::mail; }\nuse super::mail;\n"
        )])
        .len(),
        0
    );
}

#[test]
fn tests_comments_and_strings_are_not_read_as_code() {
    let text = "//! Head.\n// use crate::http;\n/* /* crate::http::x */ crate::jobs::y */\nconst A: &str = \"crate::http::x \\\" crate::jobs::y\";\n\
        const B: &str = r#\"\" crate::http::x\"#;\nconst C: char = '\"';\nfn f<'a>(x: &'a str) {}\n\
        #[cfg(test)]\nmod tests {\n    use crate::{http, infra};\n    fn f() { {} }\n}\n";
    assert_eq!(with(&[("domain/user.rs", text)]), Vec::<String>::new());
    let after = format!("{text}use crate::config::Y;\n");
    one(
        &[("domain/user.rs", &after)],
        "src/domain/user.rs:13:",
        "must not use config",
    );
}

#[test]
fn entities_leave_storage_by_no_path() {
    let found = with(&[(
        "services/login.rs",
        "//! Head.\nuse crate::storage;\nfn f(m: storage::entity::Model) {}\n",
    )]);
    assert!(
        found.len() == 1 && found[0].contains("entities stay within storage"),
        "{found:#?}"
    );
}

#[test]
fn crates_of_another_floor_are_found() {
    one(
        &[("services/login.rs", "//! Head.\nuse axum::Json;\n")],
        "src/services/login.rs:2:",
        "must not name axum",
    );
    one(
        &[(
            "services/login.rs",
            "//! Head.\nfn f() -> sea_orm::DbErr {}\n",
        )],
        "src/services/login.rs:2:",
        "must not name sea_orm",
    );
    one(
        &[("http/login.rs", "//! Head.\nuse sqlx;\n")],
        "src/http/login.rs:2:",
        "must not name sqlx",
    );
    one(
        &[("domain/user.rs", "//! Head.\nuse tokio::sync::Mutex;\n")],
        "src/domain/user.rs:2:",
        "must not name tokio",
    );
}

#[test]
fn a_second_reader_of_the_wall_clock_is_found() {
    one(
        &[(
            "services/login.rs",
            "//! Head.\nuse chrono::Utc;\nfn f() { Utc::now(); }\n",
        )],
        "src/services/login.rs:3:",
        "wall clock",
    );
}

#[test]
fn a_statement_that_is_put_together_is_found() {
    let plain = "//! Head.\nfn f() { format!(\"hello {}\", \"SELECTED\"); }\nconst SQL: &str = \"SELECT 1\";\n";
    assert_eq!(with(&[("storage/entity.rs", plain)]), Vec::<String>::new());
    let made = "//! Head.\nfn f(id: &str) {\n    format!(\n        \"SELECT 1 FROM users WHERE id = '{id}'\"\n    );\n}\n";
    one(
        &[("storage/entity.rs", made)],
        "src/storage/entity.rs:3:",
        "bind the values",
    );
    let test =
        "//! Head.\n#[cfg(test)]\nmod tests {\n    fn f(x: u8) { format!(\"SELECT {x}\"); }\n}\n";
    assert_eq!(with(&[("storage/entity.rs", test)]), Vec::<String>::new());
    let stale = [
        ("storage/mod.rs", "//! Head.\npub mod entity;\nmod bulk;\n"),
        ("storage/bulk.rs", "//! Head.\n"),
    ];
    one(&stale, "src/storage/bulk.rs:", "off the list");
}

#[test]
fn another_program_is_not_started() {
    for text in [
        "//! Head.\nuse std::process::Command;\n",
        "//! Head.\nfn f() { Command::new(\"sh\"); }\n",
    ] {
        one(
            &[("infra/clock.rs", text)],
            "src/infra/clock.rs:2:",
            "no other program",
        );
    }
}

#[test]
fn a_new_top_level_module_needs_a_floor() {
    let lib = format!("{LIB}mod attic;\n");
    one(
        &[("lib.rs", &lib), ("attic.rs", "//! Head.\n")],
        "src/attic.rs:",
        "on no floor",
    );
}

#[test]
fn the_house_rules_are_kept() {
    let long = format!("//! Head.\n{}", "\n".repeat(300));
    one(
        &[("domain/user.rs", &long)],
        "src/domain/user.rs:",
        "301 lines",
    );
    one(
        &[("domain/user.rs", "// no head\n")],
        "src/domain/user.rs:",
        "no head",
    );
    one(
        &[("domain/lost.rs", "//! Head.\n")],
        "src/domain/lost.rs:",
        "not part of the program",
    );
    one(
        &[("domain/user.rs", concat!("//! Head.\n// TO", "DO: later\n"))],
        "src/domain/user.rs:2:",
        "do it",
    );
    one(
        &[(
            "domain/user.rs",
            "//! Head.\n#[allow(dead_code)]\nfn f() {}\n",
        )],
        "src/domain/user.rs:2:",
        "expect",
    );
    let linked = "//! Head.\nmod user;\nmod utils;\n";
    one(
        &[
            ("domain/mod.rs", linked),
            ("domain/utils.rs", "//! Head.\n"),
        ],
        "src/domain/utils.rs:",
        "says nothing",
    );
}
