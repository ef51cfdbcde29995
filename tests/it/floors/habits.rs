//! What holds for the text of every file: its length, its head, its link into the tree, its words.

use super::source::Source;

const MOST_LINES: usize = 300;
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "manager", "managers", "types", "misc",
];
/// Written in halves, for this file is read as well.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let complaints = [
            length(source),
            head(source),
            link(source, sources),
            name(source),
        ];
        found.extend(
            complaints
                .into_iter()
                .flatten()
                .map(|complaint| format!("{}: {complaint}", source.path)),
        );
        found.extend(words(source));
    }
    found
}

fn length(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > MOST_LINES)
        .then(|| format!("{lines} lines, at most {MOST_LINES}: split it by what changes together"))
}

fn head(source: &Source) -> Option<String> {
    let lines = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .count();
    (lines == 0).then(|| "no head: begin with `//!`, what the file owns and the one thing to know before changing it".to_owned())
}

/// The file whose `mod` line makes this one part of the program must exist and have that line.
fn link(source: &Source, sources: &[Source]) -> Option<String> {
    if matches!(
        source.path.as_str(),
        "src/lib.rs" | "src/main.rs" | "tests/it/main.rs"
    ) {
        return None;
    }
    let (folder, file) = source.path.rsplit_once('/')?;
    let (folder, module) = if file == "mod.rs" {
        folder.rsplit_once('/')?
    } else {
        (folder, file.trim_end_matches(".rs"))
    };
    let parents: Vec<String> = match folder {
        "src" => vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()],
        "tests/it" => vec!["tests/it/main.rs".to_owned()],
        _ => vec![format!("{folder}/mod.rs"), format!("{folder}.rs")],
    };
    let linked = sources
        .iter()
        .filter(|parent| parents.contains(&parent.path))
        .any(|parent| declares(parent, module));
    (!linked).then(|| {
        format!(
            "not part of the program: add `mod {module};` to {}, or delete it",
            parents.join(" or ")
        )
    })
}

fn declares(parent: &Source, module: &str) -> bool {
    let line = format!("mod {module};");
    parent.code.lines().any(|code| {
        code.trim_end()
            .strip_suffix(&line)
            .is_some_and(|before| before.is_empty() || before.ends_with([' ', ')', ']']))
    })
}

fn name(source: &Source) -> Option<String> {
    let module = source.module();
    let empty = module
        .iter()
        .find(|part| EMPTY_NAMES.contains(&part.as_str()))?;
    Some(format!(
        "`{empty}` says nothing: name the module after what it owns"
    ))
}

fn words(source: &Source) -> Vec<String> {
    let marks = source.text.lines().enumerate().filter_map(|(index, line)| {
        let mark = line
            .split(|c: char| !c.is_alphanumeric())
            .find(|word| MARKS.contains(word))?;
        Some(format!(
            "{}:{}: {mark}: do it, or leave it out",
            source.path,
            index + 1
        ))
    });
    let allows = source
        .code
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("#[allow(") || line.contains("#![allow("));
    let allows = allows.map(|(index, _)| {
        format!(
            "{}:{}: `allow`: mend the cause, or use `#[expect(lint, reason = ..)]`",
            source.path,
            index + 1
        )
    });
    marks.chain(allows).collect()
}
