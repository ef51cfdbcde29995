//! Events for other systems, written in the transaction of the change that they tell of.

pub mod feed;
pub mod held_back;
mod opening;
mod placing;
pub mod relay;

use super::{Services, personal_data::field};
use crate::{
    domain::{
        Error, Result,
        client::Client,
        email::EmailAddress,
        event::{Event, EventType},
        id::UserId,
        mail::Mail,
        user::User,
    },
    infra::{
        tracer::{Side, Span},
        vault::DataKey,
    },
    storage::{Tx, outbox},
};
use serde_json::{Value, json};

impl Services {
    /// Adds an event about a person; its data is sealed under their key.
    pub(super) async fn publish(
        &self,
        tx: &Tx,
        user_id: UserId,
        (kind, data): (EventType, Value),
        client: &Client,
    ) -> Result<()> {
        let key = self.user_key(tx, user_id).await?;
        self.publish_under(tx, (&key, user_id), (kind, data), client)
            .await
    }

    /// Adds the last event about a person who is erased in this transaction. Their key is destroyed, so the service's own
    /// seals the data, which must not be personal.
    pub(super) async fn publish_erasure(
        &self,
        tx: &Tx,
        user_id: UserId,
        client: &Client,
    ) -> Result<()> {
        let key = self.service_key().clone();
        let erased = (EventType::Deleted, json!({ "mode": "erased" }));
        self.publish_under(tx, (&key, user_id), erased, client)
            .await
    }

    async fn publish_under(
        &self,
        tx: &Tx,
        (key, user_id): (&DataKey, UserId),
        (kind, data): (EventType, Value),
        client: &Client,
    ) -> Result<()> {
        let span = Span::begin(format!("publish {}", kind.as_str()), Side::Producer, None);
        let event = Event {
            id: self.new_id(),
            kind,
            user_id,
            at: self.now(),
            data,
        };
        let text = serde_json::to_string(&event.data).map_err(Error::internal)?;
        let data = self.seal(key, field::EVENT_DATA, &text)?;
        let trace = span.place().map(|place| place.to_string());
        let row = outbox::insert_event(tx, &event, data, (&client.request_id, trace));
        span.around(row).await
    }
}

impl Services {
    /// The data of an event with everything that another service needs to send the mail, if one does (C9): only then, for
    /// the link is a secret.
    pub(super) fn with_letter(
        &self,
        mut data: Value,
        (user, to): (&User, &EmailAddress),
        mail: &Mail,
    ) -> Value {
        if !self.policy.mails_as_events {
            return data;
        }
        let (link, values) = mail.values();
        let letter = json!({
            "to": to.as_str(),
            "template": mail.template(),
            "locale": user.locale,
            "name": user.full_name,
            "link": (!link.is_empty()).then_some(link),
            "values": values,
        });
        if let Some(members) = data.as_object_mut() {
            members.insert("mail".to_owned(), letter);
        }
        data
    }
}

/// What an event says of a person.
pub(super) fn person(user: &User) -> Value {
    json!({ "user": {
        "id": user.id,
        "email": user.email.as_str(),
        "username": user.username.as_ref().map(crate::domain::username::Username::as_str),
        "full_name": user.full_name,
        "country": user.country,
        "state_province": user.state_province,
        "status": user.status.as_str(),
        "roles": user.roles.names(),
        "tier": user.tier.as_str(),
        "is_verified": user.is_verified(),
        "created_at": user.created_at,
    } })
}
