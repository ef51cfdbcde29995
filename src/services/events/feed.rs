//! The feed: all events in the order of their positions, to be read from any place on and again. A read is itself an
//! entry of the audit trail; it names the filters and not what they were set to.

use super::Services;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        audit::{AuditEntry, Outcome},
        client::Client,
        cloud_event::CloudEvent,
        error::{Error, Spent},
        event::{EventQuery, PlacedEvent},
        page::{Cursor, Page, PageRequest},
        permission::Permission,
    },
    storage::outbox::{self, Beside},
};
use serde_json::json;

/// The only order of the feed: oldest first.
pub const ORDER: &str = "position";
const ACTION: &str = "list_events";

/// A page of the feed.
pub struct Feed {
    pub page: Page<CloudEvent>,
    /// Where later events will be; none while there were none at all.
    pub monitor: Option<Cursor>,
}

impl Services {
    /// A page of the events that match, oldest first.
    pub async fn list_events(
        &self,
        who: &SignedIn,
        query: &EventQuery,
        request: &PageRequest,
        client: &Client,
    ) -> Result<Feed> {
        who.must(Permission::ReadEvents)?;
        let db = self.store.reader();
        let beside = request.cursor.as_ref().map(beside).transpose()?;
        let events = outbox::list_placed(db, query, beside, request.rows()).await?;
        if let Some(beside) = beside {
            // After the rows: what was deleted before they were read is seen now.
            let horizon = outbox::get_horizon(db).await?;
            if is_expired(beside, horizon) {
                return self.refuse_cursor(who, client).await;
            }
        }
        let page = Page::cut(events, request, ORDER, place);
        let details = json!({ "filters": query.names() });
        let entry = AuditEntry::success(ACTION, who.actor(), client);
        self.audit_alone(entry.with(details)).await?;
        let forward = |cursor: Cursor| Cursor {
            is_backward: false,
            ..cursor
        };
        let last = page.items.last().map(cursor_after);
        let items = self
            .open_events(db, page.items.iter().map(|placed| &placed.event))
            .await?;
        Ok(Feed {
            monitor: last.or_else(|| request.cursor.clone().map(forward)),
            page: Page {
                items,
                next: page.next,
                prev: page.prev,
                total: None,
            },
        })
    }
}

impl Services {
    async fn refuse_cursor<T>(&self, who: &SignedIn, client: &Client) -> Result<T> {
        let why = Spent::Cursor;
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, why.code(), client);
        self.audit_alone(entry.by(who.actor())).await?;
        Err(why.into())
    }
}

/// Whether events were deleted that the reader would miss: forward, any after the place; backward, the one at the place, for
/// what lies before the oldest event is nobody's loss. A filter does not matter: of what is gone nobody knows whether it matched.
fn is_expired(beside: Beside, horizon: i64) -> bool {
    let first_unread = beside
        .position
        .saturating_add(i64::from(!beside.is_backward));
    first_unread <= horizon
}

fn place(placed: &PlacedEvent) -> (Option<String>, uuid::Uuid) {
    (Some(placed.position.to_string()), placed.event.id.0)
}

fn cursor_after(placed: &PlacedEvent) -> Cursor {
    let (key, id) = place(placed);
    Cursor {
        order: ORDER.to_owned(),
        key,
        id,
        is_backward: false,
    }
}

/// The event that a cursor names.
fn beside(cursor: &Cursor) -> Result<Beside> {
    let position = cursor.key.as_ref().and_then(|key| key.parse().ok());
    let position = position.ok_or_else(|| {
        let message = "This is not a cursor of this list; begin without one.";
        Error::invalid("cursor", "format", message)
    })?;
    Ok(Beside {
        position,
        is_backward: cursor.is_backward,
    })
}
