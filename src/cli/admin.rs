//! `usher admin create`: an admin from the command line, through the same use case as any other.

use super::say;
use crate::{
    app::{self, Means},
    config::Config,
    domain::{
        Error,
        client::Client,
        email::EmailAddress,
        password::Password,
        permission::{Role, Roles},
        steward::Steward,
        user::UserChanges,
    },
    services::{Services, invitation::NewUser},
};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use std::io::{BufRead as _, Write as _};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum Command {
    /// Make an active admin. Without --password-stdin a random password is made and shown once.
    Create {
        /// The admin's e-mail address.
        #[arg(long)]
        email: String,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Mail somebody an invitation to become an admin; they choose their password.
    Invite {
        /// The e-mail address.
        #[arg(long)]
        email: String,
    },
}

impl Command {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let services = app::services(config, Means::default(), true).await?;
        match self {
            Self::Create {
                email,
                password_stdin,
            } => create(&services, &email, password_stdin).await?,
            Self::Invite { email } => invite(&services, &email).await?,
        }
        services.store.close().await;
        Ok(())
    }
}

fn address(email: &str) -> anyhow::Result<EmailAddress> {
    EmailAddress::parse(email).map_err(|_| anyhow::anyhow!("--email is not an e-mail address"))
}

async fn invite(services: &Services, email: &str) -> anyhow::Result<()> {
    let client = Client::local(services.new_request_id());
    let new = NewUser {
        email: address(email)?,
        roles: Roles::new([Role::Admin]),
        changes: UserChanges::default(),
    };
    match services.create_user(Steward::Operator, new, &client).await {
        Ok(invited) => say(&format!(
            "invited {}; the mail leaves as soon as the service runs",
            invited.id
        )),
        Err(error) => bail!("nobody was invited: {error}"),
    }
}

async fn create(services: &Services, email: &str, password_stdin: bool) -> anyhow::Result<()> {
    let email = address(email)?;
    let given = password_stdin.then(read_password).transpose()?;
    let made = given
        .is_none()
        .then(|| Zeroizing::new(services.random_password(&email)));
    let text = given
        .as_ref()
        .or(made.as_ref())
        .map(|text| text.as_str())
        .unwrap_or_default();
    let Ok(password) = Password::parse(text) else {
        bail!(
            "the password cannot be used: it holds a character that is not allowed, or is too long"
        );
    };
    let client = Client::local(services.new_request_id());
    match services.create_admin(email, password, &client).await {
        Ok(admin) => say(&format!("made admin {}", admin.id))?,
        Err(Error::Invalid(violations)) => {
            let broken: Vec<String> = violations.into_iter().map(|v| v.message).collect();
            bail!("the password is refused: {}", broken.join(" "));
        }
        Err(error) => bail!("no admin was made: {error}"),
    }
    if let Some(made) = made {
        writeln!(
            std::io::stderr().lock(),
            "password (shown once): {}",
            made.as_str()
        )?;
    }
    Ok(())
}

fn read_password() -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("no password on standard input")?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
