//! Requests and replies as tests shape and read them.

use super::TestApp;
use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, Response, header},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

/// A request on its way.
pub struct RequestBuilder<'a> {
    app: &'a TestApp,
    request: axum::http::request::Builder,
    body: Body,
    from: IpAddr,
}

impl<'a> RequestBuilder<'a> {
    /// From 192.0.2.1 by Firefox on Linux.
    pub fn new(app: &'a TestApp, method: Method, path: &str) -> Self {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        Self {
            app,
            request: Request::builder()
                .method(method)
                .uri(path)
                .header(header::USER_AGENT, agent),
            body: Body::empty(),
            from: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        }
    }

    /// With an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With another header field; `user-agent` replaces the usual one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("user-agent")
            && let Some(headers) = self.request.headers_mut()
        {
            headers.remove(header::USER_AGENT);
        }
        self.request = self.request.header(name, value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// With a form, as browsers send it.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// With these bytes as body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// From another address.
    pub fn from(mut self, address: &str) -> Self {
        self.from = address.parse().unwrap();
        self
    }

    /// Sends it.
    pub async fn send(self) -> Reply {
        let request = self.request.body(self.body).unwrap();
        self.app.send(request, self.from).await
    }
}

/// A reply, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: bytes::Bytes,
    pub text: String,
    /// The body, if it is JSON; else null.
    pub body: Value,
}

impl Reply {
    /// Reads it to its end.
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            bytes,
            text,
        }
    }

    /// A header field as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The reply, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The reply, if it is a problem of this status and code, in the form that API.md asks for.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        for field in ["type", "title", "detail", "instance", "request_id"] {
            assert!(
                self.body[field].is_string(),
                "{field} is missing: {}",
                self.text
            );
        }
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        self
    }

    /// `field: code` of a 422, sorted.
    #[track_caller]
    pub fn violations(&self) -> Vec<String> {
        assert_eq!(self.status, 422, "{}", self.text);
        let errors = self.body["errors"].as_array().expect("errors");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut broken: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}", text(&error["field"]), text(&error["code"])))
            .collect();
        broken.sort();
        broken
    }
}
