//! JSON read strictly (RFC 8259 with I-JSON's rule, RFC 7493): an object at the top, no name twice in any object, no
//! lone surrogates, bounded depth. Parsers that disagree about such bodies are how filters get bypassed.

use crate::http::problem::Problem;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, error::Category};

/// The object in `bytes`, or why it cannot be read, without repeating any of it.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Strict(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(Problem::malformed("The body must be a JSON object.")),
        Err(error) => Err(Problem::malformed(explain(&error))),
    }
}

fn explain(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "The body names a field twice",
        Category::Eof => "The body ends before its JSON does",
        Category::Syntax | Category::Io => "The body is not well-formed JSON",
    };
    format!("{what} (line {}, column {}).", error.line(), error.column())
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let Strict(value) = fields.next_value()?;
            if all.insert(name, value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detail(body: &[u8]) -> String {
        let problem = serde_json::to_value(object(body).unwrap_err().body()).unwrap();
        problem["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth() {
        assert!(detail(br#"{"a": 1, "a": 2}"#).contains("twice"));
        assert!(detail(br#"{"b": [{"a": 1, "\u0061": 2}]}"#).contains("twice"));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in ["[]", "null", "1", "\"a\"", "true"] {
            assert_eq!(detail(body.as_bytes()), "The body must be a JSON object.");
        }
    }

    #[test]
    fn broken_json_is_refused_without_an_echo() {
        let deep = "[".repeat(100_000);
        let huge = format!("{{\"n\": 1e{}}}", "9".repeat(100));
        for body in [
            "",
            "{",
            "{\"a\":}",
            "{'a': 1}",
            "\u{feff}{}",
            "{\"n\": NaN}",
            "{} x",
            "{\"secret\": \"\\ud800\"}",
            "{\"secret\": \"\\udc00x\"}",
            deep.as_str(),
            huge.as_str(),
        ] {
            let said = detail(body.as_bytes());
            assert!(!said.contains("secret"), "{said}");
        }
        assert!(object(b"{\"a\": \"\xff\"}").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = object(&bytes);
        }

        #[test]
        fn what_is_read_is_what_was_sent(names in proptest::collection::btree_map("\\PC{0,8}", any::<i32>(), 0..8)) {
            let sent = serde_json::json!(names);
            let bytes = serde_json::to_vec(&sent).unwrap();
            prop_assert_eq!(Value::Object(object(&bytes).unwrap()), sent);
        }
    }
}
