//! Table `outbox_events`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub sequence: i64,
    pub r#type: String,
    pub occurred_at: DateTimeUtc,
    pub request_id: String,
    pub data_sealed: Vec<u8>,
    pub published_at: Option<DateTimeUtc>,
    pub position: Option<i64>,
    pub trace_parent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
