//! One's own entries of the audit trail, without what concerns others. Reading them leaves no entry.

use super::{
    Services,
    audit_logs::{AuditEntryView, ORDER, beside, place},
};
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        audit::StoredEntry,
        id::UserId,
        page::{Page, PageRequest},
    },
    storage::audit_logs::{self, EntryFilter},
};

impl Services {
    /// A page of what the person who asks did and of what was done to them, newest first.
    pub async fn list_activity(
        &self,
        who: &SignedIn,
        request: &PageRequest,
    ) -> Result<Page<AuditEntryView>> {
        let me = who.user.id;
        let db = self.store.reader();
        let beside = request.cursor.as_ref().map(beside).transpose()?;
        let by_me = EntryFilter {
            actor: Some(me),
            ..EntryFilter::default()
        };
        let on_me = EntryFilter {
            subject: Some(me),
            not_by: Some(me),
            ..EntryFilter::default()
        };
        // Two lists that are each read by an index, merged: a search for both at once would have none.
        let mut entries = audit_logs::list_entries(db, &by_me, beside, request.rows()).await?;
        entries.extend(audit_logs::list_entries(db, &on_me, beside, request.rows()).await?);
        entries.sort_by_key(|entry| (entry.at, entry.id));
        if !request.is_backward() {
            entries.reverse();
        }
        entries.truncate(usize::from(request.limit) + 1);
        let page = Page::cut(entries, request, ORDER, place);
        let hidden: Vec<StoredEntry> = page.items.iter().map(|entry| hide(entry, me)).collect();
        Ok(Page {
            items: self.view_entries(db, &hidden).await?,
            next: page.next,
            prev: page.prev,
            total: None,
        })
    }
}

/// The entry without who somebody else is and from where they came.
fn hide(entry: &StoredEntry, me: UserId) -> StoredEntry {
    let mut entry = entry.clone();
    if entry.actor_id.is_some_and(|actor| actor != me) {
        entry.actor_id = None;
        entry.ip = None;
        entry.user_agent = None;
    }
    entry
}
