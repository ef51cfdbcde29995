//! Invitations: an account made for somebody, who alone chooses its password by a mailed link.

use super::{Services, after, events::person, password_reset::context_of};
use crate::{
    domain::{
        Error, Result,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        event::EventType,
        id::LinkId,
        mail::Mail,
        password::{Context, Password, PasswordHash},
        permission::{Permission, Roles},
        secret::Secret,
        steward::Steward,
        user::{User, UserChanges, UserStatus},
    },
    storage::{
        Tx, credentials,
        links::{NewLink, invitations},
        users,
    },
};
use serde_json::json;

const CREATE: &str = "create_user";
const ACCEPT: &str = "accept_invitation";

/// Somebody for whom an account is made.
pub struct NewUser {
    pub email: EmailAddress,
    pub roles: Roles,
    pub changes: UserChanges,
}

impl Services {
    /// Makes a pending account without a password and mails its owner a link; a taken address is a conflict. Roles beyond
    /// the usual one need the right to assign them.
    pub async fn create_user(
        &self,
        who: Steward<'_>,
        new: NewUser,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::CreateUsers)?;
        let made = self.insert_invited(who, new, client).await;
        if let Err(why @ (Error::Conflict(_) | Error::Forbidden(_))) = &made {
            let entry = AuditEntry::refusal(CREATE, Outcome::Refused, why.code(), client);
            self.audit_alone(entry.by(who.actor())).await?;
        }
        made
    }

    async fn insert_invited(
        &self,
        who: Steward<'_>,
        new: NewUser,
        client: &Client,
    ) -> Result<User> {
        let now = self.now();
        if new.roles != Roles::new([]) {
            who.must(Permission::AssignRoles)?;
            who.must_be_fresh(now, self.policy.reauth_max_age)?;
        }
        let mut user = User {
            roles: new.roles,
            ..User::pending(self.new_id(), new.email, now)
        };
        new.changes.apply(&mut user)?;
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who).await?;
        self.insert_person(&tx, &user, None).await?;
        let details = json!({ "roles": user.roles.names() });
        let entry = AuditEntry::success(CREATE, who.actor(), client).on(user.id);
        self.audit(&tx, entry.with(details)).await?;
        self.publish(&tx, user.id, (EventType::Created, person(&user)), client)
            .await?;
        self.mail_invitation(&tx, &user, client).await?;
        self.commit(tx).await?;
        Ok(user)
    }

    /// Queues an invitation; its link voids every earlier one.
    pub(super) async fn mail_invitation(
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
            expires_at: after(now, self.policy.invitation_ttl),
        };
        invitations::replace_links(tx, link).await?;
        let mail = Mail::Invitation {
            link: self.links.invite.with_token(&secret.reveal()),
        };
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await
    }

    /// Sets the first password by a mailed secret, once; the account is active and its address confirmed.
    pub async fn accept_invitation(
        &self,
        secret: &Secret,
        password: Password,
        full_name: Option<String>,
        client: &Client,
    ) -> Result<User> {
        // A first look without a lock, so that only holders of an open link make the service hash.
        let db = self.store.reader();
        let Some(owner) = invitations::find_owner(db, secret.digest()).await? else {
            return self.refuse_link(ACCEPT, Error::BadToken, client).await;
        };
        if let Some(link) = invitations::find_link(db, secret.digest()).await?
            && let Err(spent) = link.must_be_open(self.now())
        {
            return self.refuse_link(ACCEPT, spent.into(), client).await;
        }
        let invited = users::find_user(db, owner).await?.ok_or(Error::BadToken)?;
        let invited = self
            .try_open_user(db, invited)
            .await?
            .ok_or(Error::BadToken)?;
        let context = Context {
            full_name: full_name.as_deref(),
            ..context_of(&invited)
        };
        self.must_be_strong("password", &password, &context)?;
        let hash = self.hasher.hash(password).await?;
        let named = User {
            full_name: full_name.or_else(|| invited.full_name.clone()),
            ..invited
        };
        self.apply_acceptance(named, secret, &hash, client).await
    }

    async fn apply_acceptance(
        &self,
        named: User,
        secret: &Secret,
        hash: &PasswordHash,
        client: &Client,
    ) -> Result<User> {
        let tx: Tx = self.store.begin().await?;
        let mut user = self.lock_owner(&tx, named.id).await?;
        let now = self.now();
        let link = invitations::find_link(&tx, secret.digest())
            .await?
            .ok_or(Error::BadToken)?;
        let open = link.must_be_open(now).map_err(Error::from);
        let waiting = match user.status {
            UserStatus::Pending => true,
            // Another mail has confirmed the address meanwhile; that must not lock its owner out.
            UserStatus::Active => credentials::find_credential(&tx, user.id).await?.is_none(),
            UserStatus::Deactivated | UserStatus::Terminated => false,
        };
        if let Err(why) = open.and_then(|()| {
            if waiting {
                Ok(())
            } else {
                Err(Error::BadToken)
            }
        }) {
            drop(tx);
            return self.refuse_link(ACCEPT, why, client).await;
        }
        invitations::mark_used(&tx, link.id, now).await?;
        credentials::set_password(&tx, user.id, hash, now).await?;
        user.full_name = named.full_name;
        user.verify(now);
        users::update_user(&tx, &mut user, now).await?;
        self.audit(
            &tx,
            AuditEntry::success(ACCEPT, Actor::User(user.id), client),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::Verified, person(&user)), client)
            .await?;
        self.commit(tx).await?;
        Ok(user)
    }
}
