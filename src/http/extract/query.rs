//! Query parameters: all of them text (`Field<String>`), each at most once. A name that comes twice is refused, because
//! servers and proxies disagree on which of the two counts.

use super::field;
use crate::domain::error::Error;
use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// The query, read into a struct of `Field<String>`s.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        read(&parts.uri).map(Self)
    }
}

/// What every list might be asked for; one that cannot do it must say so.
const OF_LISTS: [&str; 2] = ["include", "sort"];

/// How other services name pages; who asks so would read the first one over and over.
const FOREIGN: [&str; 3] = ["offset", "page", "page_size"];

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Error> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if let Some(foreign) = FOREIGN.into_iter().find(|foreign| *foreign == name) {
            let hint = "Lists are read by limit and cursor.";
            return Err(Error::invalid(foreign, "format", hint));
        }
        let value = Value::String(value.into_owned());
        if fields.insert(name.into_owned(), value).is_some() {
            return Err(Error::invalid(
                "query",
                "format",
                "A parameter occurs more than once.",
            ));
        }
    }
    let known = field::names::<T>();
    let cannot = |name: &&str| fields.contains_key(*name) && !known.contains(name);
    if known.contains(&"cursor")
        && let Some(name) = OF_LISTS.into_iter().find(cannot)
    {
        let message = "This list cannot do that.";
        return Err(Error::invalid(name, "unknown_value", message));
    }
    field::read(fields)
        .map_err(|_| Error::invalid("query", "format", "The query has the wrong form."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::extract::Field;

    #[derive(serde::Deserialize)]
    struct Sample {
        token: Field<String>,
    }

    fn sample(uri: &str) -> Result<Field<String>, Error> {
        read::<Sample>(&uri.parse().unwrap()).map(|sample| sample.token)
    }

    #[test]
    fn a_parameter_is_decoded_once() {
        let token = sample("/?token=a%2Bb%2561+c&other=1").unwrap();
        assert!(matches!(token, Field::Value(text) if text == "a+b%61 c"));
    }

    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        assert!(matches!(
            sample("/?token=a&token=a"),
            Err(Error::Invalid(_))
        ));
        assert!(matches!(sample("/?x=1&x=2"), Err(Error::Invalid(_))));
    }

    #[test]
    fn pages_by_number_are_refused() {
        for query in ["page=2", "offset=0", "page_size=x", "token=a&p%61ge=1"] {
            let read = sample(&format!("/?{query}"));
            assert!(matches!(read, Err(Error::Invalid(_))), "{query}");
        }
    }

    #[test]
    fn a_missing_parameter_is_absent_and_nul_is_wrong() {
        assert!(matches!(sample("/"), Ok(Field::Absent)));
        assert!(matches!(sample("/?token=%00"), Ok(Field::Wrong)));
    }
}
