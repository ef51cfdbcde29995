//! Laws of the document, checked over all operations.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    all.collect()
}

#[test]
fn every_operation_is_named_once_and_fully_described() {
    let document = document();
    let mut names = BTreeSet::new();
    for (place, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} occurs twice");
        assert!(operation["summary"].is_string(), "{place} has no summary");
        assert!(
            operation["security"].is_array(),
            "{place} does not say who may"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(
                described || response["$ref"].is_string(),
                "{place} {status}"
            );
        }
    }
    assert!(names.contains("check_health"));
}

#[test]
fn every_text_and_number_has_its_limits() {
    let document = document();
    let mut unlimited = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (property, schema) in properties {
            let kind = match &schema["type"] {
                Value::Array(kinds) => kinds[0].as_str(),
                kind => kind.as_str(),
            };
            let limit = match kind {
                Some("string") if schema["format"].is_null() && schema["enum"].is_null() => {
                    "maxLength"
                }
                Some("integer" | "number") => "minimum",
                Some("array") => "maxItems",
                _ => continue,
            };
            if schema[limit].is_null() {
                unlimited.push(format!("{name}.{property}: {limit}"));
            }
        }
    }
    assert!(unlimited.is_empty(), "{unlimited:#?}");
}

#[test]
fn v6_1_3_the_ways_to_a_token_are_these() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let has_token = |schema: &Value| {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut names = properties.map(|(name, _)| name.as_str());
        names.any(|name| name.ends_with("_token"))
    };
    let with_token: Vec<String> = schemas
        .iter()
        .filter(|(_, schema)| has_token(schema))
        .map(|(name, _)| format!("\"#/components/schemas/{name}\""))
        .collect();
    let ways: BTreeSet<&str> = operations(&document)
        .into_iter()
        .filter(|(_, operation)| {
            let answers = operation["responses"].to_string();
            with_token.iter().any(|schema| answers.contains(schema))
        })
        .map(|(_, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    // As listed in docs/security.md; a new one must be as strong as these.
    let listed = ["login", "reauthenticate", "refresh"];
    let older = ["login_auth", "login_root", "refresh_auth"];
    assert_eq!(ways, listed.into_iter().chain(older).collect());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(object) => {
                found.extend(
                    object
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                object.values().for_each(|value| references(value, found));
            }
            _ => {}
        }
    }
    for document in [document(), as_3_0(document())] {
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let target = document.pointer(reference.trim_start_matches('#'));
            assert!(target.is_some(), "{reference}");
        }
    }
}

#[test]
fn a_twin_is_the_same_operation_under_another_name() {
    let mut document = Head::openapi();
    document.merge(system::document());
    let canonical = (HttpMethod::Get, "/health");
    assert!(also_at(&mut document, "/healthz", canonical, "_twin"));
    assert!(!also_at(
        &mut document,
        "/x",
        (HttpMethod::Post, "/health"),
        "_twin"
    ));
    let document = json!(document);
    let twin = &document["paths"]["/healthz"]["get"];
    assert_eq!(twin["operationId"], "check_health_twin");
    assert_eq!(twin["summary"], "Health check");
}

#[test]
fn shared_failures_carry_an_example_for_each_of_their_codes() {
    let mut components = utoipa::openapi::Components::new();
    responses::register(&mut components);
    let responses = &json!(components)["responses"];
    let examples =
        |name: &str| responses[name]["content"]["application/problem+json"]["examples"].clone();
    assert_eq!(examples("Gone")["token_used"]["value"]["status"], 410);
    assert_eq!(
        examples("Invalid")["validation_failed"]["value"]["errors"][0]["code"],
        "required"
    );
    assert_eq!(
        examples("Unauthenticated")["token_expired"]["value"]["status"],
        401
    );
}

#[test]
fn every_answer_names_its_request_and_limited_ones_their_limit() {
    let document = document();
    for (place, operation) in operations(&document) {
        let is_system = operation["tags"][0] == "System";
        for (status, response) in operation["responses"].as_object().unwrap() {
            if response["$ref"].is_string() {
                continue;
            }
            let names = response["headers"].as_object().unwrap();
            assert!(names.contains_key("X-Request-Id"), "{place} {status}");
            assert_eq!(
                names.contains_key("RateLimit"),
                !is_system,
                "{place} {status}"
            );
        }
    }
}

#[test]
fn a_body_that_may_be_left_out_is_not_null() {
    let document = document();
    let operations = operations(&document);
    let (_, operation) = operations
        .iter()
        .find(|(_, operation)| operation["operationId"] == "request_email_verification")
        .unwrap();
    let body = &operation["requestBody"];
    assert_ne!(body["required"], json!(true));
    let schema = &body["content"]["application/json"]["schema"];
    assert!(schema["$ref"].is_string(), "{schema}");
}
