//! Sign-up: a new account, pending until its address is confirmed.

use super::{Services, events::person, personal_data::field};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        error::Clash,
        event::EventType,
        id::UserId,
        mail::Mail,
        password::{Context, Password, PasswordHash},
        policy::SignupPrivacy,
        user::{User, UserStatus},
        username::Username,
    },
    storage::{Store, Tx, credentials, users},
};

/// What a person signs up with.
pub struct SignUp {
    pub email: EmailAddress,
    pub password: Password,
    pub username: Option<Username>,
    pub full_name: Option<String>,
    pub country: Option<String>,
    pub state_province: Option<String>,
    pub locale: Option<String>,
}

impl SignUp {
    /// What the password is compared with.
    pub fn context(&self) -> Context<'_> {
        Context {
            email: Some(&self.email),
            username: self.username.as_ref().map(Username::as_str),
            full_name: self.full_name.as_deref(),
        }
    }
}

/// What a sign-up leads to.
pub enum SignedUp {
    /// The new account.
    Created(Box<User>),
    /// `SIGNUP_PRIVACY=strict`: one answer, whether the address was free or not.
    Accepted,
}

const ACTION: &str = "register";

impl Services {
    /// Makes an account and mails a link that confirms its address.
    pub async fn register(&self, form: SignUp, client: &Client) -> Result<SignedUp> {
        self.must_be_strong("password", &form.password, &form.context())?;
        let hash = self.hasher.hash(form.password.clone()).await?;
        let user = pending_user(self.new_id(), &form, self.now());
        let strict = self.policy.signup_privacy == SignupPrivacy::Strict;
        match self.insert_signup(&user, &hash, client).await {
            Ok(()) if strict => Ok(SignedUp::Accepted),
            Ok(()) => Ok(SignedUp::Created(Box::new(user))),
            Err(Error::Conflict(Clash::EmailTaken)) if strict => {
                // With a free address this username would be refused, so with a taken one it is, too.
                if self.is_username_taken(&form).await? {
                    return self.refuse_sign_up(Clash::UsernameTaken, client).await;
                }
                let code = Clash::EmailTaken.code();
                let entry = AuditEntry::refusal(ACTION, Outcome::Refused, code, client);
                self.tell_owner(&form.email, entry).await?;
                Ok(SignedUp::Accepted)
            }
            Err(Error::Conflict(clash)) => self.refuse_sign_up(clash, client).await,
            Err(error) => Err(error),
        }
    }

    async fn is_username_taken(&self, form: &SignUp) -> Result<bool> {
        let Some(username) = &form.username else {
            return Ok(false);
        };
        let found = users::find_user_by_username(self.store.reader(), username).await?;
        Ok(found.is_some())
    }

    async fn refuse_sign_up(&self, clash: Clash, client: &Client) -> Result<SignedUp> {
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, clash.code(), client);
        self.audit_alone(entry).await?;
        Err(clash.into())
    }

    async fn insert_signup(&self, user: &User, hash: &PasswordHash, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        self.insert_person(&tx, user, Some(hash)).await?;
        let actor = Actor::User(user.id);
        self.audit(&tx, AuditEntry::success(ACTION, actor, client))
            .await?;
        self.publish(&tx, user.id, (EventType::Created, person(user)), client)
            .await?;
        self.mail_verification(&tx, user, client).await?;
        self.commit(tx).await
    }

    /// Adds a person with a data key and, unless they are invited, a password; the one place where accounts begin.
    pub(super) async fn insert_person(
        &self,
        tx: &Tx,
        user: &User,
        hash: Option<&PasswordHash>,
    ) -> Result<()> {
        let key = self.create_user_key(tx, user.id).await?;
        let email = self.seal(&key, field::EMAIL, user.email.as_str())?;
        let index = self.email_index(&user.email);
        users::insert_user(tx, &user.clone().with_email(email), index).await?;
        self.must_be_free_to_take(tx, index, user.id).await?;
        if let Some(hash) = hash {
            credentials::set_password(tx, user.id, hash, user.created_at).await?;
        }
        Ok(())
    }

    /// Tells the owner of a taken address that somebody tried to have it, at most so often per recipient; `entry` is
    /// what the trail says of the attempt, on the owner if it names nobody.
    pub(super) async fn tell_owner(
        &self,
        email: &EmailAddress,
        entry: AuditEntry<'_>,
    ) -> Result<()> {
        let owner = self.find_by_email(self.store.reader(), email).await?;
        let owner = owner.filter(|owner| owner.status != UserStatus::Terminated);
        let owner = owner.filter(|_| self.may_mail(ACTION, email));
        let tx = self.store.begin().await?;
        let owner = match owner {
            Some(owner) => self.try_lock_user(&tx, owner.id).await?,
            None => None,
        };
        let Some(owner) = owner else {
            self.audit(&tx, entry).await?;
            return Store::commit(tx).await;
        };
        let subject = entry.subject.unwrap_or(owner.id);
        self.audit(&tx, entry.on(subject)).await?;
        if self
            .may_mail_again(&tx, owner.id, Mail::ACCOUNT_EXISTS)
            .await?
        {
            let mail = Mail::AccountExists {
                reset_link: self.forgot_password_page(),
            };
            self.queue_mail(&tx, &owner, &owner.email, &mail).await?;
        }
        self.commit(tx).await
    }
}

fn pending_user(id: UserId, form: &SignUp, now: Timestamp) -> User {
    User {
        username: form.username.clone(),
        full_name: form.full_name.clone(),
        country: form.country.clone(),
        state_province: form.state_province.clone(),
        locale: form.locale.clone(),
        ..User::pending(id, form.email.clone(), now)
    }
}
