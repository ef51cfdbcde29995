//! `usher keys list|rotate|rotate-master`: the keys that sign tokens, and the key that wraps all data keys.

use super::{progress, say};
use crate::{
    app::{self, Means},
    config::Config,
    domain::client::Client,
    services::{Services, signing_keys::Rotation},
};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// List the signing keys and the master keys in use; no secrets.
    List,
    /// Make a new signing key; the old ones retire when their last token has expired.
    Rotate {
        /// Sign with it at once, before other services can have fetched it.
        #[arg(long)]
        now: bool,
        /// And believe no token of the old keys any more, for a key that has leaked: everybody's next request needs a refresh.
        #[arg(long, conflicts_with = "now")]
        revoke: bool,
    },
    /// Wrap every data key anew under the first key of `ENCRYPTION_KEYS`. Safe while the service runs, and after an
    /// interruption it goes on where it stopped.
    RotateMaster,
}

impl Command {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let services = app::services(config, Means::default(), true).await?;
        match self {
            Self::List => list(&services).await?,
            Self::Rotate { now, revoke } => {
                let rotation = match (now, revoke) {
                    (_, true) => Rotation::Revoking,
                    (true, _) => Rotation::AtOnce,
                    _ => Rotation::Published,
                };
                let client = Client::local(services.new_request_id());
                let kid = services.rotate_signing_keys(rotation, &client).await?;
                say(&format!("new signing key {kid}"))?;
            }
            Self::RotateMaster => rotate_master(&services).await?,
        }
        services.store.close().await;
        Ok(())
    }
}

async fn list(services: &Services) -> anyhow::Result<()> {
    for key in services.list_signing_keys().await? {
        let until = key
            .retired_at
            .map_or_else(|| "in use".to_owned(), |at| format!("retires {at:?}"));
        say(&format!(
            "signing  {}  {}  made {:?}  active from {:?}  {until}",
            key.algorithm, key.kid, key.created_at, key.active_from
        ))?;
    }
    for id in services.list_master_key_ids().await? {
        say(&format!("master   {id}"))?;
    }
    Ok(())
}

async fn rotate_master(services: &Services) -> anyhow::Result<()> {
    let bar = progress::of_things(services.count_keys_to_rewrap().await?, "keys")?;
    loop {
        match services.rewrap_some_keys().await? {
            0 => break,
            done => bar.inc(done),
        }
    }
    services
        .finish_rewrapping(&Client::local(services.new_request_id()))
        .await?;
    bar.finish();
    say("every data key is wrapped by the newest master key")?;
    list(services).await
}
