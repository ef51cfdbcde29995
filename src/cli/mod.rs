//! Floor 4, the command line: the service itself and what operators do beside it.

mod admin;
mod asyncapi;
mod audit;
mod config;
mod keys;
mod migrate;
mod openapi;
mod progress;
mod prompt;
pub(crate) mod records;
mod serve;
mod user;
mod user_administration;
mod user_credentials;
mod user_export;
mod user_import;

use crate::{
    config::{Config, Flags, Sources},
    infra::tracer,
    telemetry,
};
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::{io::Write as _, path::PathBuf};
use zeroize::Zeroizing;

/// Usher, a self-hosted user management service.
#[derive(Parser)]
#[command(name = "usher", version, about)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingFlags,
    #[command(subcommand)]
    command: Option<Command>,
    /// The words of the command, for its trace.
    #[arg(skip)]
    name: String,
}

impl Arguments {
    /// Those of this process; ends it where they are wrong or ask for help.
    pub fn read() -> Self {
        let matches = Self::command().get_matches();
        match Self::from_arg_matches(&matches) {
            Ok(arguments) => Self {
                name: words(&matches),
                ..arguments
            },
            Err(error) => error.format(&mut Self::command()).exit(),
        }
    }
}

/// `usher keys rotate`.
fn words(mut matches: &ArgMatches) -> String {
    let mut words = vec!["usher"];
    while let Some((word, inner)) = matches.subcommand() {
        words.push(word);
        matches = inner;
    }
    words.join(" ")
}

/// How settings can be given on the command line; they go before all other sources.
#[derive(Args)]
struct SettingFlags {
    /// The configuration file (default: usher.toml if there is one).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, such as LISTEN=127.0.0.1:8001; can be repeated.
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service (the default).
    Serve,
    /// Bring the database's schema up or down, or tell where it stands.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Make admins.
    #[command(subcommand)]
    Admin(admin::Command),
    /// List and administer people, import and export them.
    #[command(subcommand)]
    User(user::Command),
    /// List and rotate the keys that sign tokens and the key that protects personal data.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check the audit trail for tampering.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check or show the settings.
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document.
    Openapi(openapi::Command),
    /// Print the `AsyncAPI` document, which describes the events.
    Asyncapi(asyncapi::Command),
}

/// Runs a command; the error is one clear message without secrets.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let flags = Flags {
        config: arguments.settings.config,
        set: arguments
            .settings
            .set
            .into_iter()
            .map(Zeroizing::new)
            .collect(),
    };
    let sources = Sources::from_process(flags);
    let name = arguments.name;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Config(command) => command.run(&sources),
        Command::Openapi(command) => command.run(),
        Command::Asyncapi(command) => command.run(),
        Command::Serve => serve::run(&Config::load(&sources)?).await,
        Command::Migrate(command) => {
            act(name, &sources, async |config| command.run(config).await).await
        }
        Command::Admin(command) => {
            act(name, &sources, async |config| command.run(config).await).await
        }
        Command::User(command) => {
            act(name, &sources, async |config| command.run(config).await).await
        }
        Command::Keys(command) => {
            act(name, &sources, async |config| command.run(config).await).await
        }
        Command::Audit(command) => {
            act(name, &sources, async |config| command.run(config).await).await
        }
    }
}

/// Does what has to do with people's data, in a trace of its own.
async fn act(
    name: String,
    sources: &Sources,
    work: impl AsyncFnOnce(&Config) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = Config::load(sources)?;
    let traces = telemetry::traces::start(config.traces.as_ref())?;
    let done = tracer::root(name, work(&config)).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    done
}

/// Prints a line for the operator.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
