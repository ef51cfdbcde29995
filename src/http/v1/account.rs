//! Changing one's own account.

use super::user::UserResponse;
use crate::{
    domain::{Result, actor::SignedIn, country, text, user::UserChanges, username::Username},
    http::{
        extract::{Caller, Check, Checked, Field, IfMatch, Json},
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// A change of an account: a field that is left out stays, `null` empties it.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "full_name": "Ada Lovelace", "location": null }))]
pub struct UpdateUserRequest {
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*[._-]?$")]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    full_name: Field<String>,
    /// ISO 3166-1 alpha-2, alpha-3 or English name.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 100, example = "NL")]
    #[serde(default)]
    country: Field<String>,
    /// Free text, but not a subdivision of another country.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Utrecht")]
    #[serde(default)]
    state_province: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Analyst")]
    #[serde(default)]
    current_title: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Utrecht")]
    #[serde(default)]
    location: Field<String>,
    /// BCP 47.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "nl-NL")]
    #[serde(default)]
    locale: Field<String>,
    /// IANA time zone.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50, example = "Europe/Amsterdam")]
    #[serde(default)]
    timezone: Field<String>,
}

impl UpdateUserRequest {
    /// The lawful changes, or all broken rules. Whether country and state agree is seen when they are applied.
    pub fn parse(self) -> Result<UserChanges> {
        let mut check = Check::new();
        let changes = self.check(&mut check);
        check.done(changes)
    }

    /// The same as a part of a larger body.
    pub fn check(self, check: &mut Check) -> Checked<UserChanges> {
        let username = check.text_change("username", self.username, Username::parse);
        let full_name = check.text_change("full_name", self.full_name, line);
        let country = check.text_change("country", self.country, country::country);
        let state = check.text_change("state_province", self.state_province, |state| {
            country::state_province(None, state)
        });
        let title = check.text_change("current_title", self.current_title, line);
        let location = check.text_change("location", self.location, line);
        let locale = check.text_change("locale", self.locale, text::locale);
        let timezone = check.text_change("timezone", self.timezone, text::timezone);
        let names = Checked::all((username, full_name));
        let places = Checked::all((country, state, title, location));
        Checked::all((names, places, locale, timezone)).map(|(names, places, locale, timezone)| {
            let (username, full_name) = names;
            let (country, state_province, current_title, location) = places;
            UserChanges {
                username,
                full_name,
                country,
                state_province,
                current_title,
                location,
                locale,
                timezone,
            }
        })
    }
}

fn line(text: &str) -> Result<String, crate::domain::error::Fault> {
    text::line(100, text)
}

/// Change one's account
///
/// A field that is left out stays, `null` empties it. `If-Match` with the `ETag` that was read guards against
/// overwriting another change.
#[utoipa::path(
    patch, path = "/me", tag = "Account", request_body = UpdateUserRequest, operation_id = "update_me",
    security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 409, description = "`username_taken`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_me(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
    Json(body): Json<UpdateUserRequest>,
) -> Result<Versioned<UserResponse>> {
    let changes = body.parse()?;
    let user = services
        .update_me(&who, changes, &expected, &client)
        .await?;
    Ok(Versioned(
        user.version,
        UserResponse::own(user, services.now()),
    ))
}

/// Change one's account
///
/// The same as `PATCH`: the requirement's example sends some of the fields only.
#[utoipa::path(
    put, path = "/me", tag = "Account", request_body = UpdateUserRequest, operation_id = "update_me_put",
    security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 409, description = "`username_taken`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_me_put(
    state: State<Services>,
    caller: Caller,
    who: SignedIn,
    expected: IfMatch,
    body: Json<UpdateUserRequest>,
) -> Result<Versioned<UserResponse>> {
    update_me(state, caller, who, expected, body).await
}
