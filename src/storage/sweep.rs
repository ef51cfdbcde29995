//! Forgets what is past its time, a bounded batch at once so that no lock is held for long.

use super::{Store, lead};
use crate::domain::{Result, Timestamp};
use sea_orm::{ConnectionTrait, Statement};

/// `sweep` in ASCII: the key of the lock that the sweeping node takes.
const LOCK: i64 = 0x73_77_65_65_70;

/// What is swept: `$1` is the time before which rows must have ended, `$2` the size of a batch.
const RULES: [&str; 10] = [
    "DELETE FROM user_sessions WHERE id IN (SELECT id FROM user_sessions WHERE expires_at < $1 OR ended_at < $1 LIMIT $2)",
    "DELETE FROM tokens WHERE jti IN (SELECT jti FROM tokens WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM email_verifications WHERE id IN (SELECT id FROM email_verifications WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM email_changes WHERE id IN (SELECT id FROM email_changes WHERE expires_at < $1 \
     AND (undo_expires_at IS NULL OR undo_expires_at < $1) LIMIT $2)",
    "DELETE FROM outbox_mails WHERE id IN (SELECT id FROM outbox_mails WHERE status <> 'pending' AND created_at < $1 LIMIT $2)",
    "DELETE FROM mail_requests WHERE id IN (SELECT id FROM mail_requests WHERE created_at < $1 LIMIT $2)",
    "DELETE FROM failed_logins WHERE id IN (SELECT id FROM failed_logins WHERE created_at < $1 LIMIT $2)",
    "DELETE FROM refresh_tokens WHERE id IN (SELECT id FROM refresh_tokens WHERE used_at IS NOT NULL AND expires_at < $1 LIMIT $2)",
];

/// Deletes up to `batch` rows of each kind that ended before `before`, and tells how many went; leaves a kind to the node
/// that is at it.
pub async fn sweep(store: &Store, before: Timestamp, batch: i64) -> Result<u64> {
    let mut gone = 0;
    for rule in RULES {
        let tx = store.begin().await?;
        if !lead::try_lead(&tx, LOCK).await? {
            continue;
        }
        let values = [before.into(), batch.into()];
        let delete = Statement::from_sql_and_values(tx.get_database_backend(), rule, values);
        // What has ended by its own time was no longer believed.
        gone += tx.unread().execute_raw(delete).await?.rows_affected();
        Store::commit(tx).await?;
    }
    Ok(gone)
}
