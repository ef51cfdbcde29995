//! People from another system, a batch at a time, and how far the import of a file has come.

mod rows;

use super::{Db, Store, bulk::insert_rows};
use crate::domain::{
    Result, Timestamp,
    id::{AuditId, EventId},
    secret::{BlindIndex, Sealed, WrappedKey},
    username::Username,
};
use crate::storage::users::StoredUser;
use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement, TryGetable, Value};
use serde_json::json;
use std::{collections::HashSet, fmt::Write as _};

/// A person with everything that belongs to a new account, sealed.
pub struct NewPerson {
    pub user: StoredUser,
    pub email_index: BlindIndex,
    pub key: WrappedKey,
    pub password_hash: Option<String>,
    /// The event that tells of the account, and its sealed data.
    pub event: Option<(EventId, Sealed)>,
}

/// A part of a file.
pub struct Batch<'a> {
    pub file_digest: &'a str,
    pub first_record: i64,
    pub records: i64,
    pub at: Timestamp,
    pub audit_id: AuditId,
    pub request_id: &'a str,
}

/// Addresses and usernames that are not free.
#[derive(Default)]
pub struct Taken {
    pub emails: HashSet<Vec<u8>>,
    pub usernames: HashSet<String>,
}

/// Addresses of people, addresses that somebody can come back to, usernames: those of a list in JSON, addresses in hex. One
/// value, for thousands of them take long to read.
const TAKEN_POSTGRES: [&str; 3] = [
    "SELECT email_index FROM users WHERE email_index IN \
     (SELECT decode(value, 'hex') FROM json_array_elements_text(CAST($1 AS json)) AS list (value))",
    "SELECT old_email_index FROM email_changes WHERE old_email_index IN \
     (SELECT decode(value, 'hex') FROM json_array_elements_text(CAST($1 AS json)) AS list (value)) \
     AND undo_expires_at > $2 AND undone_at IS NULL AND voided_at IS NULL",
    "SELECT username_key FROM users WHERE username_key IN \
     (SELECT value FROM json_array_elements_text(CAST($1 AS json)) AS list (value))",
];
const TAKEN_SQLITE: [&str; 3] = [
    "SELECT email_index FROM users WHERE email_index IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT old_email_index FROM email_changes WHERE old_email_index IN (SELECT unhex(value) FROM json_each($1)) \
     AND undo_expires_at > $2 AND undone_at IS NULL AND voided_at IS NULL",
    "SELECT username_key FROM users WHERE username_key IN (SELECT value FROM json_each($1))",
];

/// How many records of a file are done, and how many people came of them.
pub async fn count_done(db: &impl Db, file_digest: &str) -> Result<(i64, i64)> {
    #[derive(FromQueryResult)]
    struct Done {
        records: Option<i64>,
        imported: Option<i64>,
    }
    let sql = "SELECT CAST(sum(records) AS bigint) AS records, CAST(sum(imported) AS bigint) AS imported \
               FROM import_batches WHERE file_digest = $1";
    let sum = Statement::from_sql_and_values(db.get_database_backend(), sql, [file_digest.into()]);
    let done = Done::find_by_statement(sum).one(db).await?;
    Ok(done.map_or((0, 0), |done| {
        (done.records.unwrap_or(0), done.imported.unwrap_or(0))
    }))
}

/// Which of these are taken by people who are there, or can come back to them.
pub async fn find_taken(
    db: &impl Db,
    emails: &[BlindIndex],
    usernames: &[Username],
    now: Timestamp,
) -> Result<Taken> {
    let emails = json!(emails.iter().map(hex).collect::<Vec<_>>()).to_string();
    let usernames = json!(usernames.iter().map(Username::key).collect::<Vec<_>>()).to_string();
    let [by_email, held, by_username] = if db.get_database_backend() == DbBackend::Postgres {
        TAKEN_POSTGRES
    } else {
        TAKEN_SQLITE
    };
    let mut taken = Taken::default();
    let held = list(db, held, vec![emails.as_str().into(), now.into()]);
    taken.emails.extend(held.await?);
    taken
        .emails
        .extend(list(db, by_email, vec![emails.into()]).await?);
    taken
        .usernames
        .extend(list(db, by_username, vec![usernames.into()]).await?);
    Ok(taken)
}

async fn list<T: TryGetable>(db: &impl Db, sql: &str, values: Vec<Value>) -> Result<Vec<T>> {
    let list = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(list).await?;
    let values = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(values.collect::<Result<_, DbErr>>()?)
}

fn hex(index: &BlindIndex) -> String {
    index.0.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Adds the people of a batch, and notes that it is done; a conflict if somebody took an address or username meanwhile,
/// or another run was faster with this batch.
pub async fn insert_batch(store: &Store, people: &[NewPerson], batch: &Batch<'_>) -> Result<()> {
    let tables = [
        rows::user_rows(people),
        rows::key_rows(people),
        rows::credential_rows(people),
        rows::role_rows(people),
        rows::document_rows(people),
        rows::event_rows(people, batch),
        rows::batch_rows(people, batch),
        rows::audit_rows(people, batch),
    ];
    insert_rows(store, &tables).await
}
