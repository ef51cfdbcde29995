//! Resetting a forgotten password by a mailed link. It ends all sessions; on an account whose address was never
//! confirmed it also removes whatever a stranger may have put there before the owner came (pre-hijacking).

use super::{Services, after};
use crate::{
    domain::{
        Error, Result,
        actor::Actor,
        audit::AuditEntry,
        client::Client,
        email::EmailAddress,
        event::EventType,
        id::{LinkId, UserId},
        mail::{Mail, RequestedMail},
        password::{Context, Password, PasswordHash},
        secret::Secret,
        session::SessionEnd,
        user::{Tier, User, UserStatus},
        username::Username,
    },
    storage::{
        Tx, avatars, credentials, email_changes,
        links::{NewLink, resets, verifications, void_used_verifications},
        preferences, profiles, sessions, users,
    },
};
use serde_json::json;

const CONFIRM: &str = "confirm_password_reset";

impl Services {
    /// Asks for a reset link, which is mailed if the address belongs to an account in use; tells the caller nothing.
    pub async fn request_password_reset(
        &self,
        email: &EmailAddress,
        client: &Client,
    ) -> Result<()> {
        self.ask_for_mail(RequestedMail::PasswordReset, email, None, client)
            .await
    }

    /// Queues a mail with a reset link, which voids every earlier one.
    pub(super) async fn mail_reset(
        &self,
        tx: &Tx,
        user: &User,
        mail: fn(String) -> Mail,
        client: &Client,
    ) -> Result<()> {
        let (now, secret) = (self.now(), self.new_secret());
        let link = NewLink {
            id: self.new_id::<LinkId>(),
            user_id: user.id,
            digest: secret.digest(),
            created_at: now,
            expires_at: after(now, self.policy.reset_ttl),
        };
        let data = json!({ "password_reset_id": link.id, "expires_at": link.expires_at });
        resets::replace_links(tx, link).await?;
        let link = self.links.reset.with_token(&secret.reveal());
        let mail = mail(link);
        let data = self.with_letter(data, (user, &user.email), &mail);
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await?;
        self.publish(
            tx,
            user.id,
            (EventType::PasswordResetRequested, data),
            client,
        )
        .await
    }

    /// Sets a new password by a mailed secret, once, and ends all sessions.
    pub async fn confirm_password_reset(
        &self,
        secret: &Secret,
        new: Password,
        client: &Client,
    ) -> Result<()> {
        // A first look without a lock, so that only holders of an open link make the service hash.
        let db = self.store.reader();
        let Some(owner) = resets::find_owner(db, secret.digest()).await? else {
            return self.refuse_link(CONFIRM, Error::BadToken, client).await;
        };
        if let Some(link) = resets::find_link(db, secret.digest()).await?
            && let Err(spent) = link.must_be_open(self.now())
        {
            return self.refuse_link(CONFIRM, spent.into(), client).await;
        }
        let user = users::find_user(db, owner).await?.ok_or(Error::BadToken)?;
        let user = self.try_open_user(db, user).await?.ok_or(Error::BadToken)?;
        self.must_be_strong("new_password", &new, &context_of(&user))?;
        let hash = self.hasher.hash(new).await?;
        self.apply_reset(owner, secret, &hash, client).await
    }

    async fn apply_reset(
        &self,
        owner: UserId,
        secret: &Secret,
        hash: &PasswordHash,
        client: &Client,
    ) -> Result<()> {
        let tx = self.store.begin().await?;
        let mut user = self.lock_owner(&tx, owner).await?;
        let now = self.now();
        let link = resets::find_link(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        let open = link.must_be_open(now).map_err(Error::from);
        let open = open.and_then(|()| may_reset(&user).then_some(()).ok_or(Error::BadToken));
        if let Err(why) = open {
            drop(tx);
            return self.refuse_link(CONFIRM, why, client).await;
        }
        resets::mark_used(&tx, link.id, now).await?;
        credentials::set_password(&tx, user.id, hash, now).await?;
        credentials::forget_devices(&tx, user.id).await?;
        // Only its owner had the link: a stranger's flood of guesses must not keep this device out as an unknown one.
        credentials::remember_device(&tx, user.id, self.device_index(client), now).await?;
        email_changes::void_changes(&tx, user.id, now).await?;
        void_used_verifications(&tx, user.id, now).await?;
        // An account in use whose address an admin has set is its owner's all the same.
        let is_reclaimed = user.status == UserStatus::Pending;
        let why = if is_reclaimed {
            SessionEnd::Reclaimed
        } else {
            SessionEnd::PasswordReset
        };
        let ended = sessions::end_sessions(&tx, user.id, None, why, now).await?;
        let verified_now = !user.is_verified();
        if verified_now {
            self.prove_address(&tx, &mut user, is_reclaimed).await?;
        }
        let details = json!({ "sessions_ended": ended, "reclaimed": is_reclaimed });
        self.audit(
            &tx,
            AuditEntry::success(CONFIRM, Actor::User(user.id), client).with(details.clone()),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::PasswordChanged, details), client)
            .await?;
        if verified_now {
            self.publish(
                &tx,
                user.id,
                (EventType::Verified, super::events::person(&user)),
                client,
            )
            .await?;
        }
        let mail = Mail::PasswordChanged {
            at: now,
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(&tx, (&user, &user.email), &mail, client)
            .await?;
        self.commit(tx).await
    }

    /// The one who has just answered the mail owns the address. An account that was never confirmed is handed over: what
    /// a stranger may have told of himself goes.
    async fn prove_address(&self, tx: &Tx, user: &mut User, is_reclaimed: bool) -> Result<()> {
        let now = self.now();
        verifications::void_links(tx, user.id, now).await?;
        if is_reclaimed {
            user.username = None;
            user.wished_username = None;
            user.full_name = None;
            user.country = None;
            user.state_province = None;
            user.current_title = None;
            user.location = None;
            user.locale = None;
            user.timezone = None;
            (user.tier, user.tier_since, user.tier_until) = (Tier::Basic, None, None);
            if user.avatar_tag.take().is_some() {
                avatars::delete_avatar(tx, user.id).await?;
            }
            profiles::delete_profile(tx, user.id).await?;
            preferences::delete_preferences(tx, user.id).await?;
        }
        user.verify(now);
        users::update_user(tx, user, now).await
    }
}

/// Whether an account in this state may get a new password by mail.
pub(super) fn may_reset(user: &User) -> bool {
    matches!(user.status, UserStatus::Pending | UserStatus::Active)
}

/// What a person's new password is compared with.
pub(super) fn context_of(user: &User) -> Context<'_> {
    Context {
        email: Some(&user.email),
        username: user.username.as_ref().map(Username::as_str),
        full_name: user.full_name.as_deref(),
    }
}
