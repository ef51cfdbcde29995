//! `_links`: where a client can go from here. A link is there only if the caller may follow it.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A place to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Link {
    /// A path of this service.
    #[schema(max_length = 4000, example = "/api/v1/users/me")]
    href: String,
}

/// Places to go, by relation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = std::collections::HashMap<String, Link>, example = json!({ "self": { "href": "/api/v1/users/me" } }))]
pub struct Links(BTreeMap<&'static str, Link>);

impl Links {
    /// Nowhere yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a place.
    pub fn to(mut self, relation: &'static str, href: impl Into<String>) -> Self {
        self.0.insert(relation, Link { href: href.into() });
        self
    }

    /// Adds a place if the caller may go there.
    pub fn may_lead(self, may: bool, relation: &'static str, href: impl Into<String>) -> Self {
        if may { self.to(relation, href) } else { self }
    }
}
