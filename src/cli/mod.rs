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
mod records;
mod serve;
mod user;
mod user_administration;
mod user_export;
mod user_import;

use crate::config::{Config, Flags, Sources};
use clap::{Args, Parser, Subcommand};
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
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Config(command) => command.run(&sources),
        Command::Openapi(command) => command.run(),
        Command::Asyncapi(command) => command.run(),
        Command::Serve => serve::run(&Config::load(&sources)?).await,
        Command::Migrate(command) => command.run(&Config::load(&sources)?).await,
        Command::Admin(command) => command.run(&Config::load(&sources)?).await,
        Command::User(command) => command.run(&Config::load(&sources)?).await,
        Command::Keys(command) => command.run(&Config::load(&sources)?).await,
        Command::Audit(command) => command.run(&Config::load(&sources)?).await,
    }
}

/// Prints a line for the operator.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
