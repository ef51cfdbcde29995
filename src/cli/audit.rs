//! `usher audit verify`: checks the chain over the audit trail, from the database alone.

use super::{progress, say};
use crate::{
    app::{self, Means},
    config::Config,
    domain::audit_chain::{ChainFault, KnownPlace},
    services::{Services, audit_verification::AuditReport},
};
use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum Command {
    /// Check every entry against the chain and its signed checkpoints, and name the first bad one.
    Verify {
        /// A checkpoint out of the log, SEQUENCE:HASH, that the chain must come through.
        #[arg(long, value_name = "SEQUENCE:HASH")]
        checkpoint: Option<String>,
        /// Tell the result as JSON.
        #[arg(long)]
        json: bool,
        /// Only print the public key of the checkpoints, as a JWK.
        #[arg(long, conflicts_with_all = ["checkpoint", "json"])]
        print_key: bool,
    },
}

impl Command {
    /// Runs it; damage is an error.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let Self::Verify {
            checkpoint,
            json,
            print_key,
        } = self;
        let known = checkpoint.as_deref().map(|text| {
            KnownPlace::parse(text)
                .context("--checkpoint must be SEQUENCE:HASH, as in a line of audit_checkpoint")
        });
        let known = known.transpose()?;
        let services = app::services(config, Means::default(), true).await?;
        let done = if print_key {
            say(&services.audit_public_key()?.to_string())
        } else {
            verify(&services, known, json).await
        };
        services.store.close().await;
        done
    }
}

async fn verify(
    services: &Services,
    known: Option<KnownPlace>,
    as_json: bool,
) -> anyhow::Result<()> {
    let bar = progress::of_things(services.count_sealed_entries().await?, "entries")?;
    let report = services.verify_audit_log(known, |more| bar.inc(more));
    let report = report.await?;
    bar.finish_and_clear();
    if let (Some(known), Some(begins_after)) = (known, report.begins_after) {
        ensure!(
            known.sequence >= begins_after,
            "the trail begins after entry {begins_after}, older ones were deleted in their time: give a later checkpoint"
        );
    }
    if as_json {
        say(&serde_json::to_string_pretty(&shape(&report))?)?;
    }
    match &report.fault {
        Some(fault) => bail!("the audit trail is damaged: {}", words(fault)),
        None if as_json => Ok(()),
        None => say(&summary(&report)),
    }
}

fn words(fault: &ChainFault) -> String {
    let id = fault.id.map(|id| format!(" ({id})")).unwrap_or_default();
    let (sequence, message) = (fault.sequence, fault.damage.message());
    format!("at {sequence}{id}: {message}")
}

fn summary(report: &AuditReport) -> String {
    let from = report.begins_after.unwrap_or(0) + 1;
    format!(
        "the audit trail is whole: {} entries from {from} to {}, {} checkpoints, {} not sealed yet\nits end is {}:{}",
        report.entries,
        report.end.sequence,
        report.checkpoints,
        report.unsealed,
        report.end.sequence,
        report.end.hash,
    )
}

fn shape(report: &AuditReport) -> Value {
    let fault = report.fault.as_ref().map(|fault| {
        json!({
            "code": fault.damage.code(),
            "sequence": fault.sequence,
            "id": fault.id,
            "message": fault.damage.message(),
        })
    });
    json!({
        "whole": report.fault.is_none(),
        "begins_after": report.begins_after,
        "entries": report.entries,
        "checkpoints": report.checkpoints,
        "end": { "sequence": report.end.sequence, "hash": report.end.hash.to_string() },
        "unsealed": report.unsealed,
        "fault": fault,
    })
}
