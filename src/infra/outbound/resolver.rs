//! Names of hosts to addresses: the machine's resolver, or another in tests. What the HTTP client gets is judged first, so
//! that it dials nothing else.

use crate::domain::public_address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// Addresses by name; each look-up takes the next list, and the last stays.
pub type Table = Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>;

/// Where addresses come from.
#[derive(Clone)]
pub enum Resolver {
    /// The machine's.
    System,
    /// For tests.
    Table(Table),
    /// For tests: answers never, as behind a wall that drops what is asked.
    Silent,
}

impl Resolver {
    /// The addresses of a name; none if it has none or cannot be looked up.
    pub async fn look_up(&self, name: &str) -> Vec<IpAddr> {
        match self {
            Self::System => match tokio::net::lookup_host((name, 0)).await {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(_) => Vec::new(),
            },
            Self::Table(table) => {
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(answers) = table.get_mut(name) else {
                    return Vec::new();
                };
                if answers.len() > 1 {
                    return answers.remove(0);
                }
                answers.first().cloned().unwrap_or_default()
            }
            Self::Silent => std::future::pending().await,
        }
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum NameFault {
    #[error("one of its addresses is not public")]
    Private,
    #[error("it has no address")]
    Unknown,
}

/// A resolver that gives public addresses or nothing.
pub(super) struct Judged {
    pub(super) resolver: Resolver,
    pub(super) allow_private: bool,
}

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, allow_private) = (self.resolver.clone(), self.allow_private);
        Box::pin(async move {
            let found = resolver.look_up(name.as_str()).await;
            if found.is_empty() {
                return Err(NameFault::Unknown.into());
            }
            // A name with both kinds of addresses is refused as well: nobody means that.
            if !allow_private && found.iter().any(|address| !is_public(*address)) {
                return Err(NameFault::Private.into());
            }
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
