//! Who may name whom. A new top-level module gets its line in `MODULES` and in the table of `src/lib.rs`.

use super::{
    paths::{Named, named_in},
    source::Source,
};

/// A top-level module with the others that it may use; `None` is the wiring, which may use all.
const MODULES: &[(&str, Option<&[&str]>)] = &[
    ("domain", Some(&[])),
    ("config", Some(&["domain"])),
    ("storage", Some(&["domain"])),
    ("infra", Some(&["domain"])),
    ("services", Some(&["domain", "config", "storage", "infra"])),
    ("http", Some(&["domain", "services"])),
    ("web", Some(&["domain", "services"])),
    ("jobs", Some(&["domain", "services"])),
    ("app", None),
    ("cli", None),
    ("telemetry", None),
    ("fuzzing", None),
    ("main", None),
    ("lib", None),
];

const DATABASE: &[&str] = &["sea_orm", "sea_orm_migration", "sqlx"];
const FRONT: &[&str] = &[
    "axum",
    "axum_server",
    "clap",
    "askama",
    "utoipa",
    "utoipa_axum",
    "tower",
    "tower_http",
];
const MACHINE: &[&str] = &[
    "tokio", "lettre", "reqwest", "redis", "rdkafka", "moka", "rand", "governor", "dotenvy",
];

/// Crates that a module must not name, and where that work belongs.
const CRATES: &[(&str, &[&str], &str)] = &[
    ("domain", DATABASE, "a query belongs in storage"),
    (
        "domain",
        FRONT,
        "wire shapes and pages belong in a front door",
    ),
    (
        "domain",
        MACHINE,
        "the domain works without a computer: let infra do it and pass the value in",
    ),
    (
        "storage",
        &["axum", "clap"],
        "HTTP belongs in http, flags in cli",
    ),
    (
        "infra",
        &["axum", "clap", "sea_orm", "sea_orm_migration", "sqlx"],
        "HTTP belongs in http, queries in storage",
    ),
    (
        "services",
        FRONT,
        "take and return domain types; the front door shapes them",
    ),
    (
        "services",
        DATABASE,
        "write the query as a function of storage",
    ),
    ("http", DATABASE, "ask a service"),
    ("web", DATABASE, "ask a service"),
    ("jobs", DATABASE, "ask a service"),
];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with("src/") && !source.path.ends_with("/tests.rs"))
    {
        let stem = source
            .path
            .trim_start_matches("src/")
            .trim_end_matches(".rs");
        let home = stem.split('/').next().unwrap_or_default();
        if !MODULES.iter().any(|(name, _)| *name == home) {
            found.push(format!(
                "{}: `{home}` is on no floor: move it, or give it a line in src/lib.rs and in {}",
                source.path,
                file!()
            ));
        }
        for named in named_in(source) {
            let complaints = [
                floor(home, &named),
                entity(home, &named),
                outside(home, &named),
                clock(source, &named),
            ];
            found.extend(
                complaints
                    .into_iter()
                    .flatten()
                    .map(|complaint| format!("{}:{}: {complaint}", source.path, named.line)),
            );
        }
    }
    found
}

fn floor(home: &str, named: &Named) -> Option<String> {
    let [first, target, ..] = named.segments.as_slice() else {
        return None;
    };
    let (_, Some(may_use)) = MODULES.iter().find(|(name, _)| *name == home)? else {
        return None;
    };
    if first != "crate" || target == home || may_use.contains(&target.as_str()) {
        return None;
    }
    if !MODULES.iter().any(|(name, _)| name == target) {
        return Some(format!(
            "`crate::{target}` hides where it lives: name its module"
        ));
    }
    let allowed = if may_use.is_empty() {
        String::new()
    } else {
        format!(", only {}", may_use.join(", "))
    };
    Some(format!(
        "{home} must not use {target}{allowed}: move the code, or let the floor above pass the value in (floors: src/lib.rs)"
    ))
}

fn entity(home: &str, named: &Named) -> Option<String> {
    let reaches = named
        .segments
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == "storage" && b == "entity"));
    (reaches && home != "storage").then(|| {
        "entities stay within storage: let a storage function return a domain type".to_owned()
    })
}

fn outside(home: &str, named: &Named) -> Option<String> {
    let root = named.segments.first()?;
    let (_, _, instead) = CRATES
        .iter()
        .find(|(module, crates, _)| *module == home && crates.contains(&root.as_str()))?;
    Some(format!("{home} must not name {root}: {instead}"))
}

fn clock(source: &Source, named: &Named) -> Option<String> {
    let reads = named
        .segments
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if (a == "Utc" || a == "SystemTime") && b == "now"));
    (reads && source.path != "src/infra/clock.rs").then(|| {
        "the wall clock is read in infra/clock.rs only: take a Clock, or `now` as an argument"
            .to_owned()
    })
}
