//! `usher user ...`: people, through the same use cases as any other front door.

use super::{user_administration, user_credentials, user_export::Export, user_import::Import};
use crate::config::Config;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    #[command(flatten)]
    Administer(user_administration::Command),
    #[command(flatten)]
    Secure(user_credentials::Command),
    /// Take people over from a file; goes on where it stopped when it is run again.
    Import(Import),
    /// Write all people to a file.
    Export(Export),
}

impl Command {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Administer(command) => command.run(config).await,
            Self::Secure(command) => command.run(config).await,
            Self::Import(import) => import.run(config).await,
            Self::Export(export) => export.run(config).await,
        }
    }
}
