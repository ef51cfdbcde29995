//! What a database error means to the service. Uniqueness belongs to the database, so a violated constraint is how a
//! lost race is told; anything that cannot be reached or has no room is `Unavailable`; the rest is our fault.

use crate::domain::error::{Clash, Error, Part};
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// Constraint on PostgreSQL, column on SQLite, and what breaking it means.
const CLASHES: [(&str, &str, Clash); 4] = [
    (
        "users_email_index_key",
        "users.email_index",
        Clash::EmailTaken,
    ),
    (
        "users_username_key_key",
        "users.username_key",
        Clash::UsernameTaken,
    ),
    (
        "refresh_tokens_one_leaf",
        "refresh_tokens.session_id",
        Clash::State,
    ),
    (
        "import_batches_key",
        "import_batches.file_digest",
        Clash::State,
    ),
];

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(text)) = error.sql_err() {
            let clash = CLASHES
                .iter()
                .find(|(name, column, _)| text.contains(name) || text.contains(column));
            if let Some((_, _, clash)) = clash {
                return Self::Conflict(*clash);
            }
        }
        if is_out_of_reach(&error) {
            tracing::warn!(error = %reason(&error), "the database does not answer");
            return Self::Unavailable(Part::Database);
        }
        // The driver's text of a violated constraint may repeat the row's values; the log gets the class only.
        Self::Internal(anyhow::anyhow!("database: {}", reason(&error)))
    }
}

/// The same for what was asked below the ORM.
pub(super) fn from_sqlx(error: sqlx::Error) -> Error {
    Error::from(DbErr::Query(RuntimeErr::SqlxError(error.into())))
}

/// Whether the database is away, out of connections, shutting down, locked or full.
fn is_out_of_reach(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match &**error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
                _ => false,
            }
        }
        _ => false,
    }
}

/// SQLSTATE classes and SQLite result codes of trouble that passes: connection (08), resources (53), intervention (57),
/// system (58), lock and serialization (40, 55); busy (5), locked (6), read-only (8), I/O (10), full (13), cannot open (14).
fn is_passing(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "57", "58", "40", "55"]
            .iter()
            .any(|class| code.starts_with(class));
    }
    let primary = code.parse::<i32>().map(|code| code & 0xff);
    matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14))
}

/// What may be logged: the class, the code and the constraint, never the values.
fn reason(error: &DbErr) -> String {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner))
        | DbErr::Conn(RuntimeErr::SqlxError(inner)) => match &**inner {
            sqlx::Error::Database(error) => format!(
                "code {} {}",
                error.code().unwrap_or_default(),
                error
                    .constraint()
                    .unwrap_or_else(|| first_words(error.message()))
            ),
            sqlx::Error::Io(error) => format!("connection: {}", error.kind()),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// The part of a driver's message before it quotes anything.
fn first_words(message: &str) -> &str {
    message
        .split(['"', '\'', '('])
        .next()
        .unwrap_or_default()
        .trim()
}
