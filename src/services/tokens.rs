//! Access and refresh tokens: issued together, rotated together, checked on every request.

use super::{Services, after, checks::Record};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::{Actor, SignedIn},
        audit::{AuditEntry, Outcome},
        claims::AccessClaims,
        client::Client,
        error::Refusal,
        event::EventType,
        id::{AccessTokenId, RefreshTokenId, SessionId},
        mail::Mail,
        permission::Role,
        secret::Secret,
        session::{RefreshToken, Rotation, Session, SessionEnd, SessionLimits},
        user::{User, UserStatus},
    },
    infra::vault,
    storage::{
        Store, Tx,
        refresh_tokens::{self, NewRefreshToken},
        sessions,
    },
};
use serde_json::json;
use std::{sync::PoisonError, time::Duration};

const REFRESH: &str = "refresh";
/// What binds a sealed successor to its use.
const SUCCESSOR: &str = "refresh_tokens.successor";

/// What a sign-in or a refresh hands out.
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Secret,
    pub expires_in: Duration,
    pub user: User,
}

/// An access token alone, as after proving the password again.
pub struct AccessToken {
    pub access_token: String,
    pub expires_in: Duration,
}

impl Services {
    /// Checks an access token: signature, session, and the state of the person at this moment.
    pub async fn authenticate(&self, bearer: &str) -> Result<SignedIn> {
        let claims = self.claims_of(bearer).await??;
        let record = self.find_record(&claims).await?;
        let now = self.now();
        let Record { user, session, .. } = &*record;
        if record.is_revoked || !session.is_live(now) || !self.may_act(user) {
            return Err(Refusal::SessionEnded.into());
        }
        let idle = after(time(claims.iat), self.session_limits(user).idle);
        // Signed under longer limits than those of the present roles.
        if idle < time(claims.exp) && idle <= now {
            return Err(Refusal::TokenExpired.into());
        }
        self.note_seen(claims.sid, now);
        Ok(SignedIn {
            user: user.clone(),
            session_id: claims.sid,
            token_id: claims.jti,
            token_expires_at: time(claims.exp),
            auth_time: time(claims.auth_time),
            permissions: record.permissions.clone(),
        })
    }

    /// Whether an account in this state may use its sessions.
    pub(super) fn may_act<E>(&self, user: &User<E>) -> bool {
        match user.status {
            UserStatus::Active => true,
            UserStatus::Pending => !self.policy.require_email_verification,
            UserStatus::Deactivated | UserStatus::Terminated => false,
        }
    }

    fn note_seen(&self, session: SessionId, now: Timestamp) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(session, now);
    }

    /// Exchanges a refresh token for a new pair. A replayed one ends its session.
    pub async fn refresh(&self, secret: &Secret, client: &Client) -> Result<Tokens> {
        let tx = self.store.begin().await?;
        let Some(owner) = refresh_tokens::find_owner(&tx, secret.digest()).await? else {
            drop(tx);
            let why = Refusal::TokenInvalid;
            self.audit_alone(AuditEntry::refusal(
                REFRESH,
                Outcome::Failed,
                why.code(),
                client,
            ))
            .await?;
            return Err(why.into());
        };
        // The person's row is the lock: whatever touches their sessions takes turns, so the reads below are settled.
        let user = self.try_lock_user(&tx, owner).await?;
        let user = user.ok_or(Refusal::SessionEnded)?;
        let token = refresh_tokens::find_refresh_token(&tx, secret.digest())
            .await?
            .ok_or(Refusal::SessionEnded)?
            .within(self.session_limits(&user));
        let session = self
            .find_session_of(&tx, token.session_id, &user)
            .await?
            .ok_or(Refusal::SessionEnded)?;
        let now = self.now();
        if !session.is_live(now) || !self.may_act(&user) {
            drop(tx);
            return self
                .refuse_refresh(&user, Refusal::SessionEnded, client)
                .await;
        }
        match token.judge(now, self.policy.refresh_grace) {
            Rotation::Rotate => self.rotate(tx, session, user, (secret, &token)).await,
            Rotation::Repeat => self.repeat(&session, user, secret, &token),
            Rotation::Expired => {
                drop(tx);
                self.refuse_refresh(&user, Refusal::TokenExpired, client)
                    .await
            }
            Rotation::Reused => self.end_replayed(tx, &session, &user, client).await,
        }
    }

    async fn rotate(
        &self,
        tx: Tx,
        session: Session,
        user: User,
        shown: (&Secret, &RefreshToken),
    ) -> Result<Tokens> {
        let (secret, token) = shown;
        let (now, successor) = (self.now(), self.new_secret());
        let successor_id = self.new_id::<RefreshTokenId>();
        refresh_tokens::wipe_successors(&tx, session.id).await?;
        let sealed = vault::seal_under(secret, SUCCESSOR, successor.bytes(), &self.entropy)?;
        refresh_tokens::mark_used(&tx, token.id, successor_id, sealed, now).await?;
        self.insert_refresh_token(&tx, &session, &user, (successor_id, &successor))
            .await?;
        sessions::touch_session(&tx, session.id, now).await?;
        let access_token = self.sign(&session, &user)?;
        Store::commit(tx).await?;
        Ok(pair(access_token, successor, user))
    }

    fn repeat(
        &self,
        session: &Session,
        user: User,
        secret: &Secret,
        token: &RefreshToken,
    ) -> Result<Tokens> {
        let sealed = token
            .successor_sealed
            .as_ref()
            .ok_or(Refusal::TokenReused)?;
        let bytes = vault::open_under(secret, SUCCESSOR, sealed)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| Error::from(Refusal::TokenReused))?;
        let access_token = self.sign(session, &user)?;
        Ok(pair(access_token, Secret::from_random(bytes), user))
    }

    async fn end_replayed(
        &self,
        tx: Tx,
        session: &Session,
        user: &User,
        client: &Client,
    ) -> Result<Tokens> {
        let now = self.now();
        sessions::end_session(&tx, (user.id, session.id), SessionEnd::TokenReused, now).await?;
        let entry = AuditEntry::refusal(
            REFRESH,
            Outcome::Refused,
            Refusal::TokenReused.code(),
            client,
        );
        self.audit(
            &tx,
            entry
                .on(user.id)
                .with(json!({ "code": "token_reused", "session_id": session.id })),
        )
        .await?;
        let data = json!({ "session_id": session.id, "reason": SessionEnd::TokenReused.as_str() });
        self.publish(&tx, user.id, (EventType::SessionRevoked, data), client)
            .await?;
        let device = self.device_of(&tx, session).await?.device;
        let mail = Mail::SessionEnded {
            at: now,
            device,
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(&tx, (user, &user.email), &mail, client)
            .await?;
        self.commit(tx.aside()).await?;
        Err(Refusal::TokenReused.into())
    }

    async fn refuse_refresh(&self, user: &User, why: Refusal, client: &Client) -> Result<Tokens> {
        let entry = AuditEntry::refusal(REFRESH, Outcome::Refused, why.code(), client);
        self.audit_alone(entry.by(Actor::Anonymous).on(user.id))
            .await?;
        Err(why.into())
    }

    /// Which limits hold for this person's sessions.
    pub(super) fn session_limits<E>(&self, user: &User<E>) -> SessionLimits {
        if user.roles.has(Role::Admin) {
            self.policy.admin_session
        } else {
            self.policy.session
        }
    }

    /// Keeps a refresh token of a session; it never outlives the session.
    pub(super) async fn insert_refresh_token(
        &self,
        tx: &Tx,
        session: &Session,
        user: &User,
        token: (RefreshTokenId, &Secret),
    ) -> Result<()> {
        let now = self.now();
        let token = NewRefreshToken {
            id: token.0,
            session_id: session.id,
            digest: token.1.digest(),
            created_at: now,
            expires_at: after(now, self.session_limits(user).idle).min(session.expires_at),
        };
        refresh_tokens::insert_refresh_token(tx, token).await
    }

    /// Signs an access token of a session; it outlives neither the session nor the time in which that must be refreshed.
    pub(super) fn sign(&self, session: &Session, user: &User) -> Result<AccessToken> {
        let now = self.now();
        let ttl = self.policy.access_ttl.min(self.session_limits(user).idle);
        let expires_at = after(now, ttl).min(session.expires_at);
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user.id,
            sid: session.id,
            jti: self.new_id::<AccessTokenId>(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            auth_time: session.auth_time.timestamp(),
            roles: user.roles.clone(),
            tier: user.tier_at(now).as_str().to_owned(),
        };
        Ok(AccessToken {
            access_token: self.signer.sign(&claims, now)?,
            expires_in: (expires_at - now).to_std().unwrap_or_default(),
        })
    }
}

/// A time in a claim.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap_or_default()
}

/// Puts an answer together.
pub(super) fn pair(access: AccessToken, refresh_token: Secret, user: User) -> Tokens {
    Tokens {
        access_token: access.access_token,
        refresh_token,
        expires_in: access.expires_in,
        user,
    }
}
