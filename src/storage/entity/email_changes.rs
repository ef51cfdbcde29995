//! Table `email_changes`: a change of address, waiting, done or undone.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub new_email_sealed: Vec<u8>,
    pub new_email_index: Vec<u8>,
    pub old_email_sealed: Vec<u8>,
    pub old_email_index: Vec<u8>,
    pub digest: Vec<u8>,
    pub undo_digest: Option<Vec<u8>>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    pub voided_at: Option<DateTimeUtc>,
    pub undo_expires_at: Option<DateTimeUtc>,
    pub undone_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
