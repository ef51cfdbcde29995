//! An entry of the audit trail on the wire.

use crate::{
    domain::id::{AuditId, UserId},
    services::audit_logs::{AuditEntryView, Party},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Somebody, by kind and id.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditParty)]
pub struct PartyResponse {
    /// `user`, `system` or `anonymous`.
    #[serde(rename = "type")]
    #[schema(max_length = 20, example = "user")]
    kind: String,
    /// Null for `system`, `anonymous`, and somebody who is not to be known.
    #[schema(value_type = Option<Uuid>, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: Option<UserId>,
}

/// An entry of the audit trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry, example = json!({
    "id": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f", "at": "2026-01-05T12:00:00Z", "action": "login", "outcome": "failed",
    "actor": { "type": "anonymous", "id": null },
    "subject": { "type": "user", "id": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e80" }, "ip": "203.0.113.7",
    "user_agent": "curl/8.5.0", "request_id": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e81",
    "details": { "code": "invalid_credentials" },
}))]
pub struct AuditEntryResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: AuditId,
    at: DateTime<Utc>,
    /// The use case.
    #[schema(max_length = 100, example = "login")]
    action: String,
    /// `success`, `refused` or `failed`.
    #[schema(max_length = 20, example = "success")]
    outcome: String,
    actor: PartyResponse,
    /// On whom.
    subject: Option<PartyResponse>,
    /// Null where there is none, and once the person is erased.
    #[schema(max_length = 45, example = "203.0.113.7")]
    ip: Option<String>,
    #[schema(max_length = 512, example = "curl/8.5.0")]
    user_agent: Option<String>,
    #[schema(max_length = 200, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    request_id: String,
    /// Codes, counts and ids; never personal.
    #[schema(value_type = Object)]
    details: Value,
}

impl From<Party> for PartyResponse {
    fn from(party: Party) -> Self {
        Self {
            kind: party.kind,
            id: party.id,
        }
    }
}

impl From<AuditEntryView> for AuditEntryResponse {
    fn from(view: AuditEntryView) -> Self {
        Self {
            id: view.id,
            at: view.at,
            action: view.action,
            outcome: view.outcome,
            actor: view.actor.into(),
            subject: view.subject.map(PartyResponse::from),
            ip: view.ip,
            user_agent: view.user_agent,
            request_id: view.request_id,
            details: view.details,
        }
    }
}
