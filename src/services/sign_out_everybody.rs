//! Signing everybody out, for when what sessions rest on may have been stolen: a backup, a database, keys.

use super::Services;
use crate::{
    domain::{
        Result, actor::Actor, audit::AuditEntry, client::Client, id::UserId, session::SessionEnd,
    },
    storage::sessions,
};
use serde_json::json;

const ACTION: &str = "sign_out_everybody";
/// People of one transaction.
const BATCH: u64 = 50;

/// What an end of all sessions came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignedOut {
    pub people: u64,
    pub sessions: u64,
}

impl Services {
    /// Ends every session that is open now, person by person in batches, so that nobody waits long; interrupted, it can be
    /// run again. The trail has one entry of it, each person an event.
    pub async fn sign_out_everybody(&self, client: &Client) -> Result<SignedOut> {
        let (begin, mut done, mut last) = (self.now(), SignedOut::default(), None);
        loop {
            let db = self.store.reader();
            let people = sessions::list_signed_in(db, last, begin, BATCH).await?;
            let Some(end) = people.last() else { break };
            last = Some(*end);
            self.sign_out_batch(&people, &mut done, client).await?;
        }
        let tx = self.store.begin().await?;
        let told = json!({ "people": done.people, "sessions_ended": done.sessions });
        let entry = AuditEntry::success(ACTION, Actor::System, client);
        self.audit(&tx, entry.with(told)).await?;
        self.commit(tx).await?;
        Ok(done)
    }

    /// People are locked in the order of their ids, as everywhere that several are.
    async fn sign_out_batch(
        &self,
        people: &[UserId],
        done: &mut SignedOut,
        client: &Client,
    ) -> Result<()> {
        let why = SessionEnd::EverybodySignedOut;
        let tx = self.store.begin().await?;
        for id in people {
            if self.try_lock_user(&tx, *id).await?.is_none() {
                continue;
            }
            let ended = self.revoke_all(&tx, *id, why, client).await?;
            done.people += u64::from(ended > 0);
            done.sessions += ended;
        }
        self.commit(tx).await
    }
}
