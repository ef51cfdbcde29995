//! Confirming the address of an account by a mailed link, or declining an account that somebody else made with it.

use super::{Class, Services, after, events::person};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        error::Spent,
        event::EventType,
        id::LinkId,
        mail::{Mail, RequestedMail},
        permission::Roles,
        secret::Secret,
        user::{User, UserStatus},
    },
    storage::{
        Store, Tx,
        links::{Link, NewLink, verifications},
        users,
    },
};
use serde_json::json;

const ACTION: &str = "verify_email";
const DECLINE: &str = "decline_email_verification";

/// A confirmed address.
pub struct VerifiedEmail {
    pub user: User,
    /// The link had done its work before.
    pub already_verified: bool,
}

/// A sign-up that waits for the owner of its address.
pub struct WaitingSignUp {
    pub email: EmailAddress,
    pub created_at: Timestamp,
}

impl Services {
    /// The sign-up behind a mailed secret; none if the secret opens nothing, or nothing any more. Changes nothing.
    pub async fn find_waiting_sign_up(&self, secret: &Secret) -> Result<Option<WaitingSignUp>> {
        let db = self.store.reader();
        let Some(owner) = verifications::find_owner(db, secret.digest()).await? else {
            return Ok(None);
        };
        let link = verifications::find_link(db, secret.digest()).await?;
        let user = users::find_user(db, owner).await?;
        let (Some(link), Some(user)) = (link, user) else {
            return Ok(None);
        };
        if must_wait(&link, &user, self.now()).is_err() {
            return Ok(None);
        }
        let user = self.try_open_user(db, user).await?.ok_or(Error::BadToken)?;
        Ok(Some(WaitingSignUp {
            email: user.email,
            created_at: user.created_at,
        }))
    }

    /// Erases the never confirmed account that somebody else made with the address that the secret was mailed to.
    pub async fn decline_email_verification(&self, secret: &Secret, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let Some(owner) = verifications::find_owner(&tx, secret.digest()).await? else {
            drop(tx);
            return self.refuse_link(DECLINE, Error::BadToken, client).await;
        };
        let user = self.lock_owner(&tx, owner).await?;
        let link = verifications::find_link(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        if let Err(spent) = must_wait(&link, &user, self.now()) {
            drop(tx);
            return self.refuse_link(DECLINE, spent.into(), client).await;
        }
        self.publish_erasure(&tx, user.id, client).await?;
        users::delete_user(&tx, user.id).await?;
        self.destroy_user_key(&tx, user.id).await?;
        let entry = AuditEntry::success(DECLINE, Actor::Anonymous, client);
        self.audit_erasure(&tx, entry.on(user.id)).await?;
        Store::commit(tx).await?;
        self.forget_user_key(user.id);
        Ok(())
    }

    /// Confirms the address that the secret was mailed to. Repeating it is harmless while the link is in time and the address
    /// the same, and tells nothing new.
    pub async fn verify_email(&self, secret: &Secret, client: &Client) -> Result<VerifiedEmail> {
        let now = self.now();
        let tx = self.store.begin().await?;
        let Some(owner) = verifications::find_owner(&tx, secret.digest()).await? else {
            drop(tx);
            return self.refuse_link(ACTION, Error::BadToken, client).await;
        };
        let mut user = self.lock_owner(&tx, owner).await?;
        let link = verifications::find_link(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        if let Err(why) = may_confirm(&link, &user, now) {
            drop(tx);
            return self.refuse_link(ACTION, why, client).await;
        }
        if let Some(used_at) = link.used_at {
            return Ok(VerifiedEmail {
                user: as_confirmed(user, used_at),
                already_verified: true,
            });
        }
        user.verify(now);
        users::update_user(&tx, &mut user, now).await?;
        verifications::mark_used(&tx, link.id, now).await?;
        self.audit(
            &tx,
            AuditEntry::success(ACTION, Actor::User(user.id), client),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::Verified, person(&user)), client)
            .await?;
        Store::commit(tx).await?;
        Ok(VerifiedEmail {
            user,
            already_verified: false,
        })
    }

    /// Asks for a new link, which is mailed if the address belongs to an account that waits for one; tells the caller
    /// nothing.
    pub async fn request_email_verification(
        &self,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<()> {
        self.ask_for_mail(RequestedMail::EmailVerification, email, None, client)
            .await
    }

    /// Queues a verification mail; its link voids every earlier one.
    pub(super) async fn mail_verification(
        &self,
        tx: &Tx,
        user: &User,
        client: &Client,
    ) -> Result<()> {
        let (now, secret) = (self.now(), self.new_secret());
        let link = NewLink {
            id: self.new_id::<LinkId>(),
            user_id: user.id,
            digest: secret.digest(),
            created_at: now,
            expires_at: after(now, self.policy.verification_ttl),
        };
        let data = json!({ "verification_id": link.id, "expires_at": link.expires_at });
        verifications::replace_links(tx, link).await?;
        let link = self.links.verify.with_token(&secret.reveal());
        let mail = Mail::VerifyEmail { link };
        let data = self.with_letter(data, (user, &user.email), &mail);
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await?;
        self.publish(
            tx,
            user.id,
            (EventType::VerificationTokenCreated, data),
            client,
        )
        .await
    }

    /// Whether this address may get one more mail that a stranger can cause; each kind counts by itself, so that a flood
    /// of one never keeps another back.
    pub(super) async fn may_mail(&self, kind: &'static str, email: &EmailAddress) -> bool {
        let key = format!("{kind} {}", email.as_str());
        self.limiter.check(Class::Recipient, &key).await.allowed
    }

    /// Audits a link that opened nothing, and fails with why.
    pub(super) async fn refuse_link<T>(
        &self,
        action: &'static str,
        why: Error,
        client: &Client,
    ) -> Result<T> {
        let outcome = match why {
            Error::Gone(Spent::Used | Spent::Expired) | Error::Conflict(_) => Outcome::Refused,
            _ => Outcome::Failed,
        };
        self.audit_alone(AuditEntry::refusal(action, outcome, why.code(), client))
            .await?;
        Err(why)
    }
}

/// Whether the link is in time, used or not, and its account in use; one that is put aside keeps its link.
fn may_confirm<E>(link: &Link, user: &User<E>, now: Timestamp) -> Result<()> {
    if !is_in_use(user) {
        return Err(Error::BadToken);
    }
    Ok(link.must_be_in_time(now)?)
}

/// Who may have another link.
pub(super) fn waits_for_verification(user: &User) -> bool {
    !user.is_verified() && is_in_use(user)
}

fn is_in_use<E>(user: &User<E>) -> bool {
    matches!(user.status, UserStatus::Pending | UserStatus::Active)
}

/// What the first answer told: a link that others may have seen must not show what has become of the account since.
fn as_confirmed(user: User, at: Timestamp) -> User {
    if user.updated_at == at {
        return User {
            roles: Roles::new([]),
            last_login_at: None,
            ..user
        };
    }
    User {
        status: UserStatus::Active,
        verified_at: Some(at),
        updated_at: at,
        ..User::pending(user.id, user.email, user.created_at)
    }
}

/// Whether the link is open and its account was never confirmed, by whatever way.
fn must_wait<E>(link: &Link, user: &User<E>, now: Timestamp) -> Result<(), Spent> {
    link.must_be_open(now)?;
    if user.is_verified() || user.status != UserStatus::Pending {
        return Err(Spent::Used);
    }
    Ok(())
}
