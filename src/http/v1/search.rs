//! Finding other people.

use super::card::CardResponse;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        country,
        error::Fault,
        page::PageRequest,
        search::{SearchQuery, Words, location, skills},
    },
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Check, Field, Query},
    },
    services::{Services, search::ORDER},
};
use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// Whom to look for; everything that is given must fit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Words in name, username, title, headline, location or skills; shorter ones than three letters (`go`, `c++`) only
    /// where a word or a skill begins. One of them has two characters, a letter or a digit among them.
    #[param(value_type = Option<String>, min_length = 2, max_length = 100, example = "ada")]
    #[serde(default)]
    q: Field<String>,
    /// Skills that the person has, separated by commas; each has a letter or a digit.
    #[param(value_type = Option<String>, min_length = 1, max_length = 510, example = "rust,sql")]
    #[serde(default)]
    skills: Field<String>,
    /// A part of the location, three letters or digits at least.
    #[param(value_type = Option<String>, min_length = 3, max_length = 100, example = "London")]
    #[serde(default)]
    location: Field<String>,
    /// ISO 3166-1 alpha-2, alpha-3 or English name.
    #[param(value_type = Option<String>, min_length = 2, max_length = 100, example = "GB")]
    #[serde(default)]
    country: Field<String>,
    /// Whether the person is open to work.
    #[param(value_type = Option<bool>)]
    #[serde(default)]
    open_to_work: Field<String>,
    /// 1 to 100; 20 by default.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
}

impl SearchParams {
    fn parse(self) -> Result<(SearchQuery, PageRequest)> {
        let mut check = Check::new();
        let words = check.optional_text("q", self.q, Words::parse);
        let skills = check.optional_text("skills", self.skills, skills);
        let location = check.optional_text("location", self.location, location);
        let country = check.optional_text("country", self.country, country::country);
        let open = check.optional_text("open_to_work", self.open_to_work, boolean);
        let fields = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: Field::Absent,
        };
        let page = fields.check(&mut check, ORDER);
        let (words, skills, location, country, open_to_work, page) =
            check.done((words, skills, location, country, open, page))?;
        let query = SearchQuery {
            words: words.unwrap_or_default(),
            skills: skills.unwrap_or_default(),
            location,
            country,
            open_to_work,
        };
        Ok((query, page))
    }
}

fn boolean(text: &str) -> Result<bool, Fault> {
    text.parse()
        .map_err(|_| Fault::new("format", "Send true or false."))
}

/// Search people
///
/// Visible, active people, the best first: those whose name is what was searched for, then those whose name begins with
/// it or has it, then the rest by name. At most the best of a thousand matches are told apart. For premium members and
/// staff.
#[utoipa::path(
    get, path = "/search", tag = "People", operation_id = "search_users", security(("bearerAuth" = [])),
    params(SearchParams),
    responses(
        (status = 200, description = "A page of people", body = CollectionResponse<CardResponse>),
        (status = 403, description = "`premium_required`"),
    )
)]
pub async fn search_users(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(params): Query<SearchParams>,
) -> Result<Collection<CardResponse>> {
    let (query, request) = params.parse()?;
    let page = services.search_users(&who, &query, &request).await?;
    Ok(Collection::of(page.map(CardResponse::from), &uri))
}
