//! Everything that is kept about one person beside account, profile and preferences, table by table. A new table that
//! names people gets its list here; a test reads the schema and fails otherwise.

mod links;
mod trail;

use super::entity::{avatars, credentials, known_devices, user_roles, user_sessions};
use crate::domain::{Result, id::UserId, secret::Sealed};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::{Value, json};

/// The most rows of a table, newest first: an answer has to fit into memory (decision 18).
const MOST: u64 = 10_000;

/// A row as its owner may see it.
pub struct Record {
    /// What is in clear: an object.
    pub plain: Value,
    /// What is sealed, by the name that binds it to its column (`user_sessions.ip`).
    pub sealed: Vec<(&'static str, Sealed)>,
    /// Whose key sealed it.
    pub owner: UserId,
}

/// The rows of a table.
pub struct Section {
    /// Its name in the export.
    pub name: &'static str,
    pub records: Vec<Record>,
    /// Whether there are older rows that are left out.
    pub is_cut: bool,
}

/// All tables.
pub async fn list_sections(db: &impl ConnectionTrait, id: UserId) -> Result<Vec<Section>> {
    let mut all = vec![
        roles(db, id).await?,
        password(db, id).await?,
        sessions(db, id).await?,
        devices(db, id).await?,
    ];
    all.extend(links::sections(db, id).await?);
    all.extend(trail::sections(db, id).await?);
    Ok(all)
}

/// The picture in its large size.
pub async fn find_avatar(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Sealed>> {
    let row = avatars::Entity::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| Sealed(row.large_sealed)))
}

/// Reads the newest rows and shows each.
async fn section<E: EntityTrait>(
    db: &impl ConnectionTrait,
    name: &'static str,
    (rows, newest): (Select<E>, E::Column),
    show: impl FnMut(E::Model) -> Record,
) -> Result<Section> {
    let mut rows = rows.order_by_desc(newest).limit(MOST + 1).all(db).await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let is_cut = rows.len() > most;
    rows.truncate(most);
    Ok(Section {
        name,
        records: rows.into_iter().map(show).collect(),
        is_cut,
    })
}

impl Record {
    fn open(owner: UserId, plain: Value) -> Self {
        Self {
            plain,
            sealed: Vec::new(),
            owner,
        }
    }

    fn with(mut self, name: &'static str, sealed: Option<Vec<u8>>) -> Self {
        self.sealed
            .extend(sealed.map(|bytes| (name, Sealed(bytes))));
        self
    }
}

async fn roles(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use user_roles::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "roles", (rows, C::GrantedAt), |row| {
        let plain = json!({ "role": row.role, "granted_at": row.granted_at });
        Record::open(id, plain)
    })
    .await
}

/// Not the hash: it is of use only to who guesses.
async fn password(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use credentials::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "password", (rows, C::ChangedAt), |row| {
        let plain = json!({
            "changed_at": row.changed_at, "wrong_guesses": row.failures, "locked_at": row.locked_at,
        });
        Record::open(id, plain)
    })
    .await
}

async fn sessions(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use user_sessions::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "sessions", (rows, C::CreatedAt), |row| {
        let plain = json!({
            "id": row.id, "created_at": row.created_at, "last_seen_at": row.last_seen_at,
            "expires_at": row.expires_at, "auth_time": row.auth_time, "ended_at": row.ended_at,
            "end_reason": row.end_reason,
        });
        Record::open(id, plain)
            .with("user_sessions.ip", row.ip_sealed)
            .with("user_sessions.user_agent", row.user_agent_sealed)
    })
    .await
}

/// Devices are kept as keyed hashes, which tell nobody anything.
async fn devices(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use known_devices::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "known_devices", (rows, C::LastSeenAt), |row| {
        let plain = json!({
            "first_seen_at": row.first_seen_at, "last_seen_at": row.last_seen_at, "wrong_guesses": row.failures,
        });
        Record::open(id, plain)
    })
    .await
}
