//! Rotating the master key: every data key is wrapped anew under the newest one, batch by batch, while the service
//! runs. What is done stays done, so an interrupted run goes on where it stopped.

use super::{Services, personal_data::SERVICE_KEY};
use crate::{
    domain::{Error, Result, actor::Actor, audit::AuditEntry, client::Client},
    storage::{Store, keys},
};
use serde_json::json;

/// How many keys one transaction wraps anew.
const BATCH: u64 = 500;

impl Services {
    /// How many keys still wait under older master keys.
    pub async fn count_keys_to_rewrap(&self) -> Result<u64> {
        keys::count_user_keys_not_under(self.store.reader(), self.vault.current_master_key_id())
            .await
    }

    /// Wraps a batch of keys anew and tells how many that were; 0 when all is done.
    pub async fn rewrap_some_keys(&self) -> Result<u64> {
        let newest = self.vault.current_master_key_id().to_owned();
        let tx = self.store.begin().await?;
        let batch = keys::list_user_keys_not_under(&tx, &newest, BATCH).await?;
        for (id, wrapped) in &batch {
            let renewed = self.vault.rewrap(wrapped, &id.to_string())?;
            keys::update_user_key(&tx, *id, wrapped, renewed).await?;
        }
        Store::commit(tx).await?;
        Ok(batch.len() as u64)
    }

    /// Wraps the service's own key anew and notes the rotation in the audit trail; the last step.
    pub async fn finish_rewrapping(&self, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let wrapped = keys::find_vault_key(&tx, SERVICE_KEY).await?;
        let wrapped = wrapped.ok_or_else(|| Error::internal(anyhow::anyhow!("no service key")))?;
        let newest = self.vault.current_master_key_id();
        if wrapped.master_key_id != newest {
            keys::update_vault_key(&tx, SERVICE_KEY, self.vault.rewrap(&wrapped, SERVICE_KEY)?)
                .await?;
        }
        let entry = AuditEntry::success("rotate_master_key", Actor::System, client);
        self.audit(&tx, entry.with(json!({ "master_key_id": newest })))
            .await?;
        Store::commit(tx).await
    }

    /// The ids of master keys that still wrap something; only others may be taken out of `ENCRYPTION_KEYS`.
    pub async fn list_master_key_ids(&self) -> Result<Vec<String>> {
        keys::list_master_key_ids(self.store.reader()).await
    }

    /// Refuses to start with data in the database that no configured master key can open.
    pub(super) async fn must_know_master_keys(&self) -> Result<()> {
        let ids = self.list_master_key_ids().await?;
        match ids.iter().find(|id| !self.vault.knows(id)) {
            Some(id) => Err(Error::internal(anyhow::anyhow!(
                "ENCRYPTION_KEYS lacks the key `{id}`, which is in use"
            ))),
            None => Ok(()),
        }
    }
}
