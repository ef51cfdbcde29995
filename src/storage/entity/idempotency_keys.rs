//! Table `idempotency_keys`: requests that may come again, and their first answers.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub request: Vec<u8>,
    pub place: Vec<u8>,
    pub run_id: Uuid,
    pub leased_until: DateTimeUtc,
    pub took_effect: bool,
    pub answer_sealed: Option<Vec<u8>>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
