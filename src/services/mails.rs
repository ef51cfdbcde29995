//! Mails: queued in the use case's transaction, sent by the courier at least once, with backoff, and given up only when
//! the mail server says that it will never take them.

use super::{
    Class, Services, after, before,
    personal_data::{field, open_text},
};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        event::EventType,
        id::{MailId, UserId},
        mail::{Mail, Message},
        secret::Secret,
        trace_parent::TraceParent,
        user::User,
    },
    infra::{
        mail_template::{self, MailContext},
        mailer::{MailFault, Mailer},
        tracer::{Side, Span},
    },
    storage::{
        Db, Store, Tx,
        outbox_mails::{self, NewMail, StoredMail},
    },
};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use url::Position;

/// How many mails one round claims.
const BATCH: u64 = 20;
/// How long one mail may take, from connecting to the last reply.
pub const LONGEST_SEND: Duration = Duration::from_secs(20);
/// A claim lapses after this long, should the node that made it die.
const CLAIM: Duration = Duration::from_secs(45);
/// The longest moment before the courier begins; whoever asked waits no longer than that for what is asked.
const LONGEST_MOMENT: Duration = Duration::from_millis(200);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// A mail that could not be sent for so long is given up.
const GIVE_UP: Duration = Duration::from_hours(72);

/// A readable mail of the development mailbox.
pub struct MailboxItem {
    pub id: MailId,
    pub created_at: Timestamp,
    pub message: Message,
}

impl Services {
    /// Queues a mail to one of a person's addresses. Where another service sends the mails, an event tells it to; a mail
    /// with an event of its own is told there ([`Services::with_letter`]).
    pub(super) async fn queue_mail(
        &self,
        tx: &Tx,
        (user, to): (&User, &EmailAddress),
        mail: &Mail,
        client: &Client,
    ) -> Result<()> {
        if self.policy.mails_as_events && !mail.has_event() {
            let data = self.with_letter(json!({}), (user, to), mail);
            self.publish(tx, user.id, (EventType::MailRequested, data), client)
                .await?;
        }
        let context = MailContext {
            public_host: &self.links.public[Position::BeforeHost..Position::AfterPort],
            name: user.full_name.as_deref(),
        };
        let message = mail_template::render(mail, &context, to.as_str())?;
        let text = serde_json::to_string(&message).map_err(Error::internal)?;
        let key = self.user_key(tx, user.id).await?;
        let span = Span::begin(format!("queue {}", mail.template()), Side::Producer, None);
        let mail = NewMail {
            id: self.new_id(),
            user_id: user.id,
            template: mail.template(),
            message: self.seal(&key, field::MAIL, &text)?,
            created_at: self.now(),
            trace_parent: span.place().map(|place| place.to_string()),
        };
        span.around(outbox_mails::insert_mail(tx, mail)).await
    }

    /// Whether a person may get one more mail of this template that a stranger can cause. The database counts, for all nodes
    /// and across restarts; the person's row is locked, so that parallel requests take turns.
    pub(super) async fn may_mail_again(
        &self,
        db: &impl Db,
        user: UserId,
        template: &str,
    ) -> Result<bool> {
        let Some(rate) = self.policy.stranger_mails else {
            return Ok(true);
        };
        let since = before(self.now(), rate.per);
        let queued = outbox_mails::count_queued_since(db, user, template, since).await?;
        Ok(queued < u64::from(rate.count))
    }

    /// Whether everybody together may cause one more mail to others, which keeps a flood from many sources to many people
    /// from becoming one that we send. Asked before the transaction, for Redis may let us wait; what nobody
    /// would get anyway counts for nothing.
    pub(super) async fn may_mail_for_strangers(
        &self,
        email: &EmailAddress,
        may_have: fn(&User) -> bool,
        template: &str,
    ) -> Result<bool> {
        let db = self.store.reader();
        match self.find_by_email(db, email).await?.filter(may_have) {
            Some(user) if self.may_mail_again(db, user.id, template).await? => {}
            _ => return Ok(true),
        }
        let decision = self.limiter.check(Class::MailTotal, "everybody").await;
        if !decision.allowed {
            tracing::warn!(
                "RATE_LIMIT_MAIL_TOTAL is used up: mails that were asked for are not sent"
            );
        }
        Ok(decision.allowed)
    }

    /// The page of ours at this path with a secret in the fragment, which no log or referrer sees.
    pub(super) fn fragment_link(&self, path: &str, secret: &Secret) -> String {
        format!("{}#token={}", self.page(path), secret.reveal())
    }

    /// The page of ours at this path.
    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.links.public.as_str().trim_end_matches('/'))
    }

    /// Where a person goes to choose a new password.
    pub(super) fn forgot_password_page(&self) -> String {
        self.page("/forgot-password")
    }

    /// Waits until a mail was queued here, or for `at_most`, and then for a moment of random length: the time of whichever
    /// request comes next must not tell whether there was something to mail.
    pub async fn wait_for_mail(&self, at_most: Duration) {
        let queued = self.mail_queued.notified();
        let _ = tokio::time::timeout(at_most, queued).await;
        let [share] = self.entropy.bytes::<1>();
        tokio::time::sleep(LONGEST_MOMENT.mul_f64(f64::from(share) / 255.0)).await;
    }

    /// Sends the due mails, a batch; how many were claimed.
    pub async fn send_due_mails(&self) -> Result<usize> {
        let now = self.now();
        let tx = self.store.begin().await?;
        let lapse = after(now, CLAIM);
        let due = outbox_mails::claim_due(&tx, BATCH, now, lapse).await?;
        Store::commit(tx).await?;
        let claimed = due.len();
        let mut sending = JoinSet::new();
        for mail in due {
            let services = self.clone();
            sending.spawn(async move {
                let queued = mail.trace_parent.as_deref().and_then(TraceParent::parse);
                let span = Span::begin("send_mail", Side::Consumer, queued);
                if let Err(error) = span.around(services.send_mail(&mail, lapse)).await {
                    span.fail();
                    tracing::error!(mail_id = %mail.id, error = ?error, "a mail could not be worked on");
                }
            });
        }
        sending.join_all().await;
        Ok(claimed)
    }

    /// Sends a mail that is claimed until then.
    async fn send_mail(&self, mail: &StoredMail, lapse: Timestamp) -> Result<()> {
        let Some(sealed) = &mail.message else {
            return Ok(());
        };
        let Some(key) = self
            .find_user_key(self.store.reader(), mail.user_id)
            .await?
        else {
            // Erased since the mail was claimed, and the mail with them.
            return Ok(());
        };
        let text = open_text(&key, field::MAIL, sealed)?;
        let message: Message = serde_json::from_str(&text).map_err(Error::internal)?;
        if after(self.now(), LONGEST_SEND) > lapse {
            // The database kept us waiting: whoever claims it next could send it at the same time.
            return Ok(());
        }
        let outcome = self.mailer.send(&message, &mail.id.to_string()).await;
        let tx = self.store.begin().await?;
        match outcome {
            Ok(()) => {
                metrics::counter!("usher_mails_total", "outcome" => "sent").increment(1);
                let keep = matches!(self.mailer, Mailer::Mailbox);
                outbox_mails::mark_sent(&tx, mail.id, keep, self.now()).await?;
            }
            Err(MailFault::Transient(fault)) if after(mail.created_at, GIVE_UP) > self.now() => {
                metrics::counter!("usher_mails_total", "outcome" => "delayed").increment(1);
                tracing::warn!(mail_id = %mail.id, fault, attempts = mail.attempts + 1, "a mail has to wait");
                outbox_mails::mark_failed(&tx, mail.id, &fault, self.next_attempt(mail.attempts))
                    .await?;
            }
            Err(MailFault::Transient(fault) | MailFault::Permanent(fault)) => {
                metrics::counter!("usher_mails_total", "outcome" => "dead").increment(1);
                tracing::warn!(mail_id = %mail.id, fault, "a mail was given up");
                outbox_mails::mark_dead(&tx, mail.id, &fault).await?;
                let client = Client::local(mail.id.to_string());
                let entry = AuditEntry::refusal("send_mail", Outcome::Failed, "mail_dead", &client);
                let details = json!({ "code": "mail_dead", "fault": fault, "mail_id": mail.id });
                self.audit(&tx, entry.by(Actor::System).on(mail.user_id).with(details))
                    .await?;
            }
        }
        Store::commit(tx).await
    }

    /// Doubles the pause with each attempt from five seconds on, and spreads it by up to a fifth.
    fn next_attempt(&self, attempts: i32) -> Timestamp {
        let doubled = 5_u64.saturating_mul(1 << u32::try_from(attempts).unwrap_or(0).min(20));
        let pause = Duration::from_secs(doubled).min(LONGEST_PAUSE);
        let [spread] = self.entropy.bytes::<1>();
        after(
            self.now(),
            pause + pause.mul_f64(f64::from(spread) / 255.0 * 0.2),
        )
    }

    /// How many mails wait.
    pub async fn count_pending_mails(&self) -> Result<u64> {
        outbox_mails::count_pending(self.store.reader()).await
    }

    /// Whether mails stay readable in the development mailbox.
    pub fn has_mailbox(&self) -> bool {
        matches!(self.mailer, Mailer::Mailbox)
    }

    /// The newest mails of the development mailbox, to one address or to all.
    pub async fn list_mailbox(&self, to: Option<&str>) -> Result<Vec<MailboxItem>> {
        if !self.has_mailbox() {
            return Err(Error::NotFound("page"));
        }
        let wanted = to.map(|to| {
            EmailAddress::parse(to).map_or_else(|_| to.to_owned(), |to| to.as_str().to_owned())
        });
        let db = self.store.reader();
        let mut items = Vec::new();
        for mail in outbox_mails::list_readable(db, 1_000).await? {
            let Some(sealed) = &mail.message else {
                continue;
            };
            let Some(key) = self.find_user_key(db, mail.user_id).await? else {
                continue;
            };
            let text = open_text(&key, field::MAIL, sealed)?;
            let message: Message = serde_json::from_str(&text).map_err(Error::internal)?;
            if wanted.as_ref().is_none_or(|wanted| *wanted == message.to) {
                items.push(MailboxItem {
                    id: mail.id,
                    created_at: mail.created_at,
                    message,
                });
            }
        }
        Ok(items)
    }
}
