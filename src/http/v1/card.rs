//! Other people on the wire.

use super::user::avatar_path;
use crate::{
    domain::{card::Card, id::UserId},
    http::links::Links,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A person as others see them.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub struct CardResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: UserId,
    #[schema(max_length = 32, example = "ada")]
    username: Option<String>,
    #[schema(max_length = 100, example = "Ada Lovelace")]
    full_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(max_length = 2, example = "GB")]
    country: Option<String>,
    #[schema(max_length = 100, example = "England")]
    state_province: Option<String>,
    #[schema(max_length = 100, example = "Analyst")]
    current_title: Option<String>,
    #[schema(max_length = 100, example = "London")]
    location: Option<String>,
    #[schema(
        max_length = 150,
        example = "Writes programs for engines that are not built yet"
    )]
    headline: Option<String>,
    #[schema(max_items = 50, example = json!(["Rust"]))]
    skills: Vec<String>,
    open_to_work: bool,
    #[schema(max_length = 200)]
    avatar_url: Option<String>,
    #[serde(rename = "_links")]
    links: Links,
}

impl From<Card> for CardResponse {
    fn from(card: Card) -> Self {
        let there = format!("/api/v1/users/{}", card.id);
        let avatar_url = card.has_avatar.then(|| avatar_path(card.id));
        let links = Links::new()
            .to("self", there.clone())
            .to("profile", format!("{there}/profile"))
            .may_lead(
                card.open_to_work,
                "preferences",
                format!("{there}/preferences"),
            )
            .may_lead(card.has_avatar, "avatar", avatar_path(card.id));
        Self {
            id: card.id,
            username: card.username,
            full_name: card.full_name,
            country: card.country,
            state_province: card.state_province,
            current_title: card.current_title,
            location: card.location,
            headline: card.headline,
            skills: card.skills,
            open_to_work: card.open_to_work,
            avatar_url,
            links,
        }
    }
}
