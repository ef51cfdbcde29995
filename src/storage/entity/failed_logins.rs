//! Table `failed_logins`: refused sign-ins that are not yet on record.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "failed_logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub user_id: Uuid,
    pub device_index: Option<Vec<u8>>,
    pub origin_sealed: Vec<u8>,
    pub request_id: String,
    pub created_at: DateTimeUtc,
    pub taken_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
