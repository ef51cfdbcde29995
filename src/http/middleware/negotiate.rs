//! Content negotiation (RFC 9110, section 12.5.1): what an operation offers against what the client accepts.

use crate::http::problem::Problem;
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What operations of the API offer.
const JSON: [&str; 2] = ["application/json", "application/problem+json"];

/// Operations that offer something else, by method and end of the route.
const OTHERS: [(Method, &str, &[&str]); 2] = [
    (Method::GET, "/avatar", &["image/png"]),
    (
        Method::GET,
        "/me/export",
        &[
            "application/json",
            "application/problem+json",
            "application/zip",
        ],
    ),
];

/// Refuses with 406 who does not take what the operation offers, which is JSON but for a few; a `route_layer`.
pub async fn json(request: Request, next: Next) -> Response {
    if best(request.headers(), offers(&request)).is_none() {
        return not_acceptable("This operation answers in none of the media types of Accept.");
    }
    next.run(request).await
}

/// The answer to who takes nothing of what is offered.
pub fn not_acceptable(detail: &'static str) -> Response {
    Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail).into_response()
}

fn offers(request: &Request) -> &'static [&'static str] {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let other = OTHERS
        .iter()
        .find(|(method, end, _)| request.method() == method && route.ends_with(end));
    other.map_or(&JSON, |(_, _, offers)| offers)
}

/// The offer that the client likes best, the first of equals; `None` if it takes none of them.
pub fn best<'a>(headers: &HeaderMap, offers: &[&'a str]) -> Option<&'a str> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let mut best = None;
    for offer in offers {
        let liking = liking(&ranges, offer);
        if liking > best.map_or(0, |(_, most)| most) {
            best = Some((*offer, liking));
        }
    }
    best.map(|(offer, _)| offer)
}

/// A media range with its weight in thousandths.
struct Range {
    kind: String,
    subkind: String,
    weight: u16,
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let values = headers.get_all(header::ACCEPT).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .filter_map(range)
        .collect()
}

fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subkind) = parts.next()?.split_once('/')?;
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("q")
            .then(|| weight(value.trim()))
    });
    Some(Range {
        kind: kind.to_ascii_lowercase(),
        subkind: subkind.to_ascii_lowercase(),
        weight: weight.unwrap_or(1000),
    })
}

/// Thousandths of a weight such as `0.8`; what is no weight counts as 1.
fn weight(text: &str) -> u16 {
    let mut digits = text.bytes();
    match (digits.next(), digits.next()) {
        (Some(b'0'), None | Some(b'.')) => {
            let fraction = (0..3).map(|_| match digits.next() {
                Some(digit @ b'0'..=b'9') => u16::from(digit - b'0'),
                _ => 0,
            });
            fraction.fold(0, |sum, digit| sum * 10 + digit)
        }
        _ => 1000,
    }
}

/// The weight of the most specific range that the offer is in.
fn liking(ranges: &[Range], offer: &str) -> u16 {
    let (kind, subkind) = offer.split_once('/').unwrap_or((offer, ""));
    let precision = |range: &Range| match (range.kind.as_str(), range.subkind.as_str()) {
        ("*", "*") => Some(0),
        (k, "*") if k == kind => Some(1),
        (k, s) if k == kind && s == subkind => Some(2),
        _ => None,
    };
    let fitting = ranges
        .iter()
        .filter_map(|range| Some((precision(range)?, range.weight)));
    fitting.max().map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn chosen(accept: &str) -> Option<&'static str> {
        let value = HeaderValue::from_bytes(accept.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(header::ACCEPT, value)]);
        best(&headers, &["application/json", "text/html"])
    }

    #[test]
    fn the_best_liked_offer_wins_and_the_first_of_equals() {
        assert_eq!(best(&HeaderMap::new(), &["a/b"]), Some("a/b"));
        assert_eq!(chosen("*/*"), Some("application/json"));
        assert_eq!(
            chosen("text/html,application/xhtml+xml,*/*;q=0.8"),
            Some("text/html")
        );
        assert_eq!(
            chosen("application/*;q=0.5, text/*;q=0.25"),
            Some("application/json")
        );
        assert_eq!(chosen("TEXT/HTML"), Some("text/html"));
    }

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(chosen("*/*, application/json;q=0"), Some("text/html"));
        assert_eq!(chosen("application/json;q=0"), None);
        assert_eq!(chosen("text/plain"), None);
        assert_eq!(chosen("*/*;q=0.0"), None);
    }

    #[test]
    fn a_header_that_is_no_list_of_types_is_ignored() {
        assert_eq!(chosen("rubbish"), Some("application/json"));
        assert_eq!(chosen(""), Some("application/json"));
    }

    proptest! {
        #[test]
        fn any_accept_is_read_without_a_panic(accept in "[ -~]{0,60}") {
            let _ = chosen(&accept);
        }
    }
}
