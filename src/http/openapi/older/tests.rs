//! The down-conversion, keyword by keyword.

use super::*;

fn rewritten(mut schema: Value) -> Value {
    rewrite(&mut schema);
    schema
}

#[test]
fn null_among_the_types_becomes_nullable() {
    let schema = json!({"type": ["string", "null"], "maxLength": 3});
    assert_eq!(
        rewritten(schema),
        json!({"type": "string", "nullable": true, "maxLength": 3})
    );
    let schema = json!({"type": ["string", "integer"]});
    assert_eq!(
        rewritten(schema),
        json!({"anyOf": [{"type": "string"}, {"type": "integer"}]})
    );
    let only = json!({"type": "null"});
    assert_eq!(rewritten(only), json!({"enum": [null], "nullable": true}));
}

#[test]
fn a_choice_with_null_becomes_nullable() {
    let schema = json!({"oneOf": [{"type": "null"}, {"$ref": "#/x"}]});
    assert_eq!(
        rewritten(schema),
        json!({"allOf": [{"$ref": "#/x"}], "nullable": true})
    );
    let schema = json!({"anyOf": [{"type": "null"}, {"$ref": "#/x"}, {"$ref": "#/y"}]});
    let expected = json!({"anyOf": [{"$ref": "#/x"}, {"$ref": "#/y"}], "nullable": true});
    assert_eq!(rewritten(schema), expected);
    let without = json!({"oneOf": [{"$ref": "#/x"}, {"$ref": "#/y"}]});
    assert_eq!(rewritten(without.clone()), without);
}

#[test]
fn what_stands_beside_a_reference_keeps_its_meaning() {
    let schema = json!({"$ref": "#/x", "description": "of it"});
    assert_eq!(
        rewritten(schema),
        json!({"allOf": [{"$ref": "#/x"}], "description": "of it"})
    );
    assert_eq!(rewritten(json!({"$ref": "#/x"})), json!({"$ref": "#/x"}));
}

#[test]
fn keywords_take_their_older_form() {
    let cases = [
        (json!({"const": "a"}), json!({"enum": ["a"]})),
        (json!({"examples": ["a", "b"]}), json!({"example": "a"})),
        (
            json!({"exclusiveMinimum": 1}),
            json!({"minimum": 1, "exclusiveMinimum": true}),
        ),
        (
            json!({"exclusiveMaximum": 9}),
            json!({"maximum": 9, "exclusiveMaximum": true}),
        ),
        (
            json!({"propertyNames": {"type": "string"}, "type": "object"}),
            json!({"type": "object"}),
        ),
        (
            json!({"type": "array"}),
            json!({"type": "array", "items": {}}),
        ),
        (json!(true), json!({})),
        (
            json!({"contentMediaType": "image/png"}),
            json!({"type": "string", "format": "binary"}),
        ),
    ];
    for (from, to) in cases {
        assert_eq!(rewritten(from), to);
    }
}

#[test]
fn a_property_may_have_the_name_of_a_keyword() {
    let schema = json!({"properties": {
        "const": {"type": ["string", "null"]}, "examples": {"type": "array", "items": true}, "type": {"const": 1}
    }});
    let expected = json!({"properties": {
        "const": {"type": "string", "nullable": true}, "examples": {"type": "array", "items": {}}, "type": {"enum": [1]}
    }});
    assert_eq!(rewritten(schema), expected);
}

#[test]
fn data_stays_as_it_is_and_schemas_are_found_wherever_they_stand() {
    let data = json!({"const": 1, "type": ["a", "null"], "examples": [1]});
    let nullable = json!({"type": ["string", "null"]});
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "summary": "s", "license": {"name": "MIT", "identifier": "MIT"}},
        "jsonSchemaDialect": "x", "webhooks": {},
        "paths": {"/a": {"get": {"responses": {"200": {
            "content": {"application/json": {"schema": nullable, "example": data}}
        }}}}},
        "components": {"schemas": {"A": {"default": data, "enum": [data], "allOf": [nullable]}}},
    });
    let as_text = json!({"type": "string", "nullable": true});
    let expected = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "license": {"name": "MIT"}},
        "paths": {"/a": {"get": {"responses": {"200": {
            "content": {"application/json": {"schema": as_text, "example": data}}
        }}}}},
        "components": {"schemas": {"A": {"default": data, "enum": [data], "allOf": [as_text]}}},
    });
    assert_eq!(as_3_0(document), expected);
}
