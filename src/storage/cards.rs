//! People as others see them, read for a whole page at once.

use super::{
    Db,
    entity::{user_preferences, user_profiles, users},
};
use crate::domain::{Result, card::Card, id::UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;
use uuid::Uuid;

/// The cards of these people, in this order; who is gone is left out.
pub async fn list_cards(db: &impl Db, ids: &[UserId]) -> Result<Vec<Card>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let people = users::Entity::find().filter(users::Column::Id.is_in(ids.clone()));
    let mut people: HashMap<Uuid, users::Model> = people
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let profiles =
        user_profiles::Entity::find().filter(user_profiles::Column::UserId.is_in(ids.clone()));
    let mut profiles: HashMap<Uuid, user_profiles::Model> = profiles
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.user_id, row))
        .collect();
    let open = user_preferences::Entity::find()
        .filter(user_preferences::Column::UserId.is_in(ids.clone()))
        .filter(user_preferences::Column::OpenToWork.eq(true));
    let open: Vec<Uuid> = open
        .all(db)
        .await?
        .into_iter()
        .map(|row| row.user_id)
        .collect();
    Ok(ids
        .into_iter()
        .filter_map(|id| {
            Some(card(
                people.remove(&id)?,
                profiles.remove(&id),
                open.contains(&id),
            ))
        })
        .collect())
}

fn card(user: users::Model, profile: Option<user_profiles::Model>, open_to_work: bool) -> Card {
    let (headline, skills) = profile.map_or((None, None), |profile| {
        (profile.headline, Some(profile.skills))
    });
    Card {
        id: UserId(user.id),
        username: user.username,
        full_name: user.full_name,
        country: user.country,
        state_province: user.state_province,
        current_title: user.current_title,
        location: user.location,
        headline,
        skills: skills
            .and_then(|skills| serde_json::from_str(&skills).ok())
            .unwrap_or_default(),
        open_to_work,
        has_avatar: user.avatar_tag.is_some(),
    }
}
