//! Table `users`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email_sealed: Vec<u8>,
    pub email_index: Vec<u8>,
    pub username: Option<String>,
    pub username_key: Option<String>,
    pub full_name: Option<String>,
    pub country: Option<String>,
    pub state_province: Option<String>,
    pub current_title: Option<String>,
    pub location: Option<String>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
    pub status: String,
    pub status_before: Option<String>,
    pub verified_at: Option<DateTimeUtc>,
    pub tier: String,
    pub tier_since: Option<DateTimeUtc>,
    pub tier_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub last_login_at: Option<DateTimeUtc>,
    pub login_count: i64,
    pub version: i64,
    pub event_sequence: i64,
    pub avatar_tag: Option<String>,
    pub profile_views: i64,
    pub wished_username: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
