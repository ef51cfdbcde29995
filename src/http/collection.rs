//! Collections on the wire: a page of items, the way to its neighbours in `_links`, `next_cursor` and `Link` (RFC 8288).

use super::{
    extract::{Check, Checked, Field},
    links::Links,
};
use crate::domain::{
    Result,
    error::Fault,
    page::{Cursor, Page, PageRequest},
};
use axum::{
    Json,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u16 = 20;
const MAX_LIMIT: u16 = 100;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct CollectionResponse<T> {
    #[schema(max_items = 1000)]
    items: Vec<T>,
    /// For `cursor`: where the next page begins; null on the last one.
    #[schema(max_length = 1000, example = "eyJvIjoiLWNyZWF0ZWRfYXQifQ")]
    next_cursor: Option<String>,
    /// How many there are in all; only with `include=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, example = 1)]
    total: Option<u64>,
    #[serde(rename = "_links")]
    links: Links,
}

/// A page, answered at the path and query that asked for it.
pub struct Collection<T> {
    links: Vec<(&'static str, Option<String>)>,
    body: CollectionResponse<T>,
}

impl<T> Collection<T> {
    /// The page as the answer to a request for `uri`.
    pub fn of(page: Page<T>, uri: &Uri) -> Self {
        let at = |cursor: &Cursor| beside(uri, Some(&cursor.encode()));
        let links = vec![
            ("first", Some(beside(uri, None))),
            ("prev", page.prev.as_ref().map(at)),
            ("next", page.next.as_ref().map(at)),
        ];
        let here = uri.path_and_query().map_or("/", |here| here.as_str());
        let all =
            links.iter().fold(
                Links::new().to("self", here),
                |all, (relation, href)| match href {
                    Some(href) => all.to(relation, href.clone()),
                    None => all,
                },
            );
        Self {
            links,
            body: CollectionResponse {
                next_cursor: page.next.as_ref().map(Cursor::encode),
                items: page.items,
                total: page.total,
                links: all,
            },
        }
    }

    /// With the place where later items will be (RFC 5989).
    pub fn monitored_at(mut self, uri: &Uri, monitor: Option<&Cursor>) -> Self {
        if let Some(monitor) = monitor {
            let href = beside(uri, Some(&monitor.encode()));
            self.body.links = self.body.links.to("monitor", href.clone());
            self.links.push(("monitor", Some(href)));
        }
        self
    }

    /// What is on the page.
    pub fn items(&self) -> &[T] {
        &self.body.items
    }

    /// The ways to the neighbours alone, for a form whose body has no place for them.
    pub fn link_header(&self) -> Option<HeaderValue> {
        let fields = self.links.iter().filter_map(|(relation, href)| {
            Some(format!("<{}>; rel=\"{relation}\"", href.as_ref()?))
        });
        HeaderValue::from_str(&fields.collect::<Vec<_>>().join(", ")).ok()
    }
}

impl<T: Serialize> IntoResponse for Collection<T> {
    fn into_response(self) -> Response {
        let fields = self.link_header();
        let mut response = Json(self.body).into_response();
        if let Some(fields) = fields {
            response.headers_mut().insert(header::LINK, fields);
        }
        response
    }
}

/// The same list at another cursor.
fn beside(uri: &Uri, cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "cursor" {
            query.append_pair(&name, &value);
        }
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let query = query.finish();
    let path = uri.path();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Which page, where nothing else can be asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items a page has: 1 to 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 20, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
}

impl PageQuery {
    /// Reads it for a list in this order.
    pub fn check(self, order: &str) -> Result<PageRequest> {
        let mut check = Check::new();
        let fields = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: Field::Absent,
        };
        let page = fields.check(&mut check, order);
        check.done(page)
    }
}

/// The parameters that every collection takes, as they came.
pub struct PageFields {
    pub limit: Field<String>,
    pub cursor: Field<String>,
    pub include: Field<String>,
}

impl PageFields {
    /// Reads them for a list in this order.
    pub fn check(self, check: &mut Check, order: &str) -> Checked<PageRequest> {
        let limit = check.optional_text("limit", self.limit, limit);
        let cursor = check.optional_text("cursor", self.cursor, |text| Cursor::parse(text, order));
        let include = check.optional_text("include", self.include, included);
        Checked::all((limit, cursor, include)).map(|(limit, cursor, include)| PageRequest {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            cursor,
            with_total: include.is_some(),
        })
    }
}

fn limit(text: &str) -> std::result::Result<u16, Fault> {
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or(Fault::new("format", "Ask for 1 to 100 items."))
}

fn included(text: &str) -> std::result::Result<(), Fault> {
    if text == "total" {
        return Ok(());
    }
    Err(Fault::new("unknown_value", "Only total can be included."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neighbours_keep_the_filters() {
        let uri: Uri = "/users?q=a%26b&cursor=old&limit=2".parse().unwrap();
        assert_eq!(
            beside(&uri, Some("new")),
            "/users?q=a%26b&limit=2&cursor=new"
        );
        assert_eq!(beside(&uri, None), "/users?q=a%26b&limit=2");
        assert_eq!(
            beside(&"/users?cursor=old".parse().unwrap(), None),
            "/users"
        );
    }

    #[test]
    fn only_1_to_100_items_can_be_asked_for() {
        for (text, read) in [("1", Some(1)), ("100", Some(100))] {
            assert_eq!(limit(text).ok(), read);
        }
        for text in ["0", "101", "-1", "1.0", "", "9223372036854775807", "+5x"] {
            assert_eq!(limit(text).unwrap_err().code, "format", "{text}");
        }
    }
}
