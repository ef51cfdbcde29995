//! Preferences, a row a person. What is sealed in them is opened by the use cases.

use super::{
    entity::user_preferences::{ActiveModel, Column, Entity},
    search,
};
use crate::domain::{Result, Timestamp, id::UserId, secret::Sealed};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

/// Preferences as stored.
pub struct StoredPreferences {
    pub open_to_work: bool,
    pub email_notifications: bool,
    pub marketing_emails: bool,
    pub details: Sealed,
    pub version: i64,
    pub updated_at: Timestamp,
}

/// A person's preferences; none as long as nothing was ever told.
pub async fn find_preferences(
    db: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<StoredPreferences>> {
    let row = Entity::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| StoredPreferences {
        open_to_work: row.open_to_work,
        email_notifications: row.email_notifications,
        marketing_emails: row.marketing_emails,
        details: Sealed(row.details_sealed),
        version: row.version,
        updated_at: row.updated_at,
    }))
}

/// Puts the preferences in the place of what is there; whoever writes holds the person's row.
pub async fn set_preferences(
    db: &impl ConnectionTrait,
    id: UserId,
    preferences: StoredPreferences,
) -> Result<()> {
    let row = ActiveModel {
        user_id: Set(id.0),
        open_to_work: Set(preferences.open_to_work),
        email_notifications: Set(preferences.email_notifications),
        marketing_emails: Set(preferences.marketing_emails),
        details_sealed: Set(preferences.details.0),
        version: Set(preferences.version),
        updated_at: Set(preferences.updated_at),
    };
    let replace = OnConflict::column(Column::UserId)
        .update_columns([
            Column::OpenToWork,
            Column::EmailNotifications,
            Column::MarketingEmails,
            Column::DetailsSealed,
            Column::Version,
            Column::UpdatedAt,
        ])
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(db)
        .await?;
    search::write_document(db, id).await
}

/// Deletes the preferences, and what search knows of them.
pub async fn delete_preferences(db: &impl ConnectionTrait, id: UserId) -> Result<()> {
    Entity::delete_by_id(id.0).exec(db).await?;
    search::write_document(db, id).await
}
