//! Table `audit_log`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTimeUtc,
    pub action: String,
    pub outcome: String,
    pub actor_type: String,
    pub actor_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub key_owner: Option<Uuid>,
    pub ip_sealed: Option<Vec<u8>>,
    pub ip_index: Option<Vec<u8>>,
    pub user_agent_sealed: Option<Vec<u8>>,
    pub request_id: String,
    pub details: String,
    /// Place in the chain and hash; none until sealed.
    pub sequence: Option<i64>,
    pub hash: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
