//! Where what people send could become something else: a statement, a command, a pattern. And what the manifest must say.

use super::{paths::named_in, source::Source};
use std::collections::BTreeSet;
use toml::Table;

/// Files that put statements together, of constants of ours alone; every value is bound.
const STATEMENTS: &[&str] = &[
    "src/storage/audit_seals.rs",
    "src/storage/bulk.rs",
    "src/storage/migration/m2026_11_21_000011_create_list_indexes.rs",
    "src/storage/outbox.rs",
    "src/storage/outbox/retention.rs",
    "src/storage/search.rs",
    "src/storage/search/finding.rs",
];
/// In capitals, as all statements of ours are written.
const WORDS: &[&str] = &[
    "ALTER", "AND", "COPY", "CREATE", "DELETE", "DROP", "EXISTS", "EXPLAIN", "FROM", "INSERT",
    "JOIN", "LIKE", "LIMIT", "LISTEN", "MATCH", "NOTIFY", "OR", "ORDER", "PRAGMA", "SELECT", "SET",
    "UNION", "UPDATE", "VALUES", "WHERE",
];
/// Engines whose time is not bounded by the text, or that would tempt to take a pattern from it.
const PATTERNS: &[&str] = &["regex", "regex-lite", "fancy-regex", "onig", "pcre2"];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let ours = sources
        .iter()
        .filter(|source| source.path.starts_with("src/") && !source.path.ends_with("/tests.rs"));
    ours.flat_map(|source| {
        let mut found = statements(source);
        found.extend(commands(source));
        found
    })
    .collect()
}

fn statements(source: &Source) -> Vec<String> {
    let lines = statement_lines(source);
    let may = STATEMENTS.contains(&source.path.as_str());
    if may && lines.is_empty() {
        return vec![format!(
            "{}: puts no statement together any more: take it off the list in {}",
            source.path,
            file!()
        )];
    }
    let lines = lines.into_iter().filter(|_| !may);
    let complaints = lines.map(|line| {
        format!(
            "{}:{line}: a statement is put together: write it out and bind the values",
            source.path
        )
    });
    complaints.collect()
}

/// The lines of `format!` and `write!` outside tests whose text has a word of SQL.
fn statement_lines(source: &Source) -> BTreeSet<usize> {
    let [code, text]: [Vec<char>; 2] =
        [&source.code, &source.text].map(|text| text.chars().collect());
    let production: Vec<&str> = source.production.lines().collect();
    let mut lines = BTreeSet::new();
    for name in ["format!", "format_args!", "write!", "writeln!"] {
        for (place, _) in source.code.match_indices(name) {
            let before = source.code.get(..place).unwrap();
            let (at, line) = (before.chars().count(), before.matches('\n').count());
            let is_test = production
                .get(line)
                .is_none_or(|line| line.trim().is_empty());
            let inside = &text[at..at + arguments_length(&code[at..])];
            let inside: String = inside.iter().collect();
            let mut words = inside.split(|c: char| !c.is_alphanumeric() && c != '_');
            if !is_test && words.any(|word| WORDS.contains(&word)) {
                lines.insert(line + 1);
            }
        }
    }
    lines
}

/// Up to the bracket that closes the first one.
fn arguments_length(code: &[char]) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.iter().enumerate() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

fn commands(source: &Source) -> Vec<String> {
    let named = named_in(source).into_iter().filter(|named| {
        named
            .segments
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if (a == "Command" && b == "new") || (a == "process" && b == "Command")))
    });
    named
        .map(|named| {
            format!(
                "{}:{}: no other program is started",
                source.path, named.line
            )
        })
        .collect()
}

/// What is wrong with a manifest.
pub(super) fn check_manifest(text: &str) -> Vec<String> {
    let manifest: Table = text.parse().unwrap();
    let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
    let mut found = Vec::new();
    for kind in ["dependencies", "build-dependencies"] {
        for (name, value) in table(kind).into_iter().flatten() {
            let package = value.get("package").and_then(toml::Value::as_str);
            if PATTERNS.contains(&package.unwrap_or(name)) {
                found.push(format!(
                    "{name}: nothing is matched by patterns (search: storage/search.rs)"
                ));
            }
        }
    }
    let release = table("profile").and_then(|profile| profile.get("release"));
    let checks = release.and_then(|release| release.get("overflow-checks"));
    if checks.and_then(toml::Value::as_bool) != Some(true) {
        found.push(
            "profile.release: overflow-checks = true, so that no number wraps around".to_owned(),
        );
    }
    found
}
