//! People in pages, for staff.

use super::user::UserResponse;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        country,
        email::EmailAddress,
        error::Fault,
        page::PageRequest,
        permission::{Permission, Role},
        search::Words,
        user::{Tier, UserStatus},
        user_list::{Span, UserFilters, UserOrder, time, yes_or_no},
    },
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Caller, Check, Checked, Field, Query},
    },
    services::Services,
};
use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// What narrows and sorts the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListUsersQuery {
    /// Words in name, username, title, headline, location or skills; shorter ones than three letters (`go`, `c++`) only
    /// where a word or a skill begins. One of them has two characters, a letter or a digit among them.
    #[param(value_type = Option<String>, min_length = 2, max_length = 100, example = "lovelace")]
    #[serde(default)]
    q: Field<String>,
    /// The whole address.
    #[param(value_type = Option<String>, min_length = 3, max_length = 254, example = "ada@example.com")]
    #[serde(default)]
    email: Field<String>,
    /// `user`, `manager` or `admin`.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^(user|manager|admin)$", example = "manager")]
    #[serde(default)]
    role: Field<String>,
    /// `pending`, `active`, `deactivated` or `terminated`.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^(pending|active|deactivated|terminated)$", example = "active")]
    #[serde(default)]
    status: Field<String>,
    /// The tier in force: `basic` or `premium`.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^(basic|premium)$", example = "premium")]
    #[serde(default)]
    tier: Field<String>,
    /// ISO 3166-1 alpha-2, alpha-3 or English name.
    #[param(value_type = Option<String>, max_length = 100, example = "NL")]
    #[serde(default)]
    country: Field<String>,
    /// Whether the address is confirmed.
    #[param(value_type = Option<bool>, example = true)]
    #[serde(default)]
    verified: Field<String>,
    /// RFC 3339, or a day for its beginning in UTC.
    #[param(value_type = Option<String>, max_length = 40, example = "2026-01-01")]
    #[serde(default)]
    created_from: Field<String>,
    /// The first moment that no longer counts.
    #[param(value_type = Option<String>, max_length = 40, example = "2027-01-01")]
    #[serde(default)]
    created_to: Field<String>,
    /// RFC 3339, or a day for its beginning in UTC.
    #[param(value_type = Option<String>, max_length = 40, example = "2026-01-01")]
    #[serde(default)]
    last_login_from: Field<String>,
    /// The first moment that no longer counts.
    #[param(value_type = Option<String>, max_length = 40, example = "2027-01-01")]
    #[serde(default)]
    last_login_to: Field<String>,
    /// `created_at`, `updated_at`, `last_login_at`, `full_name` or `username`; with `-` in front descending. Who has no
    /// such value comes last. Newest first by default.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^-?(created_at|updated_at|last_login_at|full_name|username)$", example = "-created_at")]
    #[serde(default)]
    sort: Field<String>,
    /// 1 to 100; 20 by default.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of another page of the same order.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
    /// `total` counts all that match.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^total$", example = "total")]
    #[serde(default)]
    include: Field<String>,
}

impl ListUsersQuery {
    fn parse(self) -> Result<(UserFilters, UserOrder, PageRequest)> {
        let mut check = Check::new();
        let q = check.optional_text("q", self.q, Words::parse);
        let email = check.optional_text("email", self.email, EmailAddress::parse);
        let role = check.optional_text("role", self.role, |name| known(Role::parse(name)));
        let status =
            check.optional_text("status", self.status, |name| known(UserStatus::parse(name)));
        let tier = check.optional_text("tier", self.tier, |name| known(Tier::parse(name)));
        let country = check.optional_text("country", self.country, country::country);
        let verified = check.optional_text("verified", self.verified, yes_or_no);
        let created_from = check.optional_text("created_from", self.created_from, time);
        let created_to = check.optional_text("created_to", self.created_to, time);
        let login_from = check.optional_text("last_login_from", self.last_login_from, time);
        let login_to = check.optional_text("last_login_to", self.last_login_to, time);
        let order = check.optional_text("sort", self.sort, UserOrder::parse);
        let sorted = order.value().copied().flatten().unwrap_or_default();
        let page = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: self.include,
        };
        let page = page.check(&mut check, &sorted.name());
        let cursor = page.value().and_then(|page| page.cursor.as_ref());
        if let Some(Err(fault)) = cursor.map(|cursor| sorted.value_of(cursor)) {
            check.report([fault.of("cursor")]);
        }
        let spans = Checked::all((created_from, created_to, login_from, login_to));
        let fields = (
            q, email, role, status, tier, country, verified, spans, order, page,
        );
        let (q, email, role, status, tier, country, verified, spans, _, page) =
            check.done(fields)?;
        let (created_from, created_to, login_from, login_to) = spans;
        let filters = UserFilters {
            q,
            email,
            role,
            status,
            tier,
            country,
            verified,
            created: Span {
                from: created_from,
                to: created_to,
            },
            last_login: Span {
                from: login_from,
                to: login_to,
            },
        };
        Ok((filters, sorted, page))
    }
}

fn known<T>(read: Option<T>) -> Result<T, Fault> {
    read.ok_or(Fault::new("unknown_value", "There is no such value."))
}

/// List people
///
/// All people by pages, narrowed by any of the filters at once. For staff.
#[utoipa::path(
    get, path = "/", tag = "Users", params(ListUsersQuery), operation_id = "list_users", security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "A page of people", body = CollectionResponse<UserResponse>),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn list_users(
    State(services): State<Services>,
    Caller(client): Caller,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<ListUsersQuery>,
) -> Result<Collection<UserResponse>> {
    who.must(Permission::ReadUsers)?;
    let (filters, order, page) = query.parse()?;
    let people = services
        .list_users((&who).into(), &filters, (order, &page), &client)
        .await?;
    let now = services.now();
    let shown = people.map(|user| UserResponse::seen_by(&who, user, now));
    Ok(Collection::of(shown, &uri))
}
