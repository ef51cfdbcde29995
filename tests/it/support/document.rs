//! The OpenAPI document as the service serves it, taken apart: tests hold every operation in it to the same law, so that
//! a new one is under it from its first day.

use super::{TestApp, client::RequestBuilder};
use axum::http::Method;
use serde_json::{Map, Value, json};

/// What stands in for an id in a path; nobody has it.
pub const NO_ID: &str = "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d";

/// Whether an operation takes an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Ignored,
    Optional,
    Required,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// As in the document: `/api/v1/auth/sessions/{id}`.
    pub path: String,
    pub id: String,
    pub token: Token,
    /// The documented body, if it takes one.
    pub body: Option<Value>,
    /// The names of its query parameters.
    pub query: Vec<String>,
    /// All that the document says of it.
    pub described: Value,
}

/// The document.
pub struct Document(pub Value);

impl Document {
    /// As `GET /openapi.json` gives it.
    pub async fn of(app: &TestApp) -> Self {
        Self(app.get("/openapi.json").await.expect(200).body)
    }

    /// All operations, in the order of paths.
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().unwrap();
        let mut all = Vec::new();
        for (path, item) in paths {
            for (method, described) in item.as_object().unwrap() {
                all.push(self.operation(method, path, described));
            }
        }
        assert!(all.len() > 40, "only {} operations", all.len());
        all
    }

    /// Those that take JSON.
    pub fn with_body(&self) -> Vec<Operation> {
        let mut all = self.operations();
        all.retain(|operation| operation.body.is_some());
        all
    }

    /// The methods of each path.
    pub fn paths(&self) -> Vec<(String, Vec<Method>)> {
        let paths = self.0["paths"].as_object().unwrap();
        let of = |item: &Value| -> Vec<Method> {
            let names = item.as_object().unwrap().keys();
            names.map(|name| method(name)).collect()
        };
        let all = paths.iter().map(|(path, item)| (path.clone(), of(item)));
        all.collect()
    }

    /// What a `$ref` stands for; anything else is itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(at) => self.0.pointer(at.trim_start_matches('#')).expect(at),
            None => value,
        }
    }

    /// An example of a media type's content, wherever the document keeps it.
    pub fn example(&self, content: &Value) -> Option<Value> {
        let schema = self.resolve(&content["schema"]);
        let places = [
            &content["example"],
            &schema["example"],
            &schema["examples"][0],
        ];
        let found = places.into_iter().find(|example| !example.is_null());
        found.cloned().or_else(|| self.example_of_kind(schema))
    }

    /// What readers of the document make up of a schema without an example of its own; none if it says too little.
    fn example_of_kind(&self, schema: &Value) -> Option<Value> {
        let of = |schema: &Value| self.example(&json!({ "schema": schema }));
        if let Some(fields) = schema["properties"].as_object() {
            let fields = fields
                .iter()
                .map(|(name, field)| Some((name.clone(), of(field)?)));
            return fields.collect::<Option<Map<_, _>>>().map(Value::Object);
        }
        // A body that may be left out is one of nothing and itself.
        if let Some(kinds) = schema["oneOf"].as_array() {
            let kinds = kinds.iter().filter(|kind| kind["type"] != "null");
            return kinds.map(of).next().flatten();
        }
        let kind = schema["type"].to_string();
        match &schema["enum"][0] {
            Value::Null if kind.contains("\"null\"") => Some(Value::Null),
            Value::Null if kind.contains("boolean") => Some(json!(true)),
            Value::Null if kind.contains("array") => Some(json!([of(&schema["items"])?])),
            Value::Null if schema["format"] == "date-time" => Some(json!("2026-01-05T12:00:00Z")),
            first => (!first.is_null()).then(|| first.clone()),
        }
    }

    fn operation(&self, name: &str, path: &str, described: &Value) -> Operation {
        let content = &described["requestBody"]["content"]["application/json"];
        let security = described["security"].as_array().unwrap();
        let is_open = security.contains(&json!({}));
        let parameters = described["parameters"].as_array().into_iter().flatten();
        Operation {
            method: method(name),
            path: path.to_owned(),
            id: described["operationId"].as_str().unwrap().to_owned(),
            token: match (is_open, security.len()) {
                (true, 1) => Token::Ignored,
                (true, _) => Token::Optional,
                (false, _) => Token::Required,
            },
            body: content.is_object().then(|| self.example(content).unwrap()),
            query: parameters
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect(),
            described: described.clone(),
        }
    }
}

impl Operation {
    /// Method and path, to name it in a failure.
    pub fn place(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with something in the place of its parameters.
    pub fn target(&self) -> String {
        target(&self.path, NO_ID)
    }

    /// A request of it that is complete but for token and body.
    pub fn request<'a>(&self, app: &'a TestApp) -> RequestBuilder<'a> {
        app.request(self.method.clone(), &self.target())
    }
}

/// A path with this in the place of each of its parameters.
pub fn target(path: &str, value: &str) -> String {
    let filled = path
        .split('/')
        .map(|part| if part.starts_with('{') { value } else { part });
    filled.collect::<Vec<_>>().join("/")
}

fn method(name: &str) -> Method {
    name.to_uppercase().parse().unwrap()
}
