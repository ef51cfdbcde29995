//! Table `audit_seals`: the signed checkpoints of the audit trail.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub kind: String,
    pub hash: Vec<u8>,
    pub count: i64,
    pub at: DateTimeUtc,
    pub key_id: String,
    pub signature: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
