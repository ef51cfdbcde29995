//! `usher asyncapi`: the document about events that the running service answers with, without running it.

use super::say;
use crate::http;
use clap::Args;

#[derive(Args)]
pub struct Command {}

impl Command {
    /// Prints it.
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub fn run(self) -> anyhow::Result<()> {
        say(&serde_json::to_string_pretty(&http::asyncapi_document())?)
    }
}
