//! Changing one's address: wished with the password, confirmed from the new address, told to the old one with a way
//! to undo it.

use super::{
    Services, after,
    personal_data::{field, open_email},
};
use crate::{
    domain::{
        Error, Result,
        actor::{Actor, SignedIn},
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        error::{Clash, Spent},
        event::EventType,
        id::{LinkId, UserId},
        mail::Mail,
        password::Password,
        policy::SignupPrivacy,
        secret::{BlindIndex, Secret},
        session::SessionEnd,
        user::User,
    },
    storage::{
        Store, Tx,
        email_changes::{self, EmailChange},
        links::{invitations, resets, verifications, void_used_verifications},
        sessions, users,
    },
};
use serde_json::json;

const REQUEST: &str = "change_email";
const CONFIRM: &str = "confirm_email_change";
const UNDO: &str = "undo_email_change";

impl Services {
    /// Mails a confirmation to the new address; the old one stays until it is answered.
    pub async fn change_email(
        &self,
        who: &SignedIn,
        new: &EmailAddress,
        password: Password,
        client: &Client,
    ) -> Result<()> {
        if *new == who.user.email {
            return Err(Error::invalid(
                "new_email",
                "unchanged",
                "This is your address already.",
            ));
        }
        let proven = self.prove_password(who, password, REQUEST, client).await?;
        let index = self.email_index(new);
        let db = self.store.reader();
        if users::find_user_by_email(db, index).await?.is_some()
            || email_changes::is_held_for_another(db, index, who.user.id, self.now()).await?
        {
            return self.refuse_taken(who, new, client).await;
        }
        let allowed = self.may_mail(REQUEST, new).await;
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        self.proof_must_hold(&tx, who, &user, &proven).await?;
        let entry = if allowed {
            AuditEntry::success(REQUEST, who.actor(), client)
        } else {
            let entry = AuditEntry::refusal(REQUEST, Outcome::Refused, "rate_limited", client);
            entry.by(who.actor()).on(user.id)
        };
        self.audit(&tx, entry).await?;
        if allowed {
            self.insert_change(&tx, &user, (new, index), client).await?;
        }
        self.commit(tx).await
    }

    async fn insert_change(
        &self,
        tx: &Tx,
        user: &User,
        (new, index): (&EmailAddress, BlindIndex),
        client: &Client,
    ) -> Result<()> {
        let key = self.user_key(tx, user.id).await?;
        let (now, secret) = (self.now(), self.new_secret());
        let change = EmailChange {
            id: self.new_id::<LinkId>(),
            user_id: user.id,
            new_email: self.seal(&key, field::NEW_EMAIL, new.as_str())?,
            new_index: index,
            old_email: self.seal(&key, field::OLD_EMAIL, user.email.as_str())?,
            old_index: self.email_index(&user.email),
            expires_at: after(now, self.policy.email_change_ttl),
            used_at: None,
            voided_at: None,
            undo_expires_at: None,
            undone_at: None,
        };
        email_changes::replace_change(tx, &change, secret.digest(), now).await?;
        let link = self.fragment_link("/confirm-email-change", &secret);
        let mail = Mail::ConfirmEmailChange { link };
        self.queue_mail(tx, (user, new), &mail, client).await
    }

    async fn refuse_taken(
        &self,
        who: &SignedIn,
        new: &EmailAddress,
        client: &Client,
    ) -> Result<()> {
        let code = Clash::EmailTaken.code();
        let entry = AuditEntry::refusal(REQUEST, Outcome::Refused, code, client);
        let entry = entry.by(who.actor()).on(who.user.id);
        if self.policy.signup_privacy == SignupPrivacy::Strict {
            let may = self.may_tell_owner(new).await?;
            let tx = self.store.begin().await?;
            self.tell_owner(&tx, (new, may), entry).await?;
            return self.commit(tx).await;
        }
        self.audit_alone(entry).await?;
        Err(Clash::EmailTaken.into())
    }

    /// Puts the new address in the old one's place, by the secret that was mailed to the new one.
    pub async fn confirm_email_change(&self, secret: &Secret, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let Some(found) = email_changes::find_by_confirmation(&tx, secret.digest()).await? else {
            drop(tx);
            return self.refuse_link(CONFIRM, Error::BadToken, client).await;
        };
        let mut user = self.lock_owner(&tx, found.user_id).await?;
        let change = email_changes::find_by_confirmation(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        let now = self.now();
        let spent = match &change {
            change if change.used_at.is_some() => Some(Spent::Used.into()),
            change if change.voided_at.is_some() || change.expires_at <= now => {
                Some(Spent::Expired.into())
            }
            _ if !self.may_act(&user) => Some(Error::BadToken),
            _ => None,
        };
        if let Some(why) = spent {
            drop(tx);
            return self.refuse_link(CONFIRM, why, client).await;
        }
        let key = self.user_key(&tx, user.id).await?;
        let (old, new) = (
            user.email.clone(),
            open_email(&key, field::NEW_EMAIL, &change.new_email)?,
        );
        match self.replace_email(&tx, &mut user, &new).await {
            Err(taken @ Error::Conflict(_)) => {
                drop(tx);
                return self.refuse_link(CONFIRM, taken, client).await;
            }
            replaced => replaced?,
        }
        let undo = self.new_secret();
        let undo_until = after(now, self.policy.email_change_undo_ttl);
        email_changes::mark_confirmed(&tx, change.id, undo.digest(), undo_until, now).await?;
        self.audit(
            &tx,
            AuditEntry::success(CONFIRM, Actor::User(user.id), client),
        )
        .await?;
        self.publish(
            &tx,
            user.id,
            (EventType::EmailChanged, json!({ "email": new.as_str() })),
            client,
        )
        .await?;
        let link = self.fragment_link("/undo-email-change", &undo);
        let mail = Mail::EmailChanged {
            at: now,
            link,
            undo_ttl: self.policy.email_change_undo_ttl,
        };
        self.queue_mail(&tx, (&user, &old), &mail, client).await?;
        self.commit(tx).await
    }

    /// Puts the old address back, by the secret that was mailed to it, and ends all sessions.
    pub async fn undo_email_change(&self, secret: &Secret, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let Some(found) = email_changes::find_by_undo(&tx, secret.digest()).await? else {
            drop(tx);
            return self.refuse_link(UNDO, Error::BadToken, client).await;
        };
        let mut user = self.lock_owner(&tx, found.user_id).await?;
        let change = email_changes::find_by_undo(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        let now = self.now();
        let spent = match &change {
            change if change.undone_at.is_some() => Some(Spent::Used),
            change
                if change.voided_at.is_some()
                    || change.undo_expires_at.is_none_or(|until| until <= now) =>
            {
                Some(Spent::Expired)
            }
            _ => None,
        };
        if let Some(spent) = spent {
            drop(tx);
            return self.refuse_link(UNDO, spent.into(), client).await;
        }
        let key = self.user_key(&tx, user.id).await?;
        let old = open_email(&key, field::OLD_EMAIL, &change.old_email)?;
        match self.replace_email(&tx, &mut user, &old).await {
            Err(taken @ Error::Conflict(_)) => {
                drop(tx);
                return self.refuse_link(UNDO, taken, client).await;
            }
            replaced => replaced?,
        }
        email_changes::void_later_changes(&tx, &change, now).await?;
        email_changes::mark_undone(&tx, change.id, now).await?;
        let ended =
            sessions::end_sessions(&tx, user.id, None, SessionEnd::EmailChangeUndone, now).await?;
        let details = json!({ "sessions_ended": ended });
        self.audit(
            &tx,
            AuditEntry::success(UNDO, Actor::User(user.id), client).with(details),
        )
        .await?;
        self.publish(
            &tx,
            user.id,
            (EventType::EmailChanged, json!({ "email": old.as_str() })),
            client,
        )
        .await?;
        Store::commit(tx).await
    }

    /// The address is proven by a mailed secret.
    async fn replace_email(&self, tx: &Tx, user: &mut User, email: &EmailAddress) -> Result<()> {
        user.verify(self.now());
        self.write_email(tx, user, email).await
    }

    /// Puts an address in the other one's place; links that were mailed to that one die. One that can still come back to
    /// somebody else is taken: whoever stole an account must not block its way back.
    pub(super) async fn write_email(
        &self,
        tx: &Tx,
        user: &mut User,
        email: &EmailAddress,
    ) -> Result<()> {
        let now = self.now();
        let key = self.user_key(tx, user.id).await?;
        resets::void_links(tx, user.id, now).await?;
        verifications::void_links(tx, user.id, now).await?;
        void_used_verifications(tx, user.id, now).await?;
        invitations::void_links(tx, user.id, now).await?;
        user.email = email.clone();
        users::update_user(tx, user, now).await?;
        let sealed = self.seal(&key, field::EMAIL, email.as_str())?;
        let index = self.email_index(email);
        users::update_email(tx, user.id, &sealed, index, now).await?;
        user.version += 1;
        self.must_be_free_to_take(tx, index, user.id).await
    }

    /// Refuses an address that can still come back to somebody else; asked after it was written, so that a change that
    /// was confirmed meanwhile is seen.
    pub(super) async fn must_be_free_to_take(
        &self,
        tx: &Tx,
        address: BlindIndex,
        user: UserId,
    ) -> Result<()> {
        if email_changes::is_held_for_another(tx, address, user, self.now()).await? {
            return Err(Clash::EmailTaken.into());
        }
        Ok(())
    }
}
