//! Sign-in by address (or username) and password. One answer and like work for an unknown person, a wrong password and
//! a terminated account; what else bars the way is told only after the right password.

use super::{
    Class, Services, after,
    lockout::Guard,
    tokens::{self, Tokens},
};
use crate::{
    domain::{
        Error, Result,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        email::EmailAddress,
        error::{Barrier, Refusal},
        event::EventType,
        id::{RefreshTokenId, SessionId},
        mail::Mail,
        password::{Password, PasswordHash},
        secret::BlindIndex,
        session::Session,
        user::{User, UserStatus},
        username::Username,
    },
    infra::hasher::Verdict,
    storage::{
        Store, Tx,
        credentials::{self, Credential},
        sessions, users,
    },
};
use serde_json::json;

/// By what a person signs in.
#[derive(Clone)]
pub enum Identifier {
    Email(EmailAddress),
    Username(Username),
}

/// What is known before the password is looked at.
struct Attempt {
    user: Option<User>,
    guard: Guard,
}

const ACTION: &str = "login";

impl Services {
    /// Signs a person in on a device: a new session with its first pair of tokens.
    pub async fn login(
        &self,
        who: &Identifier,
        password: Password,
        client: &Client,
    ) -> Result<Tokens> {
        let attempt = self.look_up(who, client).await?;
        // A known device has a limit of its own, so that a stranger's guesses do not lock the owner out.
        let place = if attempt.guard.device.is_some() {
            client.device_key()
        } else {
            "elsewhere".to_owned()
        };
        let account = match who {
            Identifier::Email(email) => format!("email {}", email.as_str()),
            Identifier::Username(name) => format!("username {}", name.key()),
        };
        let account = attempt
            .user
            .as_ref()
            .map_or(account, |user| format!("user {}", user.id));
        self.must_be_within(
            Class::Account,
            &format!("{account} {place}"),
            ACTION,
            client,
        )?;

        let verdict = self.judge(&attempt.guard, password.clone()).await?;
        let (Some(user), Some(credential)) = (attempt.user, &attempt.guard.credential) else {
            return self.fail_unknown(client).await;
        };
        if verdict == Verdict::Wrong {
            return self.fail_login(&user, &attempt.guard, client).await;
        }
        if let Some(barrier) = self.barrier(&user) {
            return self.refuse_login(&user, barrier, client).await;
        }
        if verdict == Verdict::RightButOutdated {
            self.renew_hash(&user, &credential.hash, password).await?;
        }
        let device = (attempt.guard.device_index, attempt.guard.device.is_some());
        self.sign_in(user, credential, device, client).await
    }

    async fn look_up(&self, who: &Identifier, client: &Client) -> Result<Attempt> {
        let db = self.store.reader();
        let stored = match who {
            Identifier::Email(email) => {
                users::find_user_by_email(db, self.email_index(email)).await?
            }
            Identifier::Username(name) => users::find_user_by_username(db, name).await?,
        };
        let Some(stored) = stored else {
            let guard = Guard {
                credential: None,
                device_index: self.device_index(client),
                device: None,
            };
            return Ok(Attempt { user: None, guard });
        };
        Ok(Attempt {
            guard: self.guard_of(db, stored.id, client).await?,
            user: self.try_open_user(db, stored).await?,
        })
    }

    fn barrier(&self, user: &User) -> Option<Error> {
        match user.status {
            UserStatus::Terminated => Some(Refusal::InvalidCredentials.into()),
            UserStatus::Deactivated => Some(Barrier::AccountDeactivated.into()),
            UserStatus::Pending if self.policy.require_email_verification => {
                Some(Barrier::EmailNotVerified.into())
            }
            UserStatus::Pending | UserStatus::Active => None,
        }
    }

    pub(super) async fn fail_unknown<T>(&self, client: &Client) -> Result<T> {
        let code = Refusal::InvalidCredentials.code();
        self.audit_alone(AuditEntry::refusal(ACTION, Outcome::Failed, code, client))
            .await?;
        Err(Refusal::InvalidCredentials.into())
    }

    async fn refuse_login<T>(&self, user: &User, barrier: Error, client: &Client) -> Result<T> {
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, barrier.code(), client);
        self.audit_alone(entry.on(user.id)).await?;
        Err(barrier)
    }

    async fn renew_hash(&self, user: &User, old: &PasswordHash, password: Password) -> Result<()> {
        let new = self.hasher.hash(password).await?;
        let tx = self.store.begin().await?;
        credentials::upgrade_hash(&tx, user.id, old, &new).await?;
        Store::commit(tx).await
    }

    /// Makes the session, unless the account changed while the password was compared.
    async fn sign_in(
        &self,
        user: User,
        seen: &Credential,
        device: (BlindIndex, bool),
        client: &Client,
    ) -> Result<Tokens> {
        let tx = self.store.begin().await?;
        let Some(mut current) = self.try_lock_user(&tx, user.id).await? else {
            drop(tx);
            return self.fail_unknown(client).await;
        };
        let credential = credentials::find_credential(&tx, user.id).await?;
        let is_other = credential.is_none_or(|current| current.changed_at != seen.changed_at);
        let barrier = self.barrier(&current);
        let barrier = barrier.or_else(|| is_other.then(|| Refusal::InvalidCredentials.into()));
        if let Some(barrier) = barrier {
            drop(tx);
            return self.refuse_login(&user, barrier, client).await;
        }
        let now = self.now();
        let secret = self.new_secret();
        let session = self.open_session(&tx, &current, client).await?;
        self.insert_refresh_token(
            &tx,
            &session,
            &current,
            (self.new_id::<RefreshTokenId>(), &secret),
        )
        .await?;
        users::record_login(&tx, user.id, now).await?;
        current.last_login_at = Some(now);
        credentials::forget_failures(&tx, user.id).await?;
        let details = json!({ "session_id": session.id });
        let entry = AuditEntry::success(ACTION, Actor::User(user.id), client);
        self.audit(&tx, entry.with(details.clone())).await?;
        self.publish(&tx, user.id, (EventType::LoggedIn, details), client)
            .await?;
        let (device_index, is_known) = device;
        if !is_known && credentials::count_devices(&tx, user.id).await? > 0 {
            self.mail_new_device(&tx, &current, client).await?;
        }
        credentials::remember_device(&tx, user.id, device_index, now).await?;
        let access_token = self.sign(&session, &current)?;
        self.commit(tx).await?;
        Ok(tokens::pair(access_token, secret, current))
    }

    async fn open_session(&self, tx: &Tx, user: &User, client: &Client) -> Result<Session> {
        use super::personal_data::field;
        let now = self.now();
        let key = self.user_key(tx, user.id).await?;
        let ip = client.ip.map(|ip| ip.to_string());
        let seal =
            |field, text: Option<&str>| text.map(|text| self.seal(&key, field, text)).transpose();
        let session = Session {
            id: self.new_id::<SessionId>(),
            user_id: user.id,
            created_at: now,
            last_seen_at: now,
            expires_at: after(now, self.session_limits(user).absolute),
            auth_time: now,
            ended_at: None,
            ip: seal(field::SESSION_IP, ip.as_deref())?,
            user_agent: seal(field::SESSION_USER_AGENT, client.user_agent.as_deref())?,
        };
        sessions::insert_session(tx, &session).await?;
        Ok(session)
    }

    async fn mail_new_device(&self, tx: &Tx, user: &User, client: &Client) -> Result<()> {
        let mail = Mail::NewDevice {
            at: self.now(),
            device: client.device().device,
            ip: client
                .ip
                .map_or_else(|| "unknown".to_owned(), |ip| ip.to_string()),
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(tx, user, &user.email, &mail).await
    }
}
