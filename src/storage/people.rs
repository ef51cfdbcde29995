//! What decides whether one person may see another.

use super::entity::user_profiles;
use crate::domain::{Result, id::UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

/// Whether a person has hidden the profile from other members; who has none has not.
pub async fn is_private(db: &impl ConnectionTrait, id: UserId) -> Result<bool> {
    let hidden = user_profiles::Entity::find_by_id(id.0)
        .filter(user_profiles::Column::Visibility.eq("private"));
    Ok(hidden.count(db).await? > 0)
}
