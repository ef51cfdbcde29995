//! The free object that a product may keep beside the preferences: bounded in bytes and depth, otherwise its own affair.

use crate::domain::error::Fault;
use serde_json::{Map, Value};

const MAX_BYTES: usize = 16 * 1024;
const MAX_DEPTH: usize = 16;

/// An object of at most 16 KiB as compact JSON, and 16 levels with itself.
pub fn extra(object: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let value = Value::Object(object);
    if depth(&value) > MAX_DEPTH {
        return Err(Fault::new("too_long", "This object is nested too deeply."));
    }
    if value.to_string().len() > MAX_BYTES {
        return Err(Fault::new("too_long", "This object is larger than 16 KiB."));
    }
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Fault::new("format", "Send an object.")),
    }
}

/// Levels of lists and objects. The reader of bodies bounds the depth, so this may call itself.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Map<String, Value>, Fault> {
        match value {
            Value::Object(object) => extra(object),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_object_is_bounded_in_bytes_and_depth() {
        let nested =
            |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": [inner] }));
        let levels = |value: &Value| depth(value);
        assert_eq!((levels(&json!({})), levels(&json!({"a": [1]}))), (1, 2));
        assert!(read(json!({ "theme": "dark", "list": [1, null, true] })).is_ok());
        assert!(read(nested(8)).is_ok());
        assert_eq!(read(nested(9)).unwrap_err().code, "too_long");
        let full = json!({ "a": "x".repeat(MAX_BYTES - r#"{"a":""}"#.len()) });
        assert!(read(full).is_ok());
        let over = json!({ "a": "x".repeat(MAX_BYTES - r#"{"a":""}"#.len() + 1) });
        assert_eq!(read(over).unwrap_err().code, "too_long");
    }
}
