//! Reads the source and fails where the building of `src/lib.rs` is not kept: floors, file sizes, heads, links, names.
//! The rules are in `rules` (paths), `habits` (text) and `injection`; `trees` shows on made-up sources that each can fail.

mod habits;
mod injection;
mod paths;
mod rules;
mod source;
#[cfg(test)]
mod trees;

use std::{io, path::Path};

/// All violations under `root`, one line each, with what to do about it.
fn violations(root: &Path) -> io::Result<Vec<String>> {
    let sources = source::read(root)?;
    let mut found = rules::check(&sources);
    found.extend(habits::check(&sources));
    found.extend(injection::check(&sources));
    found.sort();
    Ok(found)
}

#[test]
fn the_source_keeps_the_floors_and_the_house_rules() {
    let found = violations(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn the_manifest_has_no_patterns_and_checks_for_overflow() {
    let text = include_str!("../../Cargo.toml");
    assert_eq!(injection::check_manifest(text), Vec::<String>::new());
    for (ours, other) in [
        ("[dependencies]\n", "[dependencies]\nregex = \"1\"\n"),
        (
            "[dependencies]\n",
            "[dependencies]\npatterns = { package = \"fancy-regex\", version = \"1\" }\n",
        ),
        ("overflow-checks = true", "overflow-checks = false"),
        ("overflow-checks = true\n", ""),
    ] {
        let text = text.replace(ours, other);
        assert_eq!(injection::check_manifest(&text).len(), 1, "{other}");
    }
}
