//! What the documentation says and a machine can check: the settings, the figures, the links. `scripts/tour` runs the
//! tours.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All files with this ending in a folder and those below it.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path {
            folder if folder.is_dir() => files(&folder, ending),
            file => vec![file],
        })
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files(&root().join("docs"), "md");
    documents
        .extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)));
    documents
}

#[test]
fn the_readme_has_the_settings_that_the_program_has() {
    let printed = Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["config", "example", "--markdown"])
        .output()
        .unwrap();
    let table = String::from_utf8(printed.stdout).unwrap();
    let readme = read("README.md");
    let (_, rest) = readme.split_once("<!-- settings -->\n").unwrap();
    let (written, _) = rest.split_once("\n<!-- end of settings -->").unwrap();
    assert!(!table.trim().is_empty());
    assert_eq!(
        written.trim(),
        table.trim(),
        "put what `cargo run -- config example --markdown` prints between the markers"
    );
}

/// The names in a text that stand between two of these marks and begin like a metric of ours.
fn metrics(text: &str, mark: char) -> BTreeSet<String> {
    let is_name = |name: &&str| {
        let parts = ["_test_", "_count", "_sum", "_bucket"];
        name.starts_with("usher_")
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            && !parts.iter().any(|part| name.contains(part))
    };
    text.split(mark)
        .filter(is_name)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_operators_are_told_of_every_metric_and_of_none_that_is_not() {
    let sources = files(&root().join("src"), "rs");
    let recorded: BTreeSet<String> = sources
        .iter()
        .flat_map(|path| metrics(&fs::read_to_string(path).unwrap(), '"'))
        .collect();
    assert!(recorded.len() > 5);
    assert_eq!(metrics(&read("docs/operations.md"), '`'), recorded);
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut found = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") {
                continue;
            }
            let target = link.split('#').next().unwrap();
            let file = if target.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(target)
            };
            assert!(file.exists(), "{}: {link}", path.display());
            found += 1;
        }
    }
    assert!(found > 10);
}

#[test]
fn the_decisions_are_numbered_without_a_gap() {
    let mut names: Vec<String> = files(&root().join("docs/decisions"), "md")
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    for (number, name) in (1..).zip(&names) {
        assert!(name.starts_with(&format!("{number:04}-")), "{name}");
        let text = read(&format!("docs/decisions/{name}"));
        assert!(text.starts_with(&format!("# {number}. ")), "{name}");
        for part in ["**Decided.**", "**Why.**", "**Price.**"] {
            assert!(text.contains(part), "{name}: {part}");
        }
    }
}
