//! Mails that anybody can ask for by address. Asking writes one row, the same whether or not somebody has the address, so that
//! the answer's time tells nothing; the rest is done afterwards, once, in the transaction that ends the request.

use super::{
    Services, before,
    personal_data::{field, open_email, open_text},
};
use crate::{
    domain::{
        Error, Result,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        mail::RequestedMail,
    },
    storage::{
        Store,
        mail_requests::{self, MailRequest},
    },
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, time::Duration};

/// How many requests one round takes.
const BATCH: u64 = 20;
/// Who has taken a request and has not ended it by then is taken for dead.
const LEASE: Duration = Duration::from_mins(1);

/// From where a mail was asked for, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Origin {
    ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl Services {
    /// Writes down that somebody wants a mail. Nothing here may depend on whose address it is.
    pub(super) async fn ask_for_mail(
        &self,
        mail: RequestedMail,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<()> {
        let origin = Origin {
            ip: client.ip,
            user_agent: client.user_agent.clone(),
        };
        let origin = serde_json::to_string(&origin).map_err(Error::internal)?;
        let key = self.service_key();
        let request = MailRequest {
            id: self.new_id(),
            mail,
            email: self.seal(key, field::ASKED_EMAIL, email.as_str())?,
            origin: self.seal(key, field::ASKED_ORIGIN, &origin)?,
            request_id: client.request_id.clone(),
            created_at: self.now(),
        };
        let tx = self.store.begin().await?;
        mail_requests::insert_request(&tx, request).await?;
        self.commit(tx).await
    }

    /// Looks into the mails that were asked for, a batch; how many were taken. One that fails is taken again later.
    pub async fn answer_mail_requests(&self) -> Result<usize> {
        let now = self.now();
        let tx = self.store.begin().await?;
        let taken = mail_requests::take_requests(&tx, BATCH, now, before(now, LEASE)).await?;
        Store::commit(tx).await?;
        for request in &taken {
            if let Err(error) = self.answer_mail_request(request).await {
                tracing::warn!(mail_request_id = %request.id, error = ?error, "a mail that was asked for has to wait");
            }
        }
        Ok(taken.len())
    }

    /// Queues the mail, or lets the trail say why there is none.
    async fn answer_mail_request(&self, request: &MailRequest) -> Result<()> {
        let key = self.service_key();
        let email = open_email(key, field::ASKED_EMAIL, &request.email)?;
        let origin = open_text(key, field::ASKED_ORIGIN, &request.origin)?;
        let origin: Origin = serde_json::from_str(&origin).map_err(Error::internal)?;
        let user_agent = origin.user_agent.as_deref();
        let client = Client::new(origin.ip, user_agent, request.request_id.clone());
        let tx = self.store.begin().await?;
        if !mail_requests::delete_request(&tx, request.id).await? {
            // Our time had run out, and somebody else has answered.
            return Ok(());
        }
        let refused = match request.mail {
            RequestedMail::PasswordReset => self.send_reset(&tx, &email, &client).await?,
            RequestedMail::EmailVerification => {
                self.resend_verification(&tx, &email, &client).await?
            }
        };
        if let Some(code) = refused {
            let action = request.mail.as_str();
            let entry = AuditEntry::refusal(action, Outcome::Refused, code, &client);
            self.audit(&tx, entry).await?;
        }
        self.commit(tx).await
    }

    /// How many mails were asked for that nobody has looked into.
    pub async fn count_mail_requests(&self) -> Result<u64> {
        mail_requests::count_requests(self.store.reader()).await
    }
}
