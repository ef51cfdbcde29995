//! Reads the files that settings come in. No parser's own message is passed on: it quotes the line, which may hold a
//! secret.

use super::sources::ConfigFile;
use std::{fs::File, io, io::Read, path::Path};
use zeroize::Zeroizing;

/// No file of ours is longer, and a device never ends.
const LONGEST: u64 = 64 * 1024;

/// The entries of the configuration file; none if it may be missing and is.
pub(super) fn read_table(file: &ConfigFile) -> Result<toml::Table, String> {
    let text = match read(&file.path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.required => {
            return Ok(toml::Table::new());
        }
        Err(error) => {
            let path = file.path.display();
            return Err(format!("{path} cannot be read: {}", error.kind()));
        }
    };
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before
            .map_or(0, |before| before.matches('\n').count())
            .saturating_add(1);
        format!("usher.toml: line {line} is not valid TOML")
    })
}

/// The pairs of `.env` up to the first line that is none, and what is wrong with that one.
pub(super) fn read_pairs(path: &Path) -> (Vec<(String, Zeroizing<String>)>, Option<String>) {
    let mut pairs = Vec::new();
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (pairs, None),
        Err(error) => {
            let problem = format!(".env cannot be read: {}", error.kind());
            return (pairs, Some(problem));
        }
    };
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        if let Err(error) = &line {
            let place = place_of(&text, error);
            let problem = format!(".env: {place} is not of the form NAME=value");
            return (pairs, Some(problem));
        }
        pairs.extend(line.map(|(name, value)| (name, Zeroizing::new(value))));
    }
    (pairs, None)
}

fn place_of(text: &str, error: &dotenvy::Error) -> String {
    let at = match error {
        dotenvy::Error::LineParse(line, _) => text.find(line.trim_end()),
        _ => None,
    };
    at.and_then(|at| text.get(..at))
        .map(|before| before.matches('\n').count().saturating_add(1))
        .map_or_else(|| "a line".to_owned(), |line| format!("line {line}"))
}

/// What a file of `NAME_FILE` holds, without the newline at its end.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut text = read(path).map_err(|error| error.kind().to_string())?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text)
}

/// A value as it would stand in the environment; lists with commas.
pub(super) fn toml_text(value: toml::Value) -> Option<Zeroizing<String>> {
    let text = match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(switch) => switch.to_string(),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            items?.join(",")
        }
        _ => return None,
    };
    Some(Zeroizing::new(text))
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = File::open(path)?
        .take(LONGEST.saturating_add(1))
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > LONGEST) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}
