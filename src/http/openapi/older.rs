//! The document in OpenAPI 3.0.3, for tools that stopped there. What 3.0 cannot say is said in its nearest form.

use serde_json::{Map, Value, json};

/// Converts a 3.1 document.
pub fn as_3_0(mut document: Value) -> Value {
    convert(&mut document);
    if let Some(root) = document.as_object_mut() {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("jsonSchemaDialect");
        root.remove("webhooks");
        if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
            info.remove("summary");
            if let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) {
                license.remove("identifier");
            }
        }
    }
    document
}

fn convert(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(convert),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                // What a client might send or get is data, not a schema.
                if !matches!(name.as_str(), "example" | "examples" | "default" | "enum") {
                    convert(value);
                }
            }
            nullable(object);
            either(object, "oneOf");
            either(object, "anyOf");
            example(object);
            constant(object);
            exclusive(object, "exclusiveMinimum", "minimum");
            exclusive(object, "exclusiveMaximum", "maximum");
            // Names of properties may be the same words: those hold an object.
            if object
                .get("propertyNames")
                .is_some_and(|names| names.get("type").is_some())
            {
                object.remove("propertyNames");
            }
        }
        _ => {}
    }
}

/// `type: [T, "null"]` is `type: T, nullable: true`.
fn nullable(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get("type") else {
        return;
    };
    let mut named: Vec<Value> = types
        .iter()
        .filter(|name| **name != "null")
        .cloned()
        .collect();
    let is_nullable = named.len() < types.len();
    match (named.pop(), named.is_empty()) {
        (Some(only), true) => object.insert("type".to_owned(), only),
        _ => object.remove("type"),
    };
    if is_nullable {
        object.insert("nullable".to_owned(), json!(true));
    }
}

/// `oneOf: [{type: null}, X]` is `allOf: [X], nullable: true`.
fn either(object: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(schemas)) = object.get_mut(keyword) else {
        return;
    };
    let before = schemas.len();
    schemas.retain(|schema| schema.get("type") != Some(&json!("null")));
    if schemas.len() == before {
        return;
    }
    let single = schemas.len() == 1;
    if single && let Some(schemas) = object.remove(keyword) {
        object.insert("allOf".to_owned(), schemas);
    }
    object.insert("nullable".to_owned(), json!(true));
}

/// A schema's `examples: [..]` is `example`; the `examples` of a body are an object and stay.
fn example(object: &mut Map<String, Value>) {
    if let Some(Value::Array(_)) = object.get("examples")
        && let Some(Value::Array(mut examples)) = object.remove("examples")
        && !examples.is_empty()
    {
        object.insert("example".to_owned(), examples.remove(0));
    }
}

/// `const: X` is `enum: [X]`.
fn constant(object: &mut Map<String, Value>) {
    if object.get("const").is_some_and(|value| !value.is_object())
        && let Some(value) = object.remove("const")
    {
        object.insert("enum".to_owned(), json!([value]));
    }
}

/// A bound that is a number is a bound with a flag.
fn exclusive(object: &mut Map<String, Value>, keyword: &str, bound: &str) {
    if object.get(keyword).is_some_and(Value::is_number)
        && let Some(value) = object.remove(keyword)
    {
        object.insert(bound.to_owned(), value);
        object.insert(keyword.to_owned(), json!(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_new_word_is_said_in_its_older_form() {
        let converted = as_3_0(json!({
            "openapi": "3.1.0",
            "info": {"license": {"name": "MIT", "identifier": "MIT"}},
            "a": {"type": ["string", "null"], "examples": ["x"]},
            "b": {"oneOf": [{"type": "null"}, {"$ref": "#/c"}]},
            "c": {"const": 1, "exclusiveMinimum": 0},
            "d": {"type": "object", "propertyNames": {"type": "string"}},
            "e": {"examples": {"one": {"value": {"type": ["kept", "null"]}}}},
        }));
        assert_eq!(
            converted,
            json!({
                "openapi": "3.0.3",
                "info": {"license": {"name": "MIT"}},
                "a": {"type": "string", "nullable": true, "example": "x"},
                "b": {"allOf": [{"$ref": "#/c"}], "nullable": true},
                "c": {"enum": [1], "minimum": 0, "exclusiveMinimum": true},
                "d": {"type": "object"},
                "e": {"examples": {"one": {"value": {"type": ["kept", "null"]}}}},
            })
        );
    }
}
