//! Other people by id: to staff everything, to premium members what each lets be seen.

use super::{
    card::CardResponse, preferences::PreferencesResponse, profile::ProfileResponse,
    user::UserResponse,
};
use crate::{
    domain::{Result, actor::SignedIn, id::UserId, permission::Permission},
    http::{
        extract::{Caller, Path},
        links::Links,
        versioned::Versioned,
    },
    services::{Services, people::SeenUser},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// An account for its owner and for staff, a card for premium members.
#[derive(Serialize, ToSchema)]
#[schema(as = SeenUser)]
#[serde(untagged)]
pub enum SeenUserResponse {
    Whole(Box<UserResponse>),
    Card(Box<CardResponse>),
}

/// See a person
///
/// Staff, and everybody for their own id, get the account; premium members get what others see of people. Who is hidden
/// or inactive is as unknown to premium members as one who never was.
#[utoipa::path(
    get, path = "/{id}", tag = "People", operation_id = "get_user", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 200, description = "The person", body = SeenUserResponse),
        (status = 403, description = "`premium_required`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn get_user(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Response> {
    Ok(match services.get_user(&who, id, &client).await? {
        SeenUser::Whole(user) => {
            let version = user.version;
            let user = UserResponse::seen_by(&who, *user, services.now());
            Versioned(version, SeenUserResponse::Whole(Box::new(user))).into_response()
        }
        SeenUser::Card(card) => {
            Json(SeenUserResponse::Card(Box::new(CardResponse::from(*card)))).into_response()
        }
    })
}

/// See a person's profile
///
/// Premium members see it as far as it is visible, and never the telephone number.
#[utoipa::path(
    get, path = "/{id}/profile", tag = "People", operation_id = "get_user_profile", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 200, description = "The profile", body = ProfileResponse, headers(("ETag" = String, description = "The profile's version"))),
        (status = 403, description = "`premium_required`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn get_user_profile(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Versioned<ProfileResponse>> {
    let profile = services.get_user_profile(&who, id, &client).await?;
    let version = profile.version;
    let shown = if who.user.id == id {
        ProfileResponse::own(profile)
    } else {
        let here = format!("/api/v1/users/{id}/profile");
        ProfileResponse::with_links(profile, Links::new().to("self", here))
    };
    Ok(Versioned(version, shown))
}

/// See a person's preferences
///
/// Premium members see what people who are open to work look for, without their notification settings and `extra`.
#[utoipa::path(
    get, path = "/{id}/preferences", tag = "People", operation_id = "get_user_preferences",
    security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 200, description = "The preferences", body = PreferencesResponse, headers(("ETag" = String, description = "Their version"))),
        (status = 403, description = "`premium_required`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn get_user_preferences(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Versioned<PreferencesResponse>> {
    let preferences = services.get_user_preferences(&who, id, &client).await?;
    let version = preferences.version;
    let here = format!("/api/v1/users/{id}/preferences");
    let links = Links::new().to("self", here);
    let shown = if who.user.id == id {
        PreferencesResponse::own(preferences)
    } else if who.may(Permission::ReadUsers) {
        PreferencesResponse::with_links(preferences, links)
    } else {
        PreferencesResponse::for_members(preferences, links)
    };
    Ok(Versioned(version, shown))
}
