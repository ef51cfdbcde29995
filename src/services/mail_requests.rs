//! Mails that anybody can ask for by address. Asking writes one row, the same whether or not somebody has the address, so that
//! the answer's time tells nothing; the rest is done afterwards, once, in the transaction that ends the request.

use super::{
    Services, before,
    email_verification::waits_for_verification,
    password_reset::may_reset,
    personal_data::{field, open_email},
};
use crate::{
    domain::{
        Result,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        mail::{Mail, RequestedMail},
        user::User,
    },
    infra::tracer,
    storage::{
        Store, Tx,
        mail_requests::{self, MailRequest},
    },
};
use std::time::Duration;

/// How many requests one round takes.
const BATCH: u64 = 20;
/// Who has taken a request and has not ended it by then is taken for dead.
const LEASE: Duration = Duration::from_secs(30);

/// To whom a link is mailed.
struct Terms {
    template: &'static str,
    may_have: fn(&User) -> bool,
    /// What the trail says of everybody else.
    otherwise: &'static str,
}

const RESET: Terms = Terms {
    template: Mail::PASSWORD_RESET,
    may_have: may_reset,
    otherwise: "unknown",
};

const VERIFICATION: Terms = Terms {
    template: Mail::VERIFY_EMAIL,
    may_have: waits_for_verification,
    otherwise: "not_waiting",
};

impl Services {
    /// Writes down that somebody wants a mail, unless its source wants too many. Nothing here may depend on whose address it
    /// is.
    pub(super) async fn ask_for_mail(
        &self,
        mail: RequestedMail,
        email: &EmailAddress,
        form: Option<&str>,
        client: &Client,
    ) -> Result<()> {
        if client.trace.is_past_limit() {
            return Ok(());
        }
        let key = self.service_key();
        let form = form.map(|form| self.seal(key, field::ASKED_FORM, form));
        let request = MailRequest {
            id: self.new_id(),
            mail,
            email: self.seal(key, field::ASKED_EMAIL, email.as_str())?,
            form: form.transpose()?,
            origin: self.keep_origin(field::ASKED_ORIGIN, client)?,
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
        if !taken.is_empty() {
            tracer::root("answer_mail_requests", self.answer_each(&taken)).await?;
        }
        Ok(taken.len())
    }

    async fn answer_each(&self, taken: &[MailRequest]) -> Result<()> {
        for request in taken {
            if let Err(error) = self.answer_mail_request(request).await {
                tracing::warn!(mail_request_id = %request.id, error = ?error, "a mail that was asked for has to wait");
            }
        }
        Ok(())
    }

    /// Queues the mail, or lets the trail say why there is none.
    async fn answer_mail_request(&self, request: &MailRequest) -> Result<()> {
        let email = open_email(self.service_key(), field::ASKED_EMAIL, &request.email)?;
        let client =
            self.recall_client(field::ASKED_ORIGIN, &request.origin, &request.request_id)?;
        let terms = match request.mail {
            RequestedMail::SignUp => return self.answer_sign_up(request, email, &client).await,
            RequestedMail::PasswordReset => RESET,
            RequestedMail::EmailVerification => VERIFICATION,
        };
        let is_within = self
            .may_mail_for_strangers(&email, terms.may_have, terms.template)
            .await?;
        let Some(tx) = self.begin_answer(request).await? else {
            return Ok(());
        };
        let action = request.mail.as_str();
        let refused = |code| AuditEntry::refusal(action, Outcome::Refused, code, &client);
        match self
            .lock_by_email(&tx, &email)
            .await?
            .filter(terms.may_have)
        {
            None => self.audit(&tx, refused(terms.otherwise)).await?,
            Some(user)
                if is_within && self.may_mail_again(&tx, user.id, terms.template).await? =>
            {
                let entry = AuditEntry::success(action, Actor::Anonymous, &client);
                self.audit(&tx, entry.on(user.id)).await?;
                self.mail_link(&tx, request.mail, &user, &client).await?;
            }
            Some(_) => self.audit(&tx, refused("rate_limited")).await?,
        }
        self.commit(tx).await
    }

    async fn mail_link(
        &self,
        tx: &Tx,
        mail: RequestedMail,
        user: &User,
        client: &Client,
    ) -> Result<()> {
        if mail == RequestedMail::PasswordReset {
            let mail = |link| Mail::PasswordReset { link };
            return self.mail_reset(tx, user, mail, client).await;
        }
        self.mail_verification(tx, user, client).await
    }

    /// The transaction that ends a request; none if our time had run out, and somebody else has answered.
    pub(super) async fn begin_answer(&self, request: &MailRequest) -> Result<Option<Tx>> {
        let tx = self.store.begin().await?;
        let is_ours = mail_requests::delete_request(&tx, request.id).await?;
        Ok(is_ours.then_some(tx))
    }

    /// How many mails were asked for that nobody has looked into.
    pub async fn count_mail_requests(&self) -> Result<u64> {
        mail_requests::count_requests(self.store.reader()).await
    }
}
