//! `usher openapi`: the document that the running service answers with, without running it.

use super::say;
use crate::http;
use clap::Args;

#[derive(Args)]
pub struct Command {
    /// OpenAPI 3.0 instead of 3.1, for tools that know nothing newer.
    #[arg(long)]
    v3_0: bool,
}

impl Command {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<()> {
        let document = http::document();
        let document = if self.v3_0 {
            http::as_3_0(document)
        } else {
            document
        };
        let text = serde_json::to_string_pretty(&document)?;
        say(&text)
    }
}
