//! `usher user export`: all people as JSON lines or CSV, which `usher user import` reads. A spreadsheet reads no cell of
//! it as a formula.

use super::{
    progress,
    records::{Format, marked},
    say,
};
use crate::{
    app::{self, Means},
    config::Config,
    domain::{client::Client, password::PasswordHash, user::User, username::Username},
    services::{Services, user_export::ExportedPerson},
};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The columns, in this order.
const COLUMNS: [&str; 18] = [
    "id",
    "email",
    "username",
    "full_name",
    "country",
    "state_province",
    "current_title",
    "location",
    "locale",
    "timezone",
    "verified",
    "status",
    "roles",
    "tier",
    "tier_until",
    "created_at",
    "last_login_at",
    "password_hash",
];

#[derive(Args)]
pub struct Export {
    /// A new file, which only its owner may read; `-` for standard output.
    file: PathBuf,
    /// Default: by the file's ending.
    #[arg(long)]
    format: Option<Format>,
    /// With the stored hashes of passwords, to move to another deployment.
    #[arg(long)]
    password_hashes: bool,
}

impl Export {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let services = app::services(config, Means::default(), true).await?;
        let count = self.export(&services).await?;
        services.store.close().await;
        if self.is_to_screen() {
            return Ok(());
        }
        say(&format!("{count} people exported"))
    }

    fn is_to_screen(&self) -> bool {
        self.file == Path::new("-")
    }

    async fn export(&self, services: &Services) -> anyhow::Result<u64> {
        let out: Box<dyn Write + Send> = if self.is_to_screen() {
            Box::new(std::io::stdout())
        } else {
            Box::new(create(&self.file)?)
        };
        let is_csv = self
            .file
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let format = self
            .format
            .unwrap_or(if is_csv { Format::Csv } else { Format::Jsonl });
        let mut sink = Sink::new(BufWriter::with_capacity(1 << 16, out), format)?;
        let client = Client::local(services.new_request_id());
        let bar = progress::of_things(
            services.begin_export(self.password_hashes, &client).await?,
            "people",
        )?;
        let (mut last, mut count) = (None, 0);
        loop {
            let people = services.export_users(last).await?;
            let Some(end) = people.last() else { break };
            last = Some(end.user.id);
            for person in &people {
                sink.write(&record(person, self.password_hashes))?;
            }
            count += people.len() as u64;
            bar.inc(people.len() as u64);
        }
        bar.finish_and_clear();
        sink.close()?;
        Ok(count)
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

/// A person as a record of [`COLUMNS`].
fn record(person: &ExportedPerson, with_hash: bool) -> Map<String, Value> {
    let ExportedPerson {
        user,
        password_hash,
    } = person;
    let hash = password_hash.as_ref().filter(|_| with_hash);
    let values = [
        json!(user.id),
        json!(user.email.as_str()),
        json!(user.username.as_ref().map(Username::as_str)),
        json!(user.full_name),
        json!(user.country),
        json!(user.state_province),
        json!(user.current_title),
        json!(user.location),
        json!(user.locale),
        json!(user.timezone),
        json!(User::is_verified(user)),
        json!(user.status.as_str()),
        json!(user.roles.names()),
        json!(user.tier.as_str()),
        json!(user.tier_until),
        json!(user.created_at),
        json!(user.last_login_at),
        json!(hash.map(PasswordHash::as_str)),
    ];
    let names = COLUMNS.iter().map(|name| (*name).to_owned());
    names.zip(values).collect()
}

/// Where the records go.
enum Sink<W: Write> {
    Lines(W),
    Table(Box<csv::Writer<W>>),
}

impl<W: Write> Sink<W> {
    fn new(out: W, format: Format) -> anyhow::Result<Self> {
        if format == Format::Jsonl {
            return Ok(Self::Lines(out));
        }
        let mut table = csv::WriterBuilder::new()
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(out);
        table.write_record(COLUMNS)?;
        Ok(Self::Table(Box::new(table)))
    }

    fn write(&mut self, record: &Map<String, Value>) -> anyhow::Result<()> {
        match self {
            Self::Lines(out) => writeln!(out, "{}", json!(record))?,
            Self::Table(table) => {
                table.write_record(COLUMNS.iter().map(|name| cell(record.get(*name))))?;
            }
        }
        Ok(())
    }

    fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Lines(mut out) => out.flush()?,
            Self::Table(mut table) => table.flush()?,
        }
        Ok(())
    }
}

/// A value as a cell that no spreadsheet takes for a formula.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => marked(text),
        Some(Value::Array(items)) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            marked(&items.join(";"))
        }
        Some(other) => marked(&other.to_string()),
    }
}
