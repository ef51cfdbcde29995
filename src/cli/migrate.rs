//! `usher migrate up|down|status`, on both databases.

use super::say;
use crate::{app, config::Config, storage::schema};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Apply what is missing.
    Up {
        /// Only so many migrations.
        #[arg(long)]
        steps: Option<u32>,
    },
    /// Take migrations back; the data in their tables goes.
    Down {
        /// So many migrations; without it one.
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: u32,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
    /// Tell what is applied and what is not.
    Status,
}

impl Command {
    /// Runs it and tells where the schema stands afterwards.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = app::connect(config).await?;
        match self {
            Self::Up { steps } => schema::up(&store, steps).await?,
            Self::Down { all: true, .. } => schema::down(&store, None).await?,
            Self::Down { steps, .. } => schema::down(&store, Some(steps)).await?,
            Self::Status => {}
        }
        let status = schema::status(&store).await?;
        for name in &status.applied {
            say(&format!("applied  {name}"))?;
        }
        for name in &status.pending {
            say(&format!("pending  {name}"))?;
        }
        if status.lacks_indexes {
            say("missing  indexes that an import has put off")?;
        }
        store.close().await;
        Ok(())
    }
}
