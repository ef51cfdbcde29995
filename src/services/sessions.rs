//! One's sessions: seen as devices, ended one by one or all at once.

use super::{
    Services, before,
    personal_data::{field, open_text},
};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::SignedIn,
        audit::{AuditEntry, Outcome},
        client::{Client, Device},
        error::Refusal,
        event::EventType,
        id::{SessionId, UserId},
        page::{Page, PageRequest},
        permission::Permission,
        session::{Session, SessionEnd},
        steward::Steward,
        user::User,
    },
    infra::tracer,
    storage::{
        Db, Store, Tx,
        sessions::{self, Living},
    },
};
use serde_json::json;
use std::sync::PoisonError;

/// The only order of the list: newest first.
pub const ORDER: &str = "-created_at";
const LOGOUT: &str = "logout";
const LOGOUT_ALL: &str = "logout_all";
const REVOKE: &str = "revoke_session";
const REVOKE_ALL: &str = "revoke_user_sessions";

/// A session as its owner sees it.
pub struct SessionView {
    pub id: SessionId,
    pub device: Device,
    pub ip: Option<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub is_current: bool,
}

impl Services {
    /// Ends the session that asks; its access token is dead at once.
    pub async fn logout(&self, who: &SignedIn, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        let now = self.now();
        if !sessions::end_session(&tx, (user.id, who.session_id), SessionEnd::LoggedOut, now)
            .await?
        {
            // A parallel call was first, and has told of it.
            return Err(Refusal::SessionEnded.into());
        }
        sessions::revoke_token(&tx, (user.id, who.token_id), who.token_expires_at, now).await?;
        let details = json!({ "session_id": who.session_id });
        self.audit(
            &tx,
            AuditEntry::success(LOGOUT, who.actor(), client).with(details.clone()),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::LoggedOut, details), client)
            .await?;
        Store::commit(tx).await
    }

    /// Ends all sessions of the person who asks.
    pub async fn logout_all(&self, who: &SignedIn, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        let now = self.now();
        let ended =
            sessions::end_sessions(&tx, user.id, None, SessionEnd::LoggedOutEverywhere, now)
                .await?;
        if ended == 0 {
            // A parallel call was first, and has told of it.
            return Err(Refusal::SessionEnded.into());
        }
        sessions::revoke_token(&tx, (user.id, who.token_id), who.token_expires_at, now).await?;
        let details = json!({ "sessions_ended": ended });
        self.audit(
            &tx,
            AuditEntry::success(LOGOUT_ALL, who.actor(), client).with(details.clone()),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::LoggedOut, details), client)
            .await?;
        Store::commit(tx).await
    }

    /// A page of the live sessions of the person who asks, newest first.
    pub async fn list_sessions(
        &self,
        who: &SignedIn,
        request: &PageRequest,
    ) -> Result<Page<SessionView>> {
        let (db, living) = (self.store.reader(), self.living(who));
        let beside = request.cursor.as_ref();
        let beside = beside.map(|cursor| (SessionId(cursor.id), cursor.is_backward));
        let rows = sessions::list_sessions(db, who.user.id, living, beside, request.rows()).await?;
        let page = Page::cut(rows, request, ORDER, |session| (None, session.id.0));
        let mut items = Vec::new();
        for session in page.items {
            items.push(self.view_of(session, who).await?);
        }
        Ok(Page {
            items,
            next: page.next,
            prev: page.prev,
            total: None,
        })
    }

    /// A live session of the person who asks; anybody else's is unknown.
    pub async fn get_session(&self, who: &SignedIn, id: SessionId) -> Result<SessionView> {
        let own = self.find_session_of(self.store.reader(), id, &who.user);
        let live = own.await?.filter(|session| session.is_live(self.now()));
        self.view_of(live.ok_or(Error::NotFound("session"))?, who)
            .await
    }

    async fn view_of(&self, session: Session, who: &SignedIn) -> Result<SessionView> {
        let session = session.within(self.session_limits(&who.user));
        let client = self.origin_of(self.store.reader(), &session).await?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.get(&session.id).copied();
        Ok(SessionView {
            id: session.id,
            device: client.device(),
            ip: client.ip.map(|ip| ip.to_string()),
            created_at: session.created_at,
            last_seen_at: session
                .last_seen_at
                .max(seen.unwrap_or(session.last_seen_at)),
            expires_at: session.expires_at,
            is_current: session.id == who.session_id,
        })
    }

    /// How many live sessions the person who asks has.
    pub(super) async fn count_sessions(&self, who: &SignedIn) -> Result<u64> {
        let living = self.living(who);
        sessions::count_sessions(self.store.reader(), who.user.id, living).await
    }

    fn living(&self, who: &SignedIn) -> Living {
        let (now, limits) = (self.now(), self.session_limits(&who.user));
        Living {
            now,
            idle_since: before(now, limits.idle),
            begun_since: before(now, limits.absolute),
        }
    }

    /// Ends one session of the person who asks; anybody else's is unknown.
    pub async fn revoke_session(
        &self,
        who: &SignedIn,
        id: SessionId,
        client: &Client,
    ) -> Result<()> {
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        let now = self.now();
        let session = self.find_session_of(&tx, id, &user).await?;
        let own = session.filter(|session| session.is_live(now));
        if own.is_none() {
            drop(tx);
            let entry = AuditEntry::refusal(REVOKE, Outcome::Refused, "not_found", client);
            self.audit_alone(entry.by(who.actor()).on(user.id)).await?;
            return Err(Error::NotFound("session"));
        }
        sessions::end_session(&tx, (user.id, id), SessionEnd::Revoked, now).await?;
        let details = json!({ "session_id": id, "reason": SessionEnd::Revoked.as_str() });
        self.audit(
            &tx,
            AuditEntry::success(REVOKE, who.actor(), client).with(details.clone()),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::SessionRevoked, details), client)
            .await?;
        Store::commit(tx).await
    }

    /// A session of this person, with the end that the limits of their present roles give it.
    pub(super) async fn find_session_of<E>(
        &self,
        db: &impl Db,
        id: SessionId,
        owner: &User<E>,
    ) -> Result<Option<Session>> {
        let session = sessions::find_session(db, id).await?;
        let own = session.filter(|session| session.user_id == owner.id);
        Ok(own.map(|session| session.within(self.session_limits(owner))))
    }

    /// Signs somebody else out everywhere.
    pub async fn revoke_user_sessions(
        &self,
        who: Steward<'_>,
        id: UserId,
        client: &Client,
    ) -> Result<()> {
        who.must(Permission::RevokeSessions)?;
        let done = self.end_all_of(who, id, client).await;
        self.trace_refusal(done, (REVOKE_ALL, who.actor(), id), client)
            .await
    }

    async fn end_all_of(&self, who: Steward<'_>, id: UserId, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who).await?;
        let user = self.lock_user(&tx, id).await?;
        who.must_outrank(&user)?;
        let why = SessionEnd::RevokedByStaff;
        let ended = self.revoke_all(&tx, id, why, client).await?;
        let entry = AuditEntry::success(REVOKE_ALL, who.actor(), client).on(id);
        self.audit(&tx, entry.with(json!({ "sessions_ended": ended })))
            .await?;
        Store::commit(tx).await
    }

    /// Ends every session of a person whom others sign out, and tells of it if there was one; how many there were.
    pub(super) async fn revoke_all(
        &self,
        tx: &Tx,
        id: UserId,
        why: SessionEnd,
        client: &Client,
    ) -> Result<u64> {
        let ended = sessions::end_sessions(tx, id, None, why, self.now()).await?;
        if ended > 0 {
            let data = json!({ "sessions_ended": ended, "reason": why.as_str() });
            self.publish(tx, id, (EventType::SessionRevoked, data), client)
                .await?;
        }
        Ok(ended)
    }

    /// The device that a session was made on.
    pub(super) async fn device_of(&self, db: &impl Db, session: &Session) -> Result<Device> {
        Ok(self.origin_of(db, session).await?.device())
    }

    async fn origin_of(&self, db: &impl Db, session: &Session) -> Result<Client> {
        let key = self.user_key(db, session.user_id).await?;
        let open = |field, sealed: &Option<_>| {
            sealed
                .as_ref()
                .map(|sealed| open_text(&key, field, sealed))
                .transpose()
        };
        let ip = open(field::SESSION_IP, &session.ip)?;
        Ok(Client {
            ip: ip.and_then(|ip| ip.parse().ok()),
            user_agent: open(field::SESSION_USER_AGENT, &session.user_agent)?,
            ..Client::local("")
        })
    }

    /// Writes the last-seen times gathered since the last flush; called each minute and at the end.
    pub async fn flush_seen(&self) -> Result<()> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = seen.into_iter().collect();
        tracer::root("flush_seen", self.write_seen(&seen)).await
    }

    async fn write_seen(&self, seen: &[(SessionId, Timestamp)]) -> Result<()> {
        // One row a transaction on PostgreSQL, where holding several could deadlock with an ending of all sessions;
        // on SQLite, where only one writes, a commit is what costs.
        let batch = if self.store.is_postgres() { 1 } else { 200 };
        for chunk in seen.chunks(batch) {
            let tx = self.store.begin().await?;
            for (session, at) in chunk {
                sessions::touch_session(&tx, *session, *at).await?;
            }
            Store::commit(tx).await?;
        }
        Ok(())
    }
}
