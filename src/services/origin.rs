//! From where a request came, kept until what is done after its answer is done.

use super::{Services, personal_data::open_text};
use crate::domain::{Error, Result, client::Client, secret::Sealed};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Serialize, Deserialize)]
struct Origin {
    ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl Services {
    /// Seals it under the service's key: whose it is may not be known yet.
    pub(super) fn keep_origin(&self, field: &str, client: &Client) -> Result<Sealed> {
        let origin = Origin {
            ip: client.ip,
            user_agent: client.user_agent.clone(),
        };
        let origin = serde_json::to_string(&origin).map_err(Error::internal)?;
        self.seal(self.service_key(), field, &origin)
    }

    /// Who asked in the request of this id.
    pub(super) fn recall_client(
        &self,
        field: &str,
        origin: &Sealed,
        request_id: &str,
    ) -> Result<Client> {
        let origin = open_text(self.service_key(), field, origin)?;
        let origin: Origin = serde_json::from_str(&origin).map_err(Error::internal)?;
        let user_agent = origin.user_agent.as_deref();
        Ok(Client::new(origin.ip, user_agent, request_id.to_owned()))
    }
}
