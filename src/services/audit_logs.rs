//! Reading the audit trail: support sees what concerns ordinary people, admins see all. A read is itself an entry; it
//! names the filters and not what they were set to.

use super::{
    Services,
    personal_data::{field, open_text},
};
use crate::{
    domain::{
        Result, Timestamp,
        actor::SignedIn,
        audit::{AuditEntry, AuditQuery, StoredEntry},
        client::Client,
        error::Error,
        id::{AuditId, UserId},
        page::{Cursor, Page, PageRequest},
        permission::{Permission, Role},
        secret::Sealed,
    },
    infra::vault::DataKey,
    storage::{
        Db,
        audit_logs::{self, Beside, EntryFilter},
        keys,
    },
};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// The only order of the trail: newest first.
pub const ORDER: &str = "-at";
/// How many entries an export reads at once.
const EXPORT_PAGE: u64 = 500;
const ACTION: &str = "list_audit_logs";

/// Who acted, or on whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub kind: String,
    pub id: Option<UserId>,
}

/// An entry as it is read.
#[derive(Debug, Clone)]
pub struct AuditEntryView {
    pub id: AuditId,
    pub at: Timestamp,
    pub action: String,
    pub outcome: String,
    pub actor: Party,
    pub subject: Option<Party>,
    /// None where there was none, and where the one it belonged to was erased.
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: String,
    pub details: Value,
}

/// How far an export has come.
pub struct AuditExport {
    filter: EntryFilter,
    /// None at the end.
    next: Option<Beside>,
}

impl Services {
    /// A page of the entries that match, newest first.
    pub async fn list_audit_logs(
        &self,
        who: &SignedIn,
        query: &AuditQuery,
        request: &PageRequest,
        client: &Client,
    ) -> Result<Page<AuditEntryView>> {
        who.must(Permission::ReadAudit)?;
        let filter = self.readable(who, query);
        let beside = request.cursor.as_ref().map(beside).transpose()?;
        let entries = self.read_entries(&filter, beside, request.rows()).await?;
        let page = Page::cut(entries, request, ORDER, place);
        let total = if request.with_total {
            Some(self.count_entries(&filter).await?)
        } else {
            None
        };
        self.trace_reading(who, query, "json", client).await?;
        Ok(Page {
            items: self.view_entries(self.store.reader(), &page.items).await?,
            next: page.next,
            prev: page.prev,
            total,
        })
    }

    /// Begins an export of all that match up to now.
    pub async fn export_audit_logs(
        &self,
        who: &SignedIn,
        query: &AuditQuery,
        client: &Client,
    ) -> Result<AuditExport> {
        who.must(Permission::ReadAudit)?;
        let filter = self.readable(who, query);
        let next = Some(Beside {
            at: self.now(),
            id: self.new_id(),
            is_backward: false,
        });
        self.trace_reading(who, query, "ndjson", client).await?;
        Ok(AuditExport { filter, next })
    }

    /// The next entries of an export; none at its end.
    pub async fn next_of_export(&self, export: &mut AuditExport) -> Result<Vec<AuditEntryView>> {
        let Some(next) = export.next else {
            return Ok(Vec::new());
        };
        let entries = self
            .read_entries(&export.filter, Some(next), EXPORT_PAGE)
            .await?;
        export.next = entries.last().map(|last| Beside {
            at: last.at,
            id: last.id,
            is_backward: false,
        });
        self.view_entries(self.store.reader(), &entries).await
    }

    async fn read_entries(
        &self,
        filter: &EntryFilter,
        beside: Option<Beside>,
        rows: u64,
    ) -> Result<Vec<StoredEntry>> {
        self.read_lists(
            |db| async move { audit_logs::list_entries(&db, filter, beside, rows).await },
        )
        .await
    }

    async fn count_entries(&self, filter: &EntryFilter) -> Result<u64> {
        self.read_lists(|db| async move { audit_logs::count_entries(&db, filter).await })
            .await
    }

    /// What this person may read of it.
    fn readable(&self, who: &SignedIn, query: &AuditQuery) -> EntryFilter {
        let ip = query.ip.map(|ip| ip.to_canonical().to_string());
        EntryFilter {
            actor: query.actor,
            subject: query.subject,
            action: query.action.clone(),
            outcome: query.outcome,
            ip_index: ip.map(|ip| self.service_key().blind_index("ip", &ip)),
            from: query.from,
            to: query.to,
            on_users_only: !who.user.roles.has(Role::Admin),
            not_by: None,
        }
    }

    async fn trace_reading(
        &self,
        who: &SignedIn,
        query: &AuditQuery,
        format: &str,
        client: &Client,
    ) -> Result<()> {
        let details = json!({ "filters": query.names(), "format": format });
        let entry = AuditEntry::success(ACTION, who.actor(), client);
        self.audit_alone(entry.with(details)).await
    }

    /// Opens what is sealed, with the keys that are still there.
    pub(super) async fn view_entries(
        &self,
        db: &impl Db,
        entries: &[StoredEntry],
    ) -> Result<Vec<AuditEntryView>> {
        let owners: BTreeSet<UserId> = entries.iter().filter_map(|entry| entry.key_owner).collect();
        // From the database and not from memory, where an erased person's key may outlive them.
        let wrapped = keys::list_user_keys(db, owners.into_iter().collect()).await?;
        let opened = wrapped
            .into_iter()
            .map(|(id, wrapped)| Ok((id, self.vault.unwrap(&wrapped, &id.to_string())?)));
        let opened: HashMap<UserId, DataKey> = opened.collect::<Result<_>>()?;
        Ok(entries
            .iter()
            .map(|entry| {
                let key = match entry.key_owner {
                    Some(owner) => opened.get(&owner),
                    None => Some(self.service_key()),
                };
                view(entry, key)
            })
            .collect())
    }
}

fn view(entry: &StoredEntry, key: Option<&DataKey>) -> AuditEntryView {
    // What does not open was changed: the check of the chain tells where, and the rest stays readable.
    let open = |field, sealed: &Option<Sealed>| {
        sealed
            .as_ref()
            .zip(key)
            .and_then(|(sealed, key)| open_text(key, field, sealed).ok())
    };
    AuditEntryView {
        id: entry.id,
        at: entry.at,
        action: entry.action.clone(),
        outcome: entry.outcome.clone(),
        actor: Party {
            kind: entry.actor_type.clone(),
            id: entry.actor_id,
        },
        subject: entry.subject_id.map(|id| Party {
            kind: "user".to_owned(),
            id: Some(id),
        }),
        ip: open(field::AUDIT_IP, &entry.ip),
        user_agent: open(field::AUDIT_USER_AGENT, &entry.user_agent),
        request_id: entry.request_id.clone(),
        details: serde_json::from_str(&entry.details).unwrap_or_default(),
    }
}

/// The value of an entry in the order, and its id.
pub(super) fn place(entry: &StoredEntry) -> (Option<String>, uuid::Uuid) {
    (Some(entry.at.timestamp_micros().to_string()), entry.id.0)
}

/// The entry that a cursor names.
pub(super) fn beside(cursor: &Cursor) -> Result<Beside> {
    let micros = cursor.key.as_ref().and_then(|key| key.parse().ok());
    let at = micros
        .and_then(Timestamp::from_timestamp_micros)
        .ok_or_else(|| {
            let message = "This is not a cursor of this list; begin without one.";
            Error::invalid("cursor", "format", message)
        })?;
    Ok(Beside {
        at,
        id: AuditId(cursor.id),
        is_backward: cursor.is_backward,
    })
}
