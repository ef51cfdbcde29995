//! What a check of an access token needs to know: from memory while that can be believed, else from the database.

use super::{Services, nodes::Key};
use crate::{
    domain::{
        Result, claims::AccessClaims, error::Refusal, id::UserId, permission::Permission,
        session::Session, user::User,
    },
    storage::checks::{self, Check},
};
use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

/// What is known of an access token and the one who shows it.
#[derive(Debug)]
pub struct Record {
    pub user: User,
    pub session: Session,
    pub is_revoked: bool,
    pub permissions: BTreeSet<Permission>,
}

impl Services {
    /// What is known of a token: from memory while that can be trusted, else from the database.
    pub(super) async fn find_record(&self, claims: &AccessClaims) -> Result<Arc<Record>> {
        let key = (claims.sid, claims.jti);
        if let Some(record) = self.nodes.find(&key, claims.sub) {
            return Ok(record);
        }
        let stamp = self.nodes.begin(claims.sub);
        let record = self.read_record(key, claims.sub).await?;
        let record = Arc::new(record.ok_or(Refusal::SessionEnded)?);
        self.nodes.keep(key, stamp, &record);
        Ok(record)
    }

    /// The same from the database; none if the person or the session is not there.
    async fn read_record(&self, (session, token): Key, owner: UserId) -> Result<Option<Record>> {
        let db = self.store.reader();
        let Some(found) = checks::find_check(db, (owner, session), token).await? else {
            return Ok(None);
        };
        let Check {
            user,
            session,
            is_revoked,
            permissions,
        } = found;
        let session = session.within(self.session_limits(&user));
        let user = self.try_open_user(db, user).await?;
        Ok(user.map(|user| Record {
            user,
            session,
            is_revoked,
            permissions,
        }))
    }

    /// Of the so many sessions that were read last those of which the database says something else.
    pub async fn untrue_sessions(&self, most: usize) -> Result<Vec<String>> {
        let mut untrue = Vec::new();
        let mut records = self.nodes.records.list();
        records.sort_by_key(|(_, stamp, _)| Reverse(stamp.at()));
        for (key, stamp, record) in records.into_iter().take(most) {
            let strict = self.read_record(*key, stamp.owner()).await?;
            let now = self.now();
            let agrees = match &strict {
                Some(strict) => fingerprint(strict) == fingerprint(&record),
                // Swept away, or gone with its person.
                None => !record.session.is_live(now),
            };
            let is_believed = self.nodes.find(&key, stamp.owner()).is_some();
            if !agrees && is_believed && self.nodes.records.holds(&stamp) {
                untrue.push(format!("{record:?} is in truth {strict:?}"));
            }
        }
        Ok(untrue)
    }
}

/// What must be the same; when somebody was last seen or signed in may be told late.
fn fingerprint(record: &Record) -> String {
    let mut user = record.user.clone();
    user.last_login_at = None;
    let session = &record.session;
    format!(
        "{user:?} {:?} {:?} {:?} {} {:?}",
        session.id, session.expires_at, session.ended_at, record.is_revoked, record.permissions
    )
}
