//! `usher user list|show|deactivate|reactivate|erase|roles`: other people's accounts from the command line, through the use
//! cases that the API has, too. A person is named by id or e-mail address.

use super::say;
use crate::{
    app::{self, Means},
    config::Config,
    domain::{
        Error,
        change::Expected,
        client::Client,
        email::EmailAddress,
        id::UserId,
        page::{Cursor, Page, PageRequest},
        permission::{Role, Roles},
        search::Words,
        steward::Steward,
        user::{User, UserStatus},
        user_list::{UserFilters, UserOrder},
        username::Username,
    },
    services::Services,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Who does it, according to the audit trail: the system.
pub(super) const OPERATOR: Steward<'static> = Steward::Operator;

#[derive(Subcommand)]
pub enum Command {
    /// List people, newest first.
    List(ListArguments),
    /// Show a person.
    Show {
        /// The id or e-mail address.
        person: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put an account aside: its owner is signed out and cannot sign in; the data stays.
    Deactivate {
        /// The id or e-mail address.
        person: String,
    },
    /// Take up an account that was put aside or ended by its owner.
    Reactivate {
        /// The id or e-mail address.
        person: String,
    },
    /// Delete a person with everything that is theirs, for good.
    Erase {
        /// The id or e-mail address.
        person: String,
        /// Really.
        #[arg(long)]
        yes: bool,
    },
    /// Give a person exactly these roles.
    Roles {
        /// The id or e-mail address.
        person: String,
        /// `user`, `manager` or `admin`.
        #[arg(required = true)]
        roles: Vec<String>,
    },
}

/// What narrows a list.
#[derive(Args)]
pub struct ListArguments {
    /// Words in name, username, title, headline, location or skills.
    #[arg(long)]
    q: Option<String>,
    /// Only people of this role.
    #[arg(long)]
    role: Option<String>,
    /// Only accounts of this status.
    #[arg(long)]
    status: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Command {
    /// Runs it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        if let Self::Erase { yes: false, .. } = self {
            bail!("erasing is for good; add --yes if that is meant");
        }
        let services = app::services(config, Means::default(), true).await?;
        let done = self.act(&services).await;
        services.store.close().await;
        done
    }

    async fn act(self, services: &Services) -> anyhow::Result<()> {
        let client = Client::local(services.new_request_id());
        match self {
            Self::List(arguments) => list(services, arguments, &client).await,
            Self::Show { person, json } => {
                let id = find(services, &person, &client).await?;
                let user = services.show_user(OPERATOR, id, &client).await;
                show(services, &user.map_err(refused)?, json)
            }
            Self::Deactivate { person } => {
                let id = find(services, &person, &client).await?;
                let done = services
                    .deactivate_user(OPERATOR, id, &Expected::Any, &client)
                    .await;
                say(&format!(
                    "{id} is {}",
                    done.map_err(refused)?.status.as_str()
                ))
            }
            Self::Reactivate { person } => {
                let id = find(services, &person, &client).await?;
                let done = services
                    .reactivate_user(OPERATOR, id, &Expected::Any, &client)
                    .await;
                say(&format!(
                    "{id} is {}",
                    done.map_err(refused)?.status.as_str()
                ))
            }
            Self::Erase { person, .. } => {
                let id = find(services, &person, &client).await?;
                let done = services
                    .erase_user(OPERATOR, id, &Expected::Any, &client)
                    .await;
                done.map_err(refused)?;
                say(&format!("{id} is erased"))
            }
            Self::Roles { person, roles } => {
                let roles: Option<Vec<Role>> = roles.iter().map(|name| Role::parse(name)).collect();
                let roles = Roles::new(roles.context("roles are user, manager and admin")?);
                let id = find(services, &person, &client).await?;
                let done = services
                    .set_roles(OPERATOR, (id, roles), &Expected::Any, &client)
                    .await;
                let names = done.map_err(refused)?.roles.names().join(", ");
                say(&format!("{id} has the roles {names}"))
            }
        }
    }
}

pub(super) fn refused(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(why) => why,
        other => anyhow::anyhow!("nothing was changed: {other}"),
    }
}

/// The id of a person named by it or by the address.
pub(super) async fn find(
    services: &Services,
    person: &str,
    client: &Client,
) -> anyhow::Result<UserId> {
    if let Ok(id) = person.parse() {
        return Ok(id);
    }
    let Ok(email) = EmailAddress::parse(person) else {
        bail!("name the person by id or e-mail address");
    };
    let filters = UserFilters {
        email: Some(email),
        ..UserFilters::default()
    };
    let found = page(services, &filters, None, client).await?;
    let first = found.items.first().map(|user| user.id);
    first.context("nobody has this address")
}

async fn page(
    services: &Services,
    filters: &UserFilters,
    cursor: Option<Cursor>,
    client: &Client,
) -> anyhow::Result<Page<User>> {
    let request = PageRequest {
        limit: 100,
        cursor,
        with_total: false,
    };
    let wanted = (UserOrder::default(), &request);
    services
        .list_users(OPERATOR, filters, wanted, client)
        .await
        .map_err(refused)
}

async fn list(
    services: &Services,
    arguments: ListArguments,
    client: &Client,
) -> anyhow::Result<()> {
    let role = arguments.role.as_deref().map(Role::parse);
    let status = arguments.status.as_deref().map(UserStatus::parse);
    let filters = UserFilters {
        q: arguments
            .q
            .map(|q| Words::parse(&q))
            .transpose()
            .map_err(|fault| anyhow::anyhow!("--q: {}", fault.message))?,
        role: role
            .map(|role| role.context("--role is user, manager or admin"))
            .transpose()?,
        status: status
            .map(|status| status.context("--status is pending, active, deactivated or terminated"))
            .transpose()?,
        ..UserFilters::default()
    };
    let mut people = Vec::new();
    let mut cursor = None;
    while people.len() < arguments.limit {
        let found = page(services, &filters, cursor, client).await?;
        people.extend(found.items);
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    people.truncate(arguments.limit);
    if arguments.json {
        let all: Vec<Value> = people.iter().map(|user| shape(services, user)).collect();
        return say(&serde_json::to_string_pretty(&all)?);
    }
    people.iter().try_for_each(|user| say(&line(user)))
}

fn show(services: &Services, user: &User, as_json: bool) -> anyhow::Result<()> {
    let shape = shape(services, user);
    if as_json {
        return say(&serde_json::to_string_pretty(&shape)?);
    }
    let fields = shape.as_object().into_iter().flatten();
    for (name, value) in fields {
        let text = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        say(&format!("{name:<16}{text}"))?;
    }
    Ok(())
}

fn line(user: &User) -> String {
    let name = user.full_name.as_deref().unwrap_or("-");
    let roles = user.roles.names().join(",");
    let (status, email) = (user.status.as_str(), user.email.as_str());
    format!("{}  {status:<11}  {roles:<13}  {email}  {name}", user.id)
}

fn shape(services: &Services, user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email.as_str(),
        "username": user.username.as_ref().map(Username::as_str),
        "full_name": user.full_name,
        "country": user.country,
        "state_province": user.state_province,
        "current_title": user.current_title,
        "location": user.location,
        "locale": user.locale,
        "timezone": user.timezone,
        "roles": user.roles.names(),
        "tier": user.tier_at(services.now()).as_str(),
        "status": user.status.as_str(),
        "is_verified": user.is_verified(),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "last_login_at": user.last_login_at,
        "version": user.version,
    })
}
