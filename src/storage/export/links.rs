//! Mailed links, without their secrets, which are not known here either; and changes of the address.

use super::{Record, Section, section};
use crate::{
    domain::{Result, id::UserId},
    storage::entity::{email_changes, email_verifications, invitations, password_resets},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// A section of a table of links.
macro_rules! of_links {
    ($db:ident, $id:ident, $table:ident, $name:literal) => {{
        use $table::{Column as C, Entity};
        let rows = Entity::find().filter(C::UserId.eq($id.0));
        section($db, $name, (rows, C::CreatedAt), |row| {
            let plain = json!({
                "created_at": row.created_at, "expires_at": row.expires_at, "used_at": row.used_at,
                "voided_at": row.voided_at,
            });
            Record::open($id, plain)
        })
        .await?
    }};
}

pub(super) async fn sections(db: &impl ConnectionTrait, id: UserId) -> Result<Vec<Section>> {
    Ok(vec![
        of_links!(db, id, email_verifications, "email_verifications"),
        of_links!(db, id, password_resets, "password_resets"),
        of_links!(db, id, invitations, "invitations"),
        changes_of_address(db, id).await?,
    ])
}

async fn changes_of_address(db: &impl ConnectionTrait, id: UserId) -> Result<Section> {
    use email_changes::{Column as C, Entity};
    let rows = Entity::find().filter(C::UserId.eq(id.0));
    section(db, "email_changes", (rows, C::CreatedAt), |row| {
        let plain = json!({
            "created_at": row.created_at, "expires_at": row.expires_at, "used_at": row.used_at,
            "voided_at": row.voided_at, "undo_expires_at": row.undo_expires_at, "undone_at": row.undone_at,
        });
        Record::open(id, plain)
            .with("email_changes.new_email", Some(row.new_email_sealed))
            .with("email_changes.old_email", Some(row.old_email_sealed))
    })
    .await
}
