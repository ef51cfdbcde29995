//! The OpenAPI document: complete enough to write a client from, and kept in `docs/` as it is served.

use crate::support::{TestApp, document::Document};
use serde_json::Value;
use std::collections::BTreeSet;

const KEPT: &str = include_str!("../../docs/openapi.json");

#[tokio::test(flavor = "multi_thread")]
async fn the_document_in_docs_is_the_one_that_is_served() {
    let app = TestApp::start().await;
    let served = Document::of(&app).await.0;
    let kept: Value = serde_json::from_str(KEPT).unwrap();
    assert!(
        kept == served,
        "renew it: cargo run -q -- openapi > docs/openapi.json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_what_it_does_and_is_named_once() {
    let app = TestApp::start().await;
    let mut ids = BTreeSet::new();
    for operation in Document::of(&app).await.operations() {
        let place = operation.place();
        assert!(
            ids.insert(operation.id.clone()),
            "{place}: {}",
            operation.id
        );
        for field in ["summary", "description"] {
            let text = operation.described[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{place} has no {field}");
        }
        let summary = operation.described["summary"].as_str().unwrap();
        assert!(!summary.ends_with('.'), "{place}: {summary}");
        for parameter in operation.described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = parameter["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{place}: {parameter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_and_every_good_answer_has_an_example() {
    let app = TestApp::start().await;
    let document = Document::of(&app).await;
    let mut missing = Vec::new();
    for operation in document.operations() {
        let bodies = operation.described["requestBody"]["content"].as_object();
        for (media_type, content) in bodies.into_iter().flatten() {
            if document.example(content).is_none() {
                missing.push(format!("{} takes {media_type}", operation.place()));
            }
        }
        for (status, response) in operation.described["responses"].as_object().unwrap() {
            let contents = document.resolve(response)["content"].as_object();
            for (media_type, content) in contents.into_iter().flatten() {
                if status.starts_with('2') && document.example(content).is_none() {
                    missing.push(format!("{} {status} {media_type}", operation.place()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_a_problem_with_an_example_of_each_code() {
    let app = TestApp::start().await;
    let document = Document::of(&app).await;
    for operation in document.operations() {
        for (status, response) in operation.described["responses"].as_object().unwrap() {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            let place = format!("{} {status}", operation.place());
            let response = document.resolve(response);
            let content = &response["content"]["application/problem+json"];
            let examples = content["examples"].as_object();
            let examples = examples.unwrap_or_else(|| panic!("{place}: {response}"));
            assert!(!examples.is_empty(), "{place}");
            for (code, example) in examples {
                let value = &example["value"];
                assert_eq!(value["code"].as_str(), Some(code.as_str()), "{place}");
                assert_eq!(value["status"].to_string(), *status, "{place}");
                app.get(&format!("/problems/{code}")).await.expect(200);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_names_every_failure_that_its_rules_give() {
    let app = TestApp::start().await;
    for operation in Document::of(&app).await.operations() {
        let responses = operation.described["responses"].as_object().unwrap();
        let token = operation.token;
        let takes_token = token != crate::support::document::Token::Ignored;
        let place = operation.place();
        assert_eq!(
            responses.contains_key("401"),
            takes_token
                || ["login", "refresh"]
                    .iter()
                    .any(|id| operation.id.starts_with(id)),
            "{place}"
        );
        if operation.body.is_some() {
            for status in ["400", "413", "415", "422"] {
                assert!(responses.contains_key(status), "{place} {status}");
            }
            // Who asks for too many mails is answered as ever.
            let asks_for_mail = ["request_password_reset", "request_email_verification"];
            let has_limit = !asks_for_mail.iter().any(|id| operation.id.starts_with(id));
            assert_eq!(responses.contains_key("429"), has_limit, "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_document_has_the_same_operations() {
    let app = TestApp::start().await;
    let current = Document::of(&app).await;
    let older = app.get("/openapi-3.0.json").await.expect(200).body;
    assert!(current.0["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(older["openapi"].as_str().unwrap().starts_with("3.0"));
    for operation in current.operations() {
        let name = operation.method.as_str().to_lowercase();
        let twin = &older["paths"][&operation.path][&name];
        assert_eq!(twin["operationId"], operation.id, "{}", operation.place());
    }
    assert!(
        !older.to_string().contains("\"type\":["),
        "a list of types is 3.1"
    );
}
