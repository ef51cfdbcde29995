//! Mailed links for verification, reset and invitation, by the digest of their secret. The tables have one shape and one set
//! of queries; that a secret of one never opens the other is because each is looked up only in its own table.

use super::entity::{email_verifications, invitations as invitation_rows, password_resets};
use crate::domain::{
    Result, Timestamp,
    error::Spent,
    id::{LinkId, UserId},
    secret::Digest,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};

/// A link to be kept.
pub struct NewLink {
    pub id: LinkId,
    pub user_id: UserId,
    pub digest: Digest,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A link as stored.
#[derive(Debug, Clone)]
pub struct Link {
    pub id: LinkId,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// When a newer mail took its place.
    pub voided_at: Option<Timestamp>,
}

impl Link {
    /// Refuses a link that is past its time, void or used.
    pub fn must_be_open(&self, now: Timestamp) -> std::result::Result<(), Spent> {
        if self.used_at.is_some() {
            return Err(Spent::Used);
        }
        self.must_be_in_time(now)
    }

    /// Refuses a link that is past its time or void, used or not.
    pub fn must_be_in_time(&self, now: Timestamp) -> std::result::Result<(), Spent> {
        if self.voided_at.is_some() || self.expires_at <= now {
            return Err(Spent::Expired);
        }
        Ok(())
    }
}

macro_rules! link_table {
    ($(#[$doc:meta])* $module:ident of $table:ident) => {
        $(#[$doc])*
        pub mod $module {
            use super::*;

            /// Keeps a new link; every earlier open one of the person becomes void.
            pub async fn replace_links(db: &impl ConnectionTrait, link: NewLink) -> Result<()> {
                void_links(db, link.user_id, link.created_at).await?;
                let row = $table::ActiveModel {
                    id: Set(link.id.0),
                    user_id: Set(link.user_id.0),
                    digest: Set(link.digest.0.to_vec()),
                    created_at: Set(link.created_at),
                    expires_at: Set(link.expires_at),
                    used_at: Set(None),
                    voided_at: Set(None),
                };
                $table::Entity::insert(row).exec_without_returning(db).await?;
                Ok(())
            }

            /// Makes every open link of a person void.
            pub async fn void_links(db: &impl ConnectionTrait, user: UserId, now: Timestamp) -> Result<()> {
                $table::Entity::update_many()
                    .col_expr($table::Column::VoidedAt, Expr::value(now))
                    .filter($table::Column::UserId.eq(user.0))
                    .filter($table::Column::UsedAt.is_null())
                    .filter($table::Column::VoidedAt.is_null())
                    .exec(db)
                    .await?;
                Ok(())
            }

            /// Whose link it is. The use case locks that person before it reads the link, so that it is used once.
            pub async fn find_owner(db: &impl ConnectionTrait, digest: Digest) -> Result<Option<UserId>> {
                let found = $table::Entity::find()
                    .select_only()
                    .column($table::Column::UserId)
                    .filter($table::Column::Digest.eq(digest.0.to_vec()));
                Ok(found.into_tuple::<uuid::Uuid>().one(db).await?.map(UserId))
            }

            /// A link by digest.
            pub async fn find_link(db: &impl ConnectionTrait, digest: Digest) -> Result<Option<Link>> {
                let found = $table::Entity::find().filter($table::Column::Digest.eq(digest.0.to_vec()));
                Ok(found.one(db).await?.map(|row| Link {
                    id: LinkId(row.id),
                    expires_at: row.expires_at,
                    used_at: row.used_at,
                    voided_at: row.voided_at,
                }))
            }

            /// Marks a link as used.
            pub async fn mark_used(db: &impl ConnectionTrait, id: LinkId, now: Timestamp) -> Result<()> {
                $table::Entity::update_many()
                    .col_expr($table::Column::UsedAt, Expr::value(now))
                    .filter($table::Column::Id.eq(id.0))
                    .exec(db)
                    .await?;
                Ok(())
            }
        }
    };
}

link_table!(
    /// Links that confirm a new account's address.
    verifications of email_verifications
);
link_table!(
    /// Links that let a person choose a new password.
    resets of password_resets
);
link_table!(
    /// Links that let an invited person choose the first password.
    invitations of invitation_rows
);

/// Makes the used verification links of a person void, which could be shown again until their end.
pub async fn void_used_verifications(
    db: &impl ConnectionTrait,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    use email_verifications::Column as C;
    email_verifications::Entity::update_many()
        .col_expr(C::VoidedAt, Expr::value(now))
        .filter(C::UserId.eq(user.0))
        .filter(C::UsedAt.is_not_null())
        .filter(C::VoidedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}
