//! Table `credentials`: a person's password hash and its wrong guesses.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    pub password_hash: String,
    pub changed_at: DateTimeUtc,
    pub failures: i32,
    pub locked_at: Option<DateTimeUtc>,
    pub reset_required_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
