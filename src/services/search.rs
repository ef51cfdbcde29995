//! Finding other people. Only who is active and visible is found, and never by an address.

use super::Services;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        card::Card,
        page::{Page, PageRequest},
        search::SearchQuery,
    },
    storage::{cards, search},
};

pub use search::ORDER;

impl Services {
    /// The people who fit, best first; for premium members and staff.
    pub async fn search_users(
        &self,
        who: &SignedIn,
        query: &SearchQuery,
        request: &PageRequest,
    ) -> Result<Page<Card>> {
        who.must_see_others(self.now())?;
        self.read_lists(|db| async move {
            let found = search::list_matches(&db, query, request).await?;
            Ok(Page {
                items: cards::list_cards(&db, &found.items).await?,
                next: found.next,
                prev: found.prev,
                total: None,
            })
        })
        .await
    }
}
