//! `usher user import`: a file of people, read line by line and written batch by batch; the next batch is prepared while
//! one is written. Nothing of a person is ever printed, only numbers of records and reasons.

use super::{
    progress,
    records::{Format, Records},
    say,
};
use crate::{
    app::{self, Means},
    config::Config,
    domain::client::Client,
    services::{
        Services,
        user_import::{ImportFile, PreparedBatch, RefusedRecord},
    },
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};
use tokio::task::{JoinHandle, spawn_blocking};

/// How many people a transaction adds.
const BATCH: usize = 5000;
/// How many refused records are shown when no report is asked for.
const SHOWN: usize = 20;

#[derive(Args)]
pub struct Import {
    /// JSON lines or CSV with a header. Fields: email (required), username, `full_name`, country, `state_province`,
    /// `current_title`, location, locale, timezone, `password_hash` (PHC, bcrypt, Django), verified, status, roles, tier,
    /// `tier_until`, `created_at`.
    file: PathBuf,
    /// Default: by the file's ending.
    #[arg(long)]
    format: Option<Format>,
    /// Tell what would happen, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write refused records here as JSON lines: record, field, code, message. An import that goes on adds to it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave no user.created event for each person.
    #[arg(long)]
    no_events: bool,
    /// Drop the indexes of lists and search first and make them again at the end: much faster for a first import. Lists
    /// and search are slow meanwhile, so let no node run.
    #[arg(long, conflicts_with = "dry_run")]
    defer_indexes: bool,
}

/// What has become of the file so far.
#[derive(Default)]
struct Tally {
    /// In this run.
    imported: u64,
    /// In all runs.
    refused: u64,
    /// Of those in earlier ones.
    refused_before: u64,
}

impl Tally {
    fn told(&self, would: &str) -> String {
        let before = match self.refused_before {
            0 => String::new(),
            before => format!(" ({before} of them before)"),
        };
        format!(
            "{} {would}imported, {} {would}refused{before}",
            self.imported, self.refused
        )
    }
}

impl Import {
    /// Runs it; fails if a record was refused, in this run or an earlier one of the same file.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let services = app::services(config, Means::default(), true).await?;
        let tally = self.import(&services).await?;
        services.store.close().await;
        let would = if self.dry_run { "would be " } else { "" };
        say(&tally.told(would))?;
        anyhow::ensure!(
            tally.refused == 0,
            "some records were refused; correct them and import them from a file of their own"
        );
        Ok(())
    }

    async fn import(&self, services: &Services) -> anyhow::Result<Tally> {
        let file = ImportFile {
            digest: digest(&self.file)?,
            publishes_events: !self.no_events,
        };
        let mut records = Records::open(&self.file, self.format)?;
        let bar = progress::of_bytes(records.length())?;
        let mut tally = Tally::default();
        let mut done = 0;
        if !self.dry_run {
            let imported;
            (done, imported) = services.count_import_done(&file).await?;
            if done > 0 {
                progress::note(
                    &bar,
                    &format!(
                        "going on after record {done}; {imported} people are there from before"
                    ),
                )?;
                tally.refused_before = done.saturating_sub(imported);
                tally.refused = tally.refused_before;
                records.skip(done)?;
            }
            services.ready_import(self.defer_indexes).await?;
        }
        let mut report = Report::open(self.report.as_deref(), done > 0)?;
        let client = Client::local(services.new_request_id());
        let mut seen = HashSet::new();
        let mut next = prepare(services, &file, records);
        loop {
            let (batch, rest) = next.await??;
            let Some(batch) = batch else { break };
            bar.set_position(rest.position());
            next = prepare(services, &file, rest);
            let written = if self.dry_run {
                services.check_import(batch, &mut seen).await
            } else {
                services.write_import(&file, batch, &client).await
            };
            let written = written.map_err(|error| {
                anyhow::anyhow!(
                    "a batch could not be written: {error}; run the same command again to go on"
                )
            })?;
            tally.imported += written.imported;
            tally.refused += written.refused.len() as u64;
            report.add(&written.refused, &bar)?;
        }
        bar.finish_and_clear();
        if self.defer_indexes {
            services.finish_import().await?;
        }
        Ok(tally)
    }
}

type Prepared = anyhow::Result<(Option<PreparedBatch>, Records)>;

/// Reads and seals the next batch on a thread of its own.
fn prepare(services: &Services, file: &ImportFile, mut records: Records) -> JoinHandle<Prepared> {
    let services = services.clone();
    let file = file.clone();
    spawn_blocking(move || {
        let batch = records.take(BATCH)?;
        if batch.is_empty() {
            return Ok((None, records));
        }
        Ok((Some(services.prepare_import(&file, batch)?), records))
    })
}

fn digest(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (mut hash, mut part) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let length = file.read(&mut part)?;
        let Some(read) = part.get(..length).filter(|read| !read.is_empty()) else {
            break;
        };
        hash.update(read);
    }
    Ok(URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Where refused records are told of.
enum Report {
    File(BufWriter<File>),
    Screen { left: usize },
}

impl Report {
    /// What is there stays if the import goes on.
    fn open(path: Option<&Path>, goes_on: bool) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Screen { left: SHOWN });
        };
        let mut options = File::options();
        let options = if goes_on {
            options.append(true)
        } else {
            options.write(true).truncate(true)
        };
        let file = options.create(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(BufWriter::new(file)))
    }

    fn add(&mut self, refused: &[RefusedRecord], bar: &ProgressBar) -> anyhow::Result<()> {
        for record in refused {
            for violation in &record.violations {
                match self {
                    Self::File(file) => {
                        let line = json!({
                            "record": record.number, "field": violation.field, "code": violation.code,
                            "message": violation.message,
                        });
                        writeln!(file, "{line}")?;
                    }
                    Self::Screen { left: 0 } => {}
                    Self::Screen { left } => {
                        *left -= 1;
                        let (number, field) = (record.number, violation.field);
                        progress::note(
                            bar,
                            &format!(
                                "record {number}: {field}: {} ({})",
                                violation.message, violation.code
                            ),
                        )?;
                    }
                }
            }
        }
        if let Self::File(file) = self {
            file.flush()?;
        }
        Ok(())
    }
}
