//! Profiles, a row a person. What is sealed in them is opened by the use cases.

use super::{
    entity::user_profiles::{ActiveModel, Column, Entity, Model},
    search,
};
use crate::domain::{Error, Result, Timestamp, id::UserId, profile::Visibility, secret::Sealed};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

/// A profile as stored.
pub struct StoredProfile {
    pub headline: Option<String>,
    pub skills: Vec<String>,
    pub visibility: Visibility,
    pub details: Sealed,
    pub version: i64,
    pub updated_at: Timestamp,
}

/// A person's profile; none as long as nothing was ever told.
pub async fn find_profile(db: &impl ConnectionTrait, id: UserId) -> Result<Option<StoredProfile>> {
    let row = Entity::find_by_id(id.0).one(db).await?;
    row.map(profile).transpose()
}

/// Puts the profile in the place of what is there; whoever writes holds the person's row.
pub async fn set_profile(
    db: &impl ConnectionTrait,
    id: UserId,
    profile: StoredProfile,
) -> Result<()> {
    let row = ActiveModel {
        user_id: Set(id.0),
        headline: Set(profile.headline),
        skills: Set(serde_json::json!(profile.skills).to_string()),
        visibility: Set(profile.visibility.as_str().to_owned()),
        details_sealed: Set(profile.details.0),
        version: Set(profile.version),
        updated_at: Set(profile.updated_at),
    };
    let replace = OnConflict::column(Column::UserId)
        .update_columns([
            Column::Headline,
            Column::Skills,
            Column::Visibility,
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

/// Deletes the profile, and what search knows of it.
pub async fn delete_profile(db: &impl ConnectionTrait, id: UserId) -> Result<()> {
    Entity::delete_by_id(id.0).exec(db).await?;
    search::write_document(db, id).await
}

fn profile(row: Model) -> Result<StoredProfile> {
    let unknown = |what: &str| Error::internal(anyhow::anyhow!("unknown {what} in user_profiles"));
    Ok(StoredProfile {
        headline: row.headline,
        skills: serde_json::from_str(&row.skills).map_err(|_| unknown("skills"))?,
        visibility: Visibility::parse(&row.visibility).ok_or_else(|| unknown("visibility"))?,
        details: Sealed(row.details_sealed),
        version: row.version,
        updated_at: row.updated_at,
    })
}
