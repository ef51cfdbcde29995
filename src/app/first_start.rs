//! The first admin of a deployment: from `ADMIN_EMAIL` and `ADMIN_PASSWORD`; in development one is made with a random
//! password that is shown once.

use crate::{
    config::Config,
    domain::{Error, client::Client, error::Clash, password::Password},
    services::Services,
};
use anyhow::Context as _;
use secrecy::ExposeSecret;
use std::io::Write as _;

/// Makes the first admin where nobody is an admin yet.
pub(super) async fn make_first_admin(config: &Config, services: &Services) -> anyhow::Result<()> {
    let Some(email) = config.admin.email.clone() else {
        return Ok(());
    };
    if services.has_admin().await? {
        return Ok(());
    }
    let client = Client::local(services.new_request_id());
    let (password, shown) = match &config.admin.password {
        Some(password) => (password.expose_secret().to_owned(), false),
        None if config.is_production() => anyhow::bail!(
            "ADMIN_EMAIL is set, ADMIN_PASSWORD is not, and nobody is an admin: set both or neither"
        ),
        None => (services.random_password(&email), true),
    };
    let parsed = Password::parse(&password).map_err(|fault| anyhow::anyhow!(fault.message))?;
    match services.create_admin(email.clone(), parsed, &client).await {
        Ok(_) if shown => {
            show(email.as_str(), &password).context("the first admin's password cannot be shown")
        }
        // Another node that started at the same moment was first.
        Ok(_) | Err(Error::Conflict(Clash::EmailTaken)) => Ok(()),
        Err(Error::Invalid(violations)) => {
            let broken: Vec<String> = violations.into_iter().map(|v| v.message).collect();
            anyhow::bail!("ADMIN_PASSWORD is refused: {}", broken.join(" "))
        }
        Err(error) => Err(error).context("the first admin cannot be made"),
    }
}

/// To the terminal and not to the log, which may be kept and shipped elsewhere.
fn show(email: &str, password: &str) -> std::io::Result<()> {
    let mut terminal = std::io::stderr().lock();
    writeln!(
        terminal,
        "\n  First start. An admin was made for this development database; this is shown once:\n"
    )?;
    writeln!(
        terminal,
        "    e-mail    {email}\n    password  {password}\n"
    )
}
