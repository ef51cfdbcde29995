//! Rust files as the rules see them: raw, without comments and strings, and without tests. Line breaks are kept in each
//! form, so a line number is the same everywhere.

use std::{fs, io, path::Path};

/// One file; `path` is relative to the package, with `/`.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// `text` with comments, strings and character literals blanked.
    pub(super) code: String,
    /// `code` with the items under `#[cfg(test)]` blanked.
    pub(super) production: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = code_of(text);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            production: without_tests(&code),
            code,
        }
    }

    /// The module path, without `crate`: `src/http/v1/login.rs` is `http v1 login`, `src/http/mod.rs` is `http`.
    pub(super) fn module(&self) -> Vec<String> {
        let inner = self
            .path
            .strip_prefix("src/")
            .or_else(|| self.path.strip_prefix("tests/it/"))
            .unwrap_or(&self.path);
        let mut names: Vec<String> = inner
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        let roots: &[&str] = if names.len() == 1 {
            &["mod", "lib", "main"]
        } else {
            &["mod"]
        };
        if names
            .last()
            .is_some_and(|last| roots.contains(&last.as_str()))
        {
            names.pop();
        }
        names
    }
}

/// Every `.rs` file under `src` and `tests`, in order of path.
pub(super) fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in ["src", "tests"] {
        if root.join(folder).is_dir() {
            read_folder(root, folder, &mut sources)?;
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn read_folder(root: &Path, folder: &str, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_folder(root, &path, sources)?;
        } else if Path::new(&path)
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            sources.push(Source::new(&path, &fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut in_word = false;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let blank = if in_word && matches!(c, 'r' | 'b' | 'c') {
            0
        } else {
            literal_length(rest)
        };
        out.extend(
            rest.iter()
                .take(blank)
                .map(|c| if *c == '\n' { '\n' } else { ' ' }),
        );
        if blank == 0 {
            out.push(c);
        }
        in_word = blank == 0 && (c.is_alphanumeric() || c == '_');
        at += blank.max(1);
    }
    out
}

/// How many characters the comment or literal takes that starts here; 0 if none does.
fn literal_length(rest: &[char]) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment_length(rest),
        ['"', ..] => quoted_length(rest, '"'),
        ['r', tail @ ..] => raw_string_length(tail).map_or(0, |length| length + 1),
        ['b' | 'c', 'r', tail @ ..] => raw_string_length(tail).map_or(0, |length| length + 2),
        ['\'', '\\', ..] => quoted_length(rest, '\''),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn block_comment_length(rest: &[char]) -> usize {
    let (mut depth, mut length) = (0_usize, 0);
    while let Some(tail) = rest.get(length..).filter(|tail| !tail.is_empty()) {
        match tail {
            ['/', '*', ..] => (depth, length) = (depth + 1, length + 2),
            ['*', '/', ..] => (depth, length) = (depth - 1, length + 2),
            _ => length += 1,
        }
        if depth == 0 {
            break;
        }
    }
    length
}

fn quoted_length(rest: &[char], quote: char) -> usize {
    let mut escaped = true; // the opening quote does not close
    for (at, c) in rest.iter().enumerate() {
        if *c == quote && !escaped {
            return at + 1;
        }
        escaped = *c == '\\' && !escaped;
    }
    rest.len()
}

/// The length of `#"..."#` with any number of `#`; none if this is a raw identifier or no literal.
fn raw_string_length(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    if rest.get(hashes) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| {
        let tail = rest.get(at + 1..).unwrap_or_default();
        rest.get(at) == Some(&'"') && tail.iter().take_while(|c| **c == '#').count() >= hashes
    };
    let end = (hashes + 1..rest.len()).find(|at| closes(*at))?;
    Some(end + 1 + hashes)
}

fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once(MARK) {
        out.push_str(before);
        let (item, tail) = after
            .split_at_checked(item_length(after))
            .unwrap_or((after, ""));
        out.extend(item.chars().filter(|c| *c == '\n'));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Up to the `;` or the closing brace that ends the item which starts here.
fn item_length(code: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && (c == '}' || c == ';') {
            return at + c.len_utf8();
        }
    }
    code.len()
}
