//! The signed checkpoints of the audit trail, to be kept elsewhere.

use crate::{
    domain::{Result, actor::SignedIn, audit_chain::Checkpoint},
    http::{
        collection::{Collection, CollectionResponse, PageQuery},
        extract::Query,
    },
    services::{Services, audit_seals::CHECKPOINT_ORDER},
};
use axum::extract::{OriginalUri, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How far the chain over the audit trail went, and to which hash, as the log told it at the time.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditCheckpoint, example = json!({
    "kind": "batch", "sequence": 4711, "hash": "bqLFXfJ0MbQvZ2gk4JYAhOQdTVi4TlmDDMTZ8Tn7wSk", "count": 12,
    "at": "2026-01-05T12:00:00.123456Z", "key_id": "8fFDoBdBhpxRjIP3XGFCVqUMuxcDcXoXrP0PO1rOG6c",
    "signature": "(64 bytes in base64url)",
    "key": { "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "8fFDoBdBhpxRjIP3XGFCVqUMuxcDcXoXrP0PO1rOG6c",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
}))]
pub struct AuditCheckpointResponse {
    /// `batch`, or `beginning` where older entries are past their time.
    #[schema(max_length = 20, example = "batch")]
    kind: &'static str,
    /// The last entry that it covers.
    #[schema(minimum = 0, example = 4711)]
    sequence: i64,
    /// SHA-256 over that entry and all before it, in base64url.
    #[schema(
        max_length = 43,
        example = "bqLFXfJ0MbQvZ2gk4JYAhOQdTVi4TlmDDMTZ8Tn7wSk"
    )]
    hash: String,
    /// How many entries it covers, back to the checkpoint before it.
    #[schema(minimum = 0, example = 12)]
    count: i64,
    /// With the six digits that are signed.
    #[schema(value_type = String, format = DateTime, example = "2026-01-05T12:00:00.123456Z")]
    at: String,
    #[schema(
        max_length = 43,
        example = "8fFDoBdBhpxRjIP3XGFCVqUMuxcDcXoXrP0PO1rOG6c"
    )]
    key_id: String,
    /// Ed25519 over `usher/1/audit-checkpoint`, `kind`, `sequence`, `hash`, `count`, `at` and `key_id`, each ended by a line
    /// feed; in base64url.
    #[schema(max_length = 100, example = "(64 bytes in base64url)")]
    signature: String,
    /// The key to verify it by (RFC 8037); null if it names one that is not ours.
    #[schema(value_type = Option<Object>)]
    key: Option<Value>,
}

impl AuditCheckpointResponse {
    fn of(checkpoint: &Checkpoint, key: &Value) -> Self {
        let is_ours = key["kid"] == checkpoint.key_id.as_str();
        Self {
            kind: checkpoint.kind.as_str(),
            sequence: checkpoint.sequence,
            hash: checkpoint.hash.to_string(),
            count: checkpoint.count,
            at: checkpoint.signed_at(),
            key_id: checkpoint.key_id.clone(),
            signature: checkpoint.signature_text(),
            key: is_ours.then(|| key.clone()),
        }
    }
}

/// List the checkpoints of the audit trail
///
/// Newest first, as they are kept: whoever keeps one elsewhere can prove later that the chain came through it
/// (`usher audit verify --checkpoint`).
#[utoipa::path(
    get, path = "/checkpoints", tag = "Audit trail", params(PageQuery), operation_id = "list_audit_checkpoints",
    security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "A page of checkpoints", body = CollectionResponse<AuditCheckpointResponse>),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn list_audit_checkpoints(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Collection<AuditCheckpointResponse>> {
    let request = query.check(CHECKPOINT_ORDER)?;
    let page = services.list_audit_checkpoints(&who, &request).await?;
    let key = services.audit_public_key()?;
    let page = page.map(|checkpoint| AuditCheckpointResponse::of(&checkpoint, &key));
    Ok(Collection::of(page, &uri))
}
