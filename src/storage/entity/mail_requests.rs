//! Table `mail_requests`: mails that were asked for by address and that nobody has looked into yet.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub email_sealed: Vec<u8>,
    pub form_sealed: Option<Vec<u8>>,
    pub origin_sealed: Vec<u8>,
    pub request_id: String,
    pub created_at: DateTimeUtc,
    pub taken_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
