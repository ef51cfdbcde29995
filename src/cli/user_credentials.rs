//! `usher user require-reset|sign-out`: what is done about passwords and sessions that may be known to others.

use super::{
    say,
    user_administration::{OPERATOR, find, refused},
};
use crate::{
    app::{self, Means},
    config::Config,
    domain::client::Client,
    services::Services,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Sign a person out everywhere, mail a link for a new password, and refuse the old one.
    RequireReset {
        /// The id or e-mail address.
        person: String,
    },
    /// Sign a person out everywhere, or everybody.
    SignOut {
        /// The id or e-mail address.
        #[arg(required_unless_present = "all")]
        person: Option<String>,
        /// Everybody.
        #[arg(long, conflicts_with = "person")]
        all: bool,
    },
}

impl Command {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let services = app::services(config, Means::default(), true).await?;
        let done = self.act(&services).await;
        services.store.close().await;
        done
    }

    async fn act(self, services: &Services) -> anyhow::Result<()> {
        let client = Client::local(services.new_request_id());
        match self {
            Self::RequireReset { person } => {
                let id = find(services, &person, &client).await?;
                let done = services.require_password_reset(OPERATOR, id, &client).await;
                done.map_err(refused)?;
                say(&format!(
                    "{id} has to choose a new password; the mail leaves as soon as the service runs"
                ))
            }
            Self::SignOut {
                person: Some(person),
                ..
            } => {
                let id = find(services, &person, &client).await?;
                let done = services.revoke_user_sessions(OPERATOR, id, &client).await;
                done.map_err(refused)?;
                say(&format!("{id} is signed out"))
            }
            Self::SignOut { person: None, .. } => {
                let done = services.sign_out_everybody(&client).await;
                let done = done.map_err(refused)?;
                say(&format!(
                    "{} people are signed out of {} sessions",
                    done.people, done.sessions
                ))
            }
        }
    }
}
