//! Sign-up: a new account, pending until its address is confirmed.

use super::{
    Services,
    events::person,
    personal_data::{field, open_text},
};
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
        mail::{Mail, RequestedMail},
        password::{Context, Password, PasswordHash},
        policy::SignupPrivacy,
        user::{User, UserStatus},
        username::Username,
    },
    storage::{Tx, credentials, mail_requests::MailRequest, users},
};
use serde::{Deserialize, Serialize};

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
        if self.policy.signup_privacy == SignupPrivacy::Strict {
            return self.ask_for_account(&form, &hash, client).await;
        }
        let user = pending_user(self.new_id(), &form, self.now());
        let tx = self.store.begin().await?;
        match self.insert_signup(&tx, &user, &hash, client).await {
            Ok(()) => self.commit(tx).await?,
            Err(Error::Conflict(clash)) => {
                drop(tx);
                return self.refuse_sign_up(clash, client).await;
            }
            Err(error) => return Err(error),
        }
        Ok(SignedUp::Created(Box::new(user)))
    }

    /// Writes the sign-up down, whatever in it is taken.
    async fn ask_for_account(
        &self,
        form: &SignUp,
        hash: &PasswordHash,
        client: &Client,
    ) -> Result<SignedUp> {
        let asked = serde_json::to_string(&Asked::new(form, hash)).map_err(Error::internal)?;
        self.ask_for_mail(RequestedMail::SignUp, &form.email, Some(&asked), client)
            .await?;
        Ok(SignedUp::Accepted)
    }

    /// Makes the account that a strict sign-up asked for, or tells the owner of its address. A username stays a wish until the
    /// address is confirmed: one that were taken at once would tell whether the address was free.
    pub(super) async fn answer_sign_up(
        &self,
        request: &MailRequest,
        email: EmailAddress,
        client: &Client,
    ) -> Result<()> {
        let form = request.form.as_ref().ok_or_else(unreadable)?;
        let form = open_text(self.service_key(), field::ASKED_FORM, form)?;
        let asked: Asked = serde_json::from_str(&form).map_err(Error::internal)?;
        let hash = PasswordHash::new(asked.hash.clone());
        let user = asked.user(User::pending(self.new_id(), email, self.now()))?;
        let made = self.make_account(request, &user, &hash, client).await;
        let Err(Error::Conflict(clash)) = made else {
            return made;
        };
        let may = self.may_tell_owner(&user.email).await?;
        let Some(tx) = self.begin_answer(request).await? else {
            return Ok(());
        };
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, clash.code(), client);
        self.tell_owner(&tx, (&user.email, may), entry).await?;
        self.commit(tx).await
    }

    async fn make_account(
        &self,
        request: &MailRequest,
        user: &User,
        hash: &PasswordHash,
        client: &Client,
    ) -> Result<()> {
        let Some(tx) = self.begin_answer(request).await? else {
            return Ok(());
        };
        self.insert_signup(&tx, user, hash, client).await?;
        self.commit(tx).await
    }

    async fn refuse_sign_up(&self, clash: Clash, client: &Client) -> Result<SignedUp> {
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, clash.code(), client);
        self.audit_alone(entry).await?;
        Err(clash.into())
    }

    async fn insert_signup(
        &self,
        tx: &Tx,
        user: &User,
        hash: &PasswordHash,
        client: &Client,
    ) -> Result<()> {
        self.insert_person(tx, user, Some(hash)).await?;
        let entry = AuditEntry::success(ACTION, Actor::User(user.id), client);
        self.audit(tx, entry).await?;
        let created = (EventType::Created, person(user));
        self.publish(tx, user.id, created, client).await?;
        self.mail_verification(tx, user, client).await
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

    /// Whether the owner of a taken address may be told that somebody tried to have it. Asked before the transaction.
    pub(super) async fn may_tell_owner(&self, email: &EmailAddress) -> Result<bool> {
        Ok(self.may_mail(ACTION, email).await
            && self
                .may_mail_for_strangers(email, is_there, Mail::ACCOUNT_EXISTS)
                .await?)
    }

    /// Tells the owner of a taken address, if that `may` be, that somebody tried to have it; `entry` is what the trail says
    /// of the attempt, on the owner if it names nobody.
    pub(super) async fn tell_owner(
        &self,
        tx: &Tx,
        (email, may): (&EmailAddress, bool),
        entry: AuditEntry<'_>,
    ) -> Result<()> {
        let owner = self.lock_by_email(tx, email).await?.filter(is_there);
        let Some(owner) = owner.filter(|_| may) else {
            return self.audit(tx, entry).await;
        };
        let (subject, client) = (entry.subject.unwrap_or(owner.id), entry.client);
        self.audit(tx, entry.on(subject)).await?;
        if self
            .may_mail_again(tx, owner.id, Mail::ACCOUNT_EXISTS)
            .await?
        {
            let mail = Mail::AccountExists {
                reset_link: self.forgot_password_page(),
            };
            self.queue_mail(tx, (&owner, &owner.email), &mail, client)
                .await?;
        }
        Ok(())
    }
}

fn is_there(owner: &User) -> bool {
    owner.status != UserStatus::Terminated
}

/// What a strict sign-up says besides the address, until the account is made.
#[derive(Serialize, Deserialize)]
struct Asked {
    hash: String,
    username: Option<String>,
    full_name: Option<String>,
    country: Option<String>,
    state_province: Option<String>,
    locale: Option<String>,
}

impl Asked {
    fn new(form: &SignUp, hash: &PasswordHash) -> Self {
        Self {
            hash: hash.as_str().to_owned(),
            username: form.username.as_ref().map(|name| name.as_str().to_owned()),
            full_name: form.full_name.clone(),
            country: form.country.clone(),
            state_province: form.state_province.clone(),
            locale: form.locale.clone(),
        }
    }

    fn user(self, blank: User) -> Result<User> {
        let username = self.username.as_deref().map(Username::parse).transpose();
        Ok(User {
            wished_username: username.map_err(|_| unreadable())?,
            full_name: self.full_name,
            country: self.country,
            state_province: self.state_province,
            locale: self.locale,
            ..blank
        })
    }
}

fn unreadable() -> Error {
    Error::internal(anyhow::anyhow!(
        "a sign-up that was asked for cannot be read"
    ))
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
