//! People from another system, a batch at a time, and how far the import of a file has come.

mod rows;

use super::{
    Db, Store,
    bulk::insert_rows,
    entity::{email_changes, users},
};
use crate::domain::{
    Result, Timestamp,
    id::{AuditId, EventId},
    secret::{BlindIndex, Sealed, WrappedKey},
    username::Username,
};
use crate::storage::users::StoredUser;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement};
use std::collections::HashSet;

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
    let emails: Vec<Vec<u8>> = emails.iter().map(|index| index.0.to_vec()).collect();
    let usernames: Vec<String> = usernames.iter().map(Username::key).collect();
    let by_email = users::Entity::find()
        .select_only()
        .column(users::Column::EmailIndex)
        .filter(users::Column::EmailIndex.is_in(emails.clone()));
    let held = email_changes::Entity::find()
        .select_only()
        .column(email_changes::Column::OldEmailIndex)
        .filter(email_changes::Column::OldEmailIndex.is_in(emails))
        .filter(email_changes::Column::UndoExpiresAt.gt(now))
        .filter(email_changes::Column::UndoneAt.is_null())
        .filter(email_changes::Column::VoidedAt.is_null());
    let mut taken = Taken::default();
    taken
        .emails
        .extend(by_email.into_tuple::<Vec<u8>>().all(db).await?);
    taken
        .emails
        .extend(held.into_tuple::<Vec<u8>>().all(db).await?);
    if !usernames.is_empty() {
        let by_name = users::Entity::find()
            .select_only()
            .column(users::Column::UsernameKey)
            .filter(users::Column::UsernameKey.is_in(usernames));
        taken
            .usernames
            .extend(by_name.into_tuple::<String>().all(db).await?);
    }
    Ok(taken)
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
