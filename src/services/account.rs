//! Changing the basic fields of an account.

use super::{Services, deactivation::By, events::person};
use crate::{
    domain::{
        Error, Result,
        actor::{Actor, SignedIn},
        audit::{AuditEntry, Outcome},
        change::Expected,
        client::Client,
        email::EmailAddress,
        error::Violation,
        event::EventType,
        id::UserId,
        mail::Mail,
        permission::{Permission, Role},
        steward::Steward,
        user::{User, UserChanges, UserStatus},
    },
    storage::{Tx, credentials, email_changes, roles, users},
};
use serde_json::{Map, Value, json};

const ACTION: &str = "update_me";
const BY_STAFF: &str = "update_user";

/// A change of somebody else's account.
pub struct UserUpdate {
    pub changes: UserChanges,
    /// Active or deactivated; another only as it is.
    pub status: Option<UserStatus>,
    /// In place of the old one at once; unconfirmed until the mail to it is answered.
    pub email: Option<EmailAddress>,
}

impl Services {
    /// Changes one's own account, if it is still as `expected`; a taken username is a conflict.
    pub async fn update_me(
        &self,
        who: &SignedIn,
        changes: UserChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let outcome = self.apply_to_me(who, changes, expected, client).await;
        self.trace_refusal(outcome, (ACTION, who.actor(), who.user.id), client)
            .await
    }

    async fn apply_to_me(
        &self,
        who: &SignedIn,
        changes: UserChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let tx = self.store.begin().await?;
        let mut user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        expected.must_be(user.version)?;
        let fields = changes.apply(&mut user)?;
        if !fields.is_empty() {
            users::update_user(&tx, &mut user, self.now()).await?;
            let entry = AuditEntry::success(ACTION, who.actor(), client);
            self.tell_update(&tx, &user, entry, &fields).await?;
            self.mail_new_username(&tx, &user, &fields, client).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// Changes somebody else's account, if it is still as `expected`. An address only by who may assign roles, with a
    /// fresh proof of the password.
    pub async fn update_user(
        &self,
        who: Steward<'_>,
        (id, update): (UserId, UserUpdate),
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::UpdateUsers)?;
        let by = By {
            action: BY_STAFF,
            who,
            client,
        };
        let done = self.apply_to_user(by, (id, update), expected).await;
        self.trace_refusal(done, (BY_STAFF, who.actor(), id), client)
            .await
    }

    async fn apply_to_user(
        &self,
        by: By<'_>,
        (id, update): (UserId, UserUpdate),
        expected: &Expected,
    ) -> Result<User> {
        let tx = self.store.begin().await?;
        let mut admins = Vec::new();
        if update.status.is_some() {
            by.who.must(Permission::DeactivateUsers)?;
            admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        }
        self.steward_must_hold(&tx, by.who).await?;
        let mut user = self.lock_user(&tx, id).await?;
        by.who.must_outrank(&user)?;
        expected.must_be(user.version)?;
        let mut changed = update.changes.apply(&mut user)?;
        if !changed.is_empty() {
            users::update_user(&tx, &mut user, self.now()).await?;
            self.publish_update(&tx, &user, &changed, by.client).await?;
            self.mail_new_username(&tx, &user, &changed, by.client)
                .await?;
        }
        if let Some(email) = update.email.filter(|email| *email != user.email) {
            self.set_email(&tx, &mut user, &email, by).await?;
            changed.push("email");
        }
        let mut told = Map::new();
        if let Some(status) = update.status {
            let wanted = (status, admins.as_slice());
            told = self.set_status(&tx, &mut user, wanted, by).await?;
        }
        if !told.is_empty() {
            changed.push("status");
        }
        if !changed.is_empty() {
            told.insert("changed".to_owned(), json!(changed));
            let entry = AuditEntry::success(by.action, by.who.actor(), by.client).on(id);
            self.audit(&tx, entry.with(Value::Object(told))).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// Puts a locked account aside or takes it up; what the trail is told of it, if anything changed.
    async fn set_status(
        &self,
        tx: &Tx,
        user: &mut User,
        (status, admins): (UserStatus, &[UserId]),
        by: By<'_>,
    ) -> Result<Map<String, Value>> {
        let mut told = Map::new();
        let is_changed = match status {
            same if same == user.status => false,
            UserStatus::Active => self.reactivate(tx, user, by).await?,
            UserStatus::Deactivated => match self.deactivate(tx, user, admins, by).await? {
                Some(ended) => {
                    told.insert("sessions_ended".to_owned(), json!(ended));
                    true
                }
                None => false,
            },
            UserStatus::Pending | UserStatus::Terminated => return Err(only_by_itself()),
        };
        if is_changed {
            told.insert("status".to_owned(), json!(user.status.as_str()));
        }
        Ok(told)
    }

    /// Sessions stay: it is the same person. What was mailed to the old address opens nothing any more. One's own takes the
    /// password and an answer from the new address: [`Services::change_email`].
    async fn set_email(
        &self,
        tx: &Tx,
        user: &mut User,
        email: &EmailAddress,
        by: By<'_>,
    ) -> Result<()> {
        let now = self.now();
        by.who.must(Permission::AssignRoles)?;
        by.who.must_be_another(user.id)?;
        by.who.must_be_fresh(now, self.policy.reauth_max_age)?;
        let old = user.email.clone();
        user.verified_at = None;
        self.write_email(tx, user, email).await?;
        email_changes::void_all_changes(tx, user.id, now).await?;
        let data = json!({ "email": email.as_str() });
        self.publish(tx, user.id, (EventType::EmailChanged, data), by.client)
            .await?;
        let mail = Mail::EmailReplaced { at: now };
        self.queue_mail(tx, (user, &old), &mail, by.client).await?;
        if credentials::find_credential(tx, user.id).await?.is_none() {
            return self.mail_invitation(tx, user, by.client).await;
        }
        self.mail_verification(tx, user, by.client).await
    }

    /// Tells the owner that one may sign in by another name. At an address that nobody has confirmed there may be a stranger.
    async fn mail_new_username(
        &self,
        tx: &Tx,
        user: &User,
        changed: &[&'static str],
        client: &Client,
    ) -> Result<()> {
        if !changed.contains(&"username")
            || !user.is_verified()
            || !self
                .may_mail_again(tx, user.id, Mail::USERNAME_CHANGED)
                .await?
        {
            return Ok(());
        }
        let mail = Mail::UsernameChanged {
            at: self.now(),
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await
    }

    /// Audit row and event of a changed account.
    pub(super) async fn tell_update(
        &self,
        tx: &Tx,
        user: &User,
        entry: AuditEntry<'_>,
        changed: &[&'static str],
    ) -> Result<()> {
        let client = entry.client;
        let entry = entry.on(user.id).with(json!({ "changed": changed }));
        self.audit(tx, entry).await?;
        self.publish_update(tx, user, changed, client).await
    }

    async fn publish_update(
        &self,
        tx: &Tx,
        user: &User,
        changed: &[&'static str],
        client: &Client,
    ) -> Result<()> {
        let mut data = person(user);
        if let Value::Object(fields) = &mut data {
            fields.insert("changed".to_owned(), json!(changed));
        }
        self.publish(tx, user.id, (EventType::Updated, data), client)
            .await
    }

    /// Leaves an audit row of a change that was refused by state: stale, taken, not allowed.
    pub(super) async fn trace_refusal<T>(
        &self,
        outcome: Result<T>,
        (action, actor, subject): (&'static str, Actor, UserId),
        client: &Client,
    ) -> Result<T> {
        if let Err(why @ (Error::Conflict(_) | Error::Stale | Error::Forbidden(_))) = &outcome {
            let entry = AuditEntry::refusal(action, Outcome::Refused, why.code(), client);
            self.audit_alone(entry.by(actor).on(subject)).await?;
        }
        outcome
    }
}

/// A state that only its person brings about.
fn only_by_itself() -> Error {
    let message = "Only active and deactivated can be set; another one can only be sent as it is.";
    Error::Invalid(vec![Violation::new("status", "mismatch", message)])
}
