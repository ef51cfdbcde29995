//! Reading files of records: JSON lines or CSV, one record at a time, whatever the size of the file.

use crate::{domain::error::Fault, services::user_import::ImportRecord};
use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};
use unicode_normalization::UnicodeNormalization as _;

/// Longer lines are refused: no person takes so much.
const MAX_LINE: u64 = 1 << 20;

/// How the records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A JSON object on each line.
    Jsonl,
    /// Comma-separated values (RFC 4180) with a header.
    Csv,
}

/// The records of a file from where it was last read.
pub struct Records {
    source: Source,
    length: u64,
    read: u64,
}

enum Source {
    Lines {
        file: BufReader<File>,
        position: u64,
    },
    Table {
        reader: Box<csv::Reader<File>>,
        header: csv::StringRecord,
    },
}

impl Records {
    /// Opens a file; its ending tells the format unless one is given.
    pub fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let is_csv = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let format = format.unwrap_or(if is_csv { Format::Csv } else { Format::Jsonl });
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let length = file.metadata()?.len();
        let source = match format {
            Format::Jsonl => Source::Lines {
                file: BufReader::with_capacity(1 << 16, file),
                position: 0,
            },
            Format::Csv => {
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
                let header = reader.headers().context("the file has no header")?.clone();
                anyhow::ensure!(
                    header.iter().any(|name| name.trim() == "email"),
                    "the header names no field email"
                );
                Source::Table {
                    reader: Box::new(reader),
                    header,
                }
            }
        };
        Ok(Self {
            source,
            length,
            read: 0,
        })
    }

    /// The file's size in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes of it were read.
    pub fn position(&self) -> u64 {
        match &self.source {
            Source::Lines { position, .. } => *position,
            Source::Table { reader, .. } => reader.position().byte(),
        }
    }

    /// Reads over so many records.
    pub fn skip(&mut self, count: u64) -> anyhow::Result<()> {
        for _ in 0..count {
            self.next()?;
        }
        Ok(())
    }

    /// Up to so many records; none at the end.
    pub fn take(&mut self, count: usize) -> anyhow::Result<Vec<ImportRecord>> {
        let mut records = Vec::with_capacity(count);
        while records.len() < count {
            match self.next()? {
                Some(record) => records.push(record),
                None => break,
            }
        }
        Ok(records)
    }

    fn next(&mut self) -> anyhow::Result<Option<ImportRecord>> {
        let fields = match &mut self.source {
            Source::Lines { file, position } => {
                next_line(file, position)?.map(|line| object(&line))
            }
            Source::Table { reader, header } => next_row(reader, header)?,
        };
        Ok(fields.map(|fields| {
            self.read += 1;
            ImportRecord {
                number: self.read,
                fields,
            }
        }))
    }
}

/// The next line that is not blank; an empty one stands for a line that is too long.
fn next_line(file: &mut BufReader<File>, position: &mut u64) -> anyhow::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let mut length =
            std::io::Read::take(&mut *file, MAX_LINE).read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        if length == MAX_LINE && !line.ends_with(b"\n") {
            length += file.skip_until(b'\n')? as u64;
            line.clear();
        }
        let is_first = *position == 0;
        *position += length;
        let text = line
            .strip_prefix(b"\xef\xbb\xbf".as_slice())
            .filter(|_| is_first)
            .unwrap_or(&line);
        if line.is_empty() || !text.trim_ascii().is_empty() {
            return Ok(Some(text.to_vec()));
        }
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, Fault> {
    if line.is_empty() {
        return Err(Fault::new("too_long", "The line is longer than 1 MiB."));
    }
    serde_json::from_slice(line).map_err(|_| Fault::new("format", "The line is not a JSON object."))
}

fn next_row(
    reader: &mut csv::Reader<File>,
    header: &csv::StringRecord,
) -> anyhow::Result<Option<Result<Map<String, Value>, Fault>>> {
    let mut row = csv::StringRecord::new();
    match reader.read_record(&mut row) {
        Ok(false) => Ok(None),
        Ok(true) if row.len() != header.len() => Ok(Some(Err(Fault::new(
            "format",
            "The row has more or fewer fields than the header.",
        )))),
        Ok(true) => {
            let fields = header.iter().zip(row.iter());
            let fields = fields
                .map(|(name, value)| (name.trim().to_owned(), Value::String(unmarked(value))));
            Ok(Some(Ok(fields.collect())))
        }
        Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
            Ok(Some(Err(Fault::new("format", "The row is not UTF-8."))))
        }
        Err(error) => Err(error.into()),
    }
}

/// A cell with an apostrophe before each part that a spreadsheet would read as a formula (OWASP CSV injection). Where lists
/// are separated by semicolons every part between two of them becomes a cell of its own.
pub(super) fn marked(cell: &str) -> String {
    let parts = cell.split(';').map(|part| {
        let mark = if is_formula(part) { "'" } else { "" };
        format!("{mark}{part}")
    });
    parts.collect::<Vec<_>>().join(";")
}

/// What [`marked()`] was given.
fn unmarked(cell: &str) -> String {
    let parts = cell.split(';').map(|part| match part.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => part,
    });
    parts.collect::<Vec<_>>().join(";")
}

/// Whether a spreadsheet would calculate; full-width signs (NFKC) are signs to some. An apostrophe counts, so that a mark can be
/// told from a text.
fn is_formula(part: &str) -> bool {
    let first = |text: &str| text.chars().take(1).nfkc().next();
    matches!(first(part), Some('\t' | '\r' | '\n' | '\''))
        || matches!(first(part.trim_start()), Some('=' | '+' | '-' | '@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\nx",
            "\t=1",
            "'=1",
            " =1",
            "＝1+1",
            "＋1",
            "－1",
            "＠SUM(1)",
            "﹦1",
        ] {
            assert_eq!(marked(text), format!("'{text}"));
        }
        assert_eq!(marked("x;=1+1;;＝2"), "x;'=1+1;;'＝2");
        for text in ["O'Neil", "user;admin", "a=b", "", ";", "x -1"] {
            assert_eq!(marked(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_mark_comes_off_again(cell in "[;'=＝+@\t\r a]{0,8}|.{0,20}") {
            prop_assert_eq!(unmarked(&marked(&cell)), cell);
        }
    }
}
