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

/// What a schema lacks to be bounded.
fn missing(schema: &Value) -> Vec<&'static str> {
    let is = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.contains(&json!(kind)),
        each => each == kind,
    };
    let format = schema["format"].as_str();
    let is_formed = matches!(format, Some("date" | "date-time" | "uuid"));
    let is_listed = !schema["enum"].is_null() || !schema["const"].is_null();
    let needed: &[&'static str] = if is("integer") || is("number") {
        &["minimum", "maximum"]
    } else if is("array") {
        &["maxItems"]
    } else if is("string") && !is_formed && !is_listed {
        &["maxLength"]
    } else {
        &[]
    };
    let lacks = |name: &&&str| !schema[**name].is_number();
    needed.iter().filter(lacks).copied().collect()
}

#[test]
fn every_text_number_and_list_has_its_limits() {
    fn look(node: &Value, place: &str, (seen, unlimited): (&mut u32, &mut Vec<String>)) {
        if node["type"].is_string() || node["type"].is_array() {
            *seen += 1;
            let missing = missing(node).into_iter();
            unlimited.extend(missing.map(|name| format!("{place}: {name}")));
        }
        let members: Vec<(String, &Value)> = match node {
            Value::Array(all) => {
                let all = all.iter().enumerate();
                all.map(|(at, each)| (at.to_string(), each)).collect()
            }
            Value::Object(all) => all
                .iter()
                .map(|(name, each)| (name.clone(), each))
                .collect(),
            _ => Vec::new(),
        };
        for (name, member) in members {
            // Data, which may have members of any name.
            if !["default", "enum", "example", "examples"].contains(&name.as_str()) {
                look(member, &format!("{place}/{name}"), (seen, unlimited));
            }
        }
    }
    for document in [document(), as_3_0(document())] {
        let (mut seen, mut unlimited) = (0, Vec::new());
        look(&document, "", (&mut seen, &mut unlimited));
        assert!(unlimited.is_empty(), "{unlimited:#?}");
        assert!(seen > 500, "only {seen} schemas were looked at");
    }
}

#[test]
fn a_bound_that_an_operation_gives_itself_stays() {
    let document = document();
    let property = |schema: &str, name: &str| {
        document["components"]["schemas"][schema]["properties"][name].clone()
    };
    let salary = property("UpdatePreferencesRequest", "salary_min");
    assert_eq!(salary["maximum"], 1_000_000_000_000_u64);
    let skills = property("UpdateProfileRequest", "skills");
    assert_eq!(
        (&skills["maxItems"], &skills["items"]["maxLength"]),
        (&json!(50), &json!(50))
    );
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

#[test]
fn a_post_may_be_too_large_even_where_no_body_is_needed() {
    let document = document();
    for (place, operation) in operations(&document) {
        let responses = &operation["responses"];
        if place.starts_with("post") {
            assert!(!responses["413"].is_null(), "{place}");
        }
        if !place.starts_with("get") {
            assert!(!responses["415"].is_null(), "{place}");
        }
    }
}

#[test]
fn who_asks_for_a_mail_is_told_of_no_limit() {
    let document = document();
    let mut found = 0;
    for (place, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_default();
        let asks = ["request_password_reset", "request_email_verification"];
        if asks.iter().any(|verb| name.starts_with(verb)) {
            found += 1;
            assert!(operation["responses"]["429"].is_null(), "{place}");
            assert!(operation["responses"]["202"]["headers"]["RateLimit"].is_object());
        }
    }
    assert!(found >= 5, "only {found}");
}

#[test]
fn the_link_of_a_mail_leads_to_a_page_too() {
    let document = document();
    for path in ["/verify-email", "/auth/verify-email"] {
        let content = &document["paths"][path]["get"]["responses"]["200"]["content"];
        for kind in ["application/json", "text/html"] {
            assert!(content[kind].is_object(), "{path} {kind}");
        }
    }
}
