//! Handing all people to another system, page by page along the key, so that memory stays the same for any number.

use super::{
    Services,
    personal_data::{field, open_email},
};
use crate::{
    domain::{
        Result, actor::Actor, audit::AuditEntry, client::Client, id::UserId,
        password::PasswordHash, user::User,
    },
    storage::{Store, user_pages},
};
use serde_json::json;

/// How many people are read at once.
const PAGE: u64 = 500;

/// A person and how their password is stored.
pub struct ExportedPerson {
    pub user: User,
    pub password_hash: Option<PasswordHash>,
}

impl Services {
    /// Notes the export in the audit trail; tells how many people there are.
    pub async fn begin_export(&self, with_hashes: bool, client: &Client) -> Result<u64> {
        let count = user_pages::count_users(self.store.reader()).await?;
        let tx = self.store.begin().await?;
        let details = json!({ "users": count, "password_hashes": with_hashes });
        let entry = AuditEntry::success("export_users", Actor::System, client).with(details);
        self.audit(&tx, entry).await?;
        Store::commit(tx).await?;
        Ok(count)
    }

    /// The people after this one by id; none at the end. Who is erased meanwhile is left out.
    pub async fn export_users(&self, after: Option<UserId>) -> Result<Vec<ExportedPerson>> {
        let people = self
            .read_lists(|db| async move { user_pages::list_users_after(&db, after, PAGE).await })
            .await?;
        people
            .into_iter()
            .map(|stored| {
                let key = self
                    .vault
                    .unwrap(&stored.key, &stored.user.id.to_string())?;
                let email = open_email(&key, field::EMAIL, &stored.user.email)?;
                Ok(ExportedPerson {
                    user: stored.user.with_email(email),
                    password_hash: stored.password_hash.map(PasswordHash::new),
                })
            })
            .collect()
    }
}
