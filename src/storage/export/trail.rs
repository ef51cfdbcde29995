//! What happened around a person: mails, events, entries of the audit trail.

use super::{Record, Section, section};
use crate::{
    domain::{Result, id::UserId},
    storage::entity::{audit_log, outbox_events, outbox_mails},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) async fn sections(db: &impl ConnectionTrait, id: UserId) -> Result<Vec<Section>> {
    Ok(vec![
        mails(db, id).await?,
        events(db, id).await?,
        activity(db, id).await?,
    ])
}

async fn mails(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use outbox_mails::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "mails", (rows, C::CreatedAt), |row| {
        let plain = json!({
            "template": row.template, "status": row.status, "created_at": row.created_at, "sent_at": row.sent_at,
        });
        Record::open(id, plain).with("outbox_mails.message", row.message_sealed)
    })
    .await
}

async fn events(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use outbox_events::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "events", (rows, C::Sequence), |row| {
        let plain = json!({
            "id": row.id, "type": row.r#type, "sequence": row.sequence, "occurred_at": row.occurred_at,
            "published_at": row.published_at,
        });
        Record::open(id, plain).with("outbox_events.data", Some(row.data_sealed))
    })
    .await
}

/// What the person did and what was done to them. From where somebody else acted is that one's affair, and so is who
/// it was.
async fn activity(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use audit_log::{Column as C, Entity};
    let concerns = Condition::any()
        .add(C::ActorId.eq(id.0))
        .add(C::SubjectId.eq(id.0));
    let rows = Entity::find().filter(concerns);
    section(db, "activity", (rows, C::Id), |row| {
        let own = |other: Option<Uuid>| other.filter(|other| *other == id.0);
        let is_somebody_else = row.actor_id.is_some() && own(row.actor_id).is_none();
        let details: Value = serde_json::from_str(&row.details).unwrap_or_default();
        let plain = json!({
            "id": row.id, "at": row.at, "action": row.action, "outcome": row.outcome,
            "actor": { "type": row.actor_type, "id": own(row.actor_id) },
            "subject": { "type": "user", "id": own(row.subject_id) },
            "request_id": row.request_id, "details": details,
        });
        let record = Record::open(row.key_owner.map_or(id, UserId), plain);
        if is_somebody_else || row.key_owner.is_none() {
            return record;
        }
        record
            .with("audit_log.ip", row.ip_sealed)
            .with("audit_log.user_agent", row.user_agent_sealed)
    })
    .await
}
