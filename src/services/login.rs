//! Sign-in by address (or username) and password. One answer and like work for an unknown person, a wrong password, a
//! terminated account and, where a sign-up tells nothing, one that was never confirmed; what else bars the way is told only
//! after the right password.

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
        failed_login::FailedLogin,
        id::{RefreshTokenId, SessionId, UserId},
        mail::Mail,
        password::{Password, PasswordHash},
        policy::SignupPrivacy,
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
use uuid::Uuid;

/// By what a person signs in.
#[derive(Clone)]
pub enum Identifier {
    Email(EmailAddress),
    Username(Username),
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
        self.hasher.must_have_room()?;
        let db = self.store.reader();
        let found = match who {
            Identifier::Email(email) => {
                users::find_holder_of_email(db, self.email_index(email)).await?
            }
            Identifier::Username(name) => users::find_holder_of_username(db, name).await?,
        };
        // From here to the answer nobody is a person, too: one whom no table knows.
        let nobody = self.id_of_nobody(who);
        let id = found.as_ref().map_or(nobody, |found| found.id);
        let guard = self.guard_of(db, id, client).await?;
        // A known device has a limit of its own, so that a stranger's guesses do not lock the owner out. Elsewhere what was
        // typed is counted: one count for an address and a username would tell that they are the same person's.
        let counted = if guard.is_known_device {
            format!("user {id} {}", client.device_key())
        } else {
            format!("typed {nobody}")
        };
        self.must_be_within(Class::Account, &counted, ACTION, client)
            .await?;

        let verdict = self.judge(&guard, password.clone()).await?;
        let failed = match (verdict, &found) {
            (Verdict::Wrong, _) => Some(FailedLogin::WrongPassword),
            (_, Some(found)) => self.hidden(found.status, found.is_verified),
            (_, None) => None,
        };
        if let Some(failed) = failed {
            return self
                .fail_login(failed, id, guard.known_device(), client)
                .await;
        }
        let barrier = found.and_then(|found| self.barrier(found.status));
        if let Some(barrier) = barrier.or_else(|| demand(guard.credential.as_ref())) {
            return self.refuse_login(id, barrier, client).await;
        }
        if let (Verdict::RightButOutdated, Some(credential)) = (verdict, &guard.credential) {
            self.renew_hash(id, &credential.hash, password).await?;
        }
        self.record_failed_logins_of(id).await?;
        self.sign_in(id, &guard, client).await
    }

    /// An id that nobody has, the same for the same address or name.
    fn id_of_nobody(&self, who: &Identifier) -> UserId {
        let key = match who {
            Identifier::Email(email) => format!("email {}", email.as_str()),
            Identifier::Username(name) => format!("username {}", name.key()),
        };
        let BlindIndex(index) = self.service_key().blind_index("nobody", &key);
        let (id, _) = index.split_first_chunk().unwrap_or((&[0; 16], &[]));
        UserId(Uuid::from_bytes(*id))
    }

    /// What nobody is told, though the password is right.
    fn hidden(&self, status: UserStatus, is_verified: bool) -> Option<FailedLogin> {
        let tells_nothing = self.policy.signup_privacy == SignupPrivacy::Strict
            && self.policy.require_email_verification;
        match status {
            UserStatus::Terminated => Some(FailedLogin::Terminated),
            // Who signed up with a free address has the right password, with a taken one a wrong one.
            UserStatus::Pending | UserStatus::Deactivated if tells_nothing && !is_verified => {
                Some(FailedLogin::Unconfirmed)
            }
            _ => None,
        }
    }

    fn barrier(&self, status: UserStatus) -> Option<Error> {
        match status {
            UserStatus::Terminated => Some(Refusal::InvalidCredentials.into()),
            UserStatus::Deactivated => Some(Barrier::AccountDeactivated.into()),
            UserStatus::Pending if self.policy.require_email_verification => {
                Some(Barrier::EmailNotVerified.into())
            }
            UserStatus::Pending | UserStatus::Active => None,
        }
    }

    async fn refuse_login<T>(&self, id: UserId, barrier: Error, client: &Client) -> Result<T> {
        let entry = AuditEntry::refusal(ACTION, Outcome::Refused, barrier.code(), client);
        self.audit_alone(entry.on(id)).await?;
        Err(barrier)
    }

    async fn renew_hash(&self, id: UserId, old: &PasswordHash, password: Password) -> Result<()> {
        let new = self.hasher.hash(password).await?;
        let tx = self.store.begin().await?;
        credentials::upgrade_hash(&tx, id, old, &new).await?;
        Store::commit(tx.aside()).await
    }

    /// Makes the session, unless the account changed while the password was compared.
    async fn sign_in(&self, id: UserId, guard: &Guard, client: &Client) -> Result<Tokens> {
        let tx = self.store.begin().await?;
        let Some(mut user) = self.try_lock_user(&tx, id).await? else {
            drop(tx);
            let kind = FailedLogin::WrongPassword;
            return self.fail_login(kind, id, None, client).await;
        };
        let credential = credentials::find_credential(&tx, id).await?;
        let set_at = |credential: &Credential| credential.changed_at;
        let is_other = credential.as_ref().map(set_at) != guard.credential.as_ref().map(set_at);
        let is_other = is_other || self.hidden(user.status, user.is_verified()).is_some();
        let barrier = is_other.then(|| Refusal::InvalidCredentials.into());
        let barrier = barrier.or_else(|| self.barrier(user.status));
        let barrier = barrier.or_else(|| demand(credential.as_ref()));
        if let Some(barrier) = barrier {
            drop(tx);
            return self.refuse_login(id, barrier, client).await;
        }
        let now = self.now();
        let secret = self.new_secret();
        let session = self.open_session(&tx, &user, client).await?;
        self.insert_refresh_token(
            &tx,
            &session,
            &user,
            (self.new_id::<RefreshTokenId>(), &secret),
        )
        .await?;
        users::record_login(&tx, user.id, now).await?;
        user.last_login_at = Some(now);
        credentials::forget_failures(&tx, user.id).await?;
        let details = json!({ "session_id": session.id });
        let entry = AuditEntry::success(ACTION, Actor::User(user.id), client);
        self.audit(&tx, entry.with(details.clone())).await?;
        self.publish(&tx, user.id, (EventType::LoggedIn, details), client)
            .await?;
        if !guard.is_known_device && credentials::count_devices(&tx, user.id).await? > 0 {
            self.mail_new_device(&tx, &user, client).await?;
        }
        credentials::remember_device(&tx, user.id, guard.device_index, now).await?;
        let access_token = self.sign(&session, &user)?;
        self.commit(tx).await?;
        Ok(tokens::pair(access_token, secret, user))
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
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await
    }
}

/// What bars the way of who has to choose another password.
fn demand(credential: Option<&Credential>) -> Option<Error> {
    let waits = credential.is_some_and(Credential::must_be_replaced);
    waits.then(|| Barrier::PasswordChangeRequired.into())
}
