//! Bounds that cannot be written where a schema is declared: of the items of lists, of header fields and of bodies that are no
//! JSON. A test walks the document for what has none.

use serde_json::{Map, Value, json};

/// What 32 bits hold, and what every reader of JSON can tell apart (RFC 8259, section 6).
const MOST_32: i64 = i32::MAX as i64;
const MOST: i64 = (1 << 53) - 1;

/// Longest texts in lists and maps, by the name of the property.
const ITEMS: [(&str, u32); 11] = [
    ("desired_titles", 100),
    ("events", 50),
    ("incomplete", 50),
    ("industries", 100),
    ("languages", 35),
    ("links", 2000),
    ("locations", 100),
    ("missing", 50),
    ("permissions", 50),
    ("propertyNames", 50),
    ("skills", 50),
];

/// Longest header fields.
const HEADERS: [(&str, u32); 3] = [
    ("Content-Disposition", 200),
    ("ETag", 100),
    ("Location", 200),
];

/// Longest bodies, by media type.
const BODIES: [(&str, u32); 6] = [
    ("application/zip", 256 * 1024 * 1024),
    ("image/jpeg", 5 * 1024 * 1024),
    ("image/png", 5 * 1024 * 1024),
    ("image/webp", 5 * 1024 * 1024),
    ("text/html", 256 * 1024),
    ("text/plain; version=0.0.4", 16 * 1024 * 1024),
];

/// Longest lists that are a body by themselves: a page.
const MOST_ITEMS: u32 = 100;

/// Adds them where none is given.
pub(super) fn add(document: &mut Value) {
    walk(document, "");
}

/// `place` is the nearest name above that says what stands here.
fn walk(node: &mut Value, place: &str) {
    match node {
        Value::Array(all) => all.iter_mut().for_each(|each| walk(each, place)),
        Value::Object(members) => {
            bound(members, place);
            for (name, member) in members {
                match name.as_str() {
                    "default" | "enum" | "example" | "examples" => {}
                    "schema" | "items" | "additionalProperties" | "content" => walk(member, place),
                    name => walk(member, name),
                }
            }
        }
        _ => {}
    }
}

fn bound(schema: &mut Map<String, Value>, place: &str) {
    let is = |kind: &str| match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|each| each == kind),
        Some(each) => each == kind,
        None => false,
    };
    if is("integer") || is("number") {
        let most = if schema.get("format") == Some(&json!("int32")) {
            MOST_32
        } else {
            MOST
        };
        schema.entry("maximum").or_insert(json!(most));
    } else if is("array") {
        schema.entry("maxItems").or_insert(json!(MOST_ITEMS));
    } else if is("string")
        && !is_bounded(schema)
        && let Some(most) = longest(place)
    {
        schema.insert("maxLength".to_owned(), json!(most));
    }
}

/// By its own words or by its form.
fn is_bounded(schema: &Map<String, Value>) -> bool {
    let format = schema.get("format").and_then(Value::as_str);
    let has = |name| schema.contains_key(name);
    has("maxLength")
        || has("enum")
        || has("const")
        || matches!(format, Some("date" | "date-time" | "uuid"))
}

fn longest(place: &str) -> Option<u32> {
    let mut all = ITEMS.iter().chain(&HEADERS).chain(&BODIES);
    all.find(|(name, _)| *name == place).map(|(_, most)| *most)
}
