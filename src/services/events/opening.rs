//! Opening stored events for those who may have them. Of an erased person nothing opens any more: subscribers get the
//! event without its data, so that no hole is in the person's order. That they were erased is told in full.

use super::Services;
use crate::{
    domain::{
        Result,
        cloud_event::{CloudEvent, Withheld},
        event::{EventType, StoredEvent},
        id::UserId,
    },
    infra::vault::DataKey,
    services::personal_data::{field, open_text},
    storage::{Db, keys},
};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

impl Services {
    /// The events as others get them.
    pub(in crate::services) async fn open_events<'a>(
        &self,
        db: &impl Db,
        events: impl Iterator<Item = &'a StoredEvent> + Clone,
    ) -> Result<Vec<CloudEvent>> {
        let owners: BTreeSet<UserId> = events.clone().map(|event| event.user_id).collect();
        // From the database and not from memory, where an erased person's key may outlive them.
        let wrapped = keys::list_user_keys(db, owners.into_iter().collect()).await?;
        let opened = wrapped
            .into_iter()
            .map(|(id, wrapped)| Ok((id, self.vault.unwrap(&wrapped, &id.to_string())?)));
        let opened: HashMap<UserId, DataKey> = opened.collect::<Result<_>>()?;
        let source = self.links.public.as_str().trim_end_matches('/');
        Ok(events
            .map(|event| {
                let data = self.open_data(event, opened.get(&event.user_id));
                CloudEvent::of(event, source.to_owned(), data)
            })
            .collect())
    }

    fn open_data(&self, event: &StoredEvent, own: Option<&DataKey>) -> Result<Value, Withheld> {
        let read = |key: &DataKey| {
            let text = open_text(key, field::EVENT_DATA, &event.data).ok()?;
            serde_json::from_str(&text).ok()
        };
        // The last event of an erased person is under the service's own key, even while their own is still there to be seen.
        let may_be_last = event.kind == EventType::Deleted.as_str();
        let last = || may_be_last.then(|| read(self.service_key())).flatten();
        match own.and_then(read).or_else(last) {
            Some(data) => Ok(data),
            None if own.is_none() => Err(Withheld::Erased),
            None => {
                tracing::warn!(event_id = %event.id, "an event does not open: its row was changed");
                Err(Withheld::Unreadable)
            }
        }
    }
}
