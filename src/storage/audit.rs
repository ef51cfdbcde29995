//! The audit trail's rows. They are only ever added here.

use super::entity::audit_log;
use crate::domain::{
    Result, Timestamp,
    audit::{AuditEntry, StoredEntry},
    id::{AuditId, UserId},
    secret::{BlindIndex, Sealed},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

/// What of an entry is personal, sealed.
#[derive(Default)]
pub struct SealedOrigin {
    /// Whose data key sealed it; none for the service's own.
    pub key_owner: Option<UserId>,
    pub ip: Option<Sealed>,
    pub ip_index: Option<BlindIndex>,
    pub user_agent: Option<Sealed>,
}

/// Adds an entry.
pub async fn insert_entry(
    db: &impl ConnectionTrait,
    id: AuditId,
    at: Timestamp,
    entry: &AuditEntry<'_>,
    origin: SealedOrigin,
) -> Result<()> {
    let row = audit_log::ActiveModel {
        id: Set(id.0),
        at: Set(at),
        action: Set(entry.action.to_owned()),
        outcome: Set(entry.outcome.as_str().to_owned()),
        actor_type: Set(entry.actor.kind().to_owned()),
        actor_id: Set(entry.actor.user_id().map(|id| id.0)),
        subject_id: Set(entry.subject.map(|id| id.0)),
        key_owner: Set(origin.key_owner.map(|id| id.0)),
        ip_sealed: Set(origin.ip.map(|sealed| sealed.0)),
        ip_index: Set(origin.ip_index.map(|index| index.0.to_vec())),
        user_agent_sealed: Set(origin.user_agent.map(|sealed| sealed.0)),
        request_id: Set(entry.client.request_id.clone()),
        details: Set(entry.details.to_string()),
        sequence: Set(None),
        hash: Set(None),
    };
    audit_log::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The entry of a row, without its place in the chain.
pub(super) fn entry(row: audit_log::Model) -> StoredEntry {
    StoredEntry {
        id: AuditId(row.id),
        at: row.at,
        action: row.action,
        outcome: row.outcome,
        actor_type: row.actor_type,
        actor_id: row.actor_id.map(UserId),
        subject_id: row.subject_id.map(UserId),
        key_owner: row.key_owner.map(UserId),
        ip: row.ip_sealed.map(Sealed),
        ip_index: row.ip_index,
        user_agent: row.user_agent_sealed.map(Sealed),
        request_id: row.request_id,
        details: row.details,
    }
}
