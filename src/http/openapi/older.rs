//! OpenAPI 3.1 to 3.0, for tools that know nothing newer. Schemas are rewritten where schemas stand; examples, defaults
//! and enum values are data and stay as they are.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

/// Keywords of 3.1 that say nothing in 3.0.
const UNKNOWN_TO_3_0: [&str; 8] = [
    "propertyNames",
    "patternProperties",
    "prefixItems",
    "$schema",
    "$comment",
    "if",
    "then",
    "else",
];

/// Rewrites a 3.1 document as 3.0.3.
pub fn as_3_0(mut document: Value) -> Value {
    if let Value::Object(root) = &mut document {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("webhooks");
        root.remove("jsonSchemaDialect");
        if let Some(Value::Object(info)) = root.get_mut("info") {
            info.remove("summary");
            if let Some(Value::Object(license)) = info.get_mut("license") {
                license.remove("identifier");
            }
        }
    }
    walk(&mut document);
    document
}

/// Goes through what is not a schema, down to the schemas.
fn walk(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "schema" => rewrite(member),
                    "schemas" => each_member(member, rewrite),
                    "example" | "examples" => {}
                    _ => walk(member),
                }
            }
        }
        _ => {}
    }
}

fn each_member(node: &mut Value, act: fn(&mut Value)) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(act),
        Value::Object(members) => members.values_mut().for_each(act),
        _ => {}
    }
}

/// Rewrites a schema and those within it.
fn rewrite(node: &mut Value) {
    if let Value::Bool(anything) = node {
        *node = if *anything {
            json!({})
        } else {
            json!({ "not": {} })
        };
    }
    let Value::Object(schema) = node else {
        return;
    };
    for (name, member) in schema.iter_mut() {
        match name.as_str() {
            "properties" | "allOf" | "anyOf" | "oneOf" => each_member(member, rewrite),
            "items" | "not" => rewrite(member),
            "additionalProperties" if member.is_object() => rewrite(member),
            _ => {}
        }
    }
    for name in UNKNOWN_TO_3_0 {
        schema.remove(name);
    }
    wrap_reference(schema);
    one_example(schema);
    constant(schema);
    content(schema);
    exclusive(schema, "exclusiveMinimum", "minimum");
    exclusive(schema, "exclusiveMaximum", "maximum");
    types(schema);
    nullable_choice(schema, "oneOf");
    nullable_choice(schema, "anyOf");
    if is_array(schema) && !schema.contains_key("items") {
        schema.insert("items".to_owned(), json!({}));
    }
}

/// In 3.0 whatever stands beside a `$ref` is ignored, so the reference moves into an `allOf`.
fn wrap_reference(schema: &mut Map<String, Value>) {
    if schema.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
}

fn one_example(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = schema.remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        schema.entry("example").or_insert(first);
    }
}

fn constant(schema: &mut Map<String, Value>) {
    if let Some(value) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([value]));
    }
}

/// Bytes: `contentEncoding` and `contentMediaType` were the formats `byte` and `binary`.
fn content(schema: &mut Map<String, Value>) {
    let encoding = schema.remove("contentEncoding");
    let media_type = schema.remove("contentMediaType");
    let format = match (encoding, media_type) {
        (Some(_), _) => "byte",
        (None, Some(_)) => "binary",
        (None, None) => return,
    };
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("format".to_owned(), json!(format));
}

/// A bound that is itself excluded was a bound and a flag.
fn exclusive(schema: &mut Map<String, Value>, flag: &str, bound: &str) {
    if let Some(value) = schema.get(flag).filter(|value| value.is_number()).cloned() {
        schema.insert(bound.to_owned(), value);
        schema.insert(flag.to_owned(), Value::Bool(true));
    }
}

/// A list of types was one type, and `nullable` where null is among them.
fn types(schema: &mut Map<String, Value>) {
    let names = match schema.get("type") {
        Some(Value::Array(names)) => names.clone(),
        Some(Value::String(name)) if name == "null" => vec![json!("null")],
        _ => return,
    };
    schema.remove("type");
    let (null, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name == "null");
    match others.as_slice() {
        [] => {
            schema.insert("enum".to_owned(), json!([Value::Null]));
        }
        [only] => {
            schema.insert("type".to_owned(), only.clone());
        }
        several => {
            let choices: Vec<Value> = several.iter().map(|name| json!({ "type": name })).collect();
            schema.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
    if !null.is_empty() {
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
}

/// A choice between null and others was `nullable`.
fn nullable_choice(schema: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(choices)) = schema.get_mut(keyword) else {
        return;
    };
    let before = choices.len();
    choices.retain(|choice| !is_null_schema(choice));
    let (left, removed) = (choices.len(), before > choices.len());
    if !removed {
        return;
    }
    schema.insert("nullable".to_owned(), Value::Bool(true));
    if left == 1
        && let Some(only) = schema.remove(keyword)
    {
        schema.insert("allOf".to_owned(), only);
    }
}

/// Null as a schema, after its own rewriting.
fn is_null_schema(schema: &Value) -> bool {
    schema.get("enum") == Some(&json!([Value::Null]))
}

fn is_array(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|name| name == "array")
}
