//! Failures as the client reads them: `application/problem+json` (RFC 9457). What the log says is another message.
//! A [`Problem`] travels in the response's extensions, too, until `middleware::problems` has said for which request.

use super::problem_kinds;
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// The media type of RFC 9457.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A failure that is on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    instance: Option<String>,
    request_id: Option<String>,
    errors: Vec<FieldProblem>,
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name, with dots into nested objects.
    #[schema(value_type = String, max_length = 100, example = "email")]
    pub field: &'static str,
    /// Stable; what programs act on.
    #[schema(value_type = String, max_length = 50, example = "required")]
    pub code: &'static str,
    /// For people; never repeats the value.
    #[schema(max_length = 300, example = "This field is required.")]
    pub message: String,
}

/// Why a request failed (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!(problem_kinds::example(422, "validation_failed")))]
pub struct ProblemBody<'a> {
    /// Names the kind of problem, relative to this server; reading it there explains the kind.
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    kind: String,
    /// The kind in words.
    #[schema(max_length = 100)]
    title: String,
    /// The HTTP status again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time, for people.
    #[schema(max_length = 500)]
    detail: &'a str,
    /// The path that was asked for, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 8192)]
    instance: Option<&'a str>,
    /// Stable; what programs act on.
    #[schema(max_length = 50)]
    code: &'static str,
    /// The same as in `X-Request-Id`; to be quoted when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    request_id: Option<&'a str>,
    /// All broken rules of all fields (422 only).
    #[serde(skip_serializing_if = "<[FieldProblem]>::is_empty")]
    #[schema(max_items = 100)]
    errors: &'a [FieldProblem],
}

impl Problem {
    /// A problem of this code; `detail` must not repeat what the client sent.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            instance: None,
            request_id: None,
            errors: Vec::new(),
        }
    }

    /// The body could not be read as what it claims to be (400).
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// The body is in a form that this operation does not take (415).
    pub fn unsupported_media_type(detail: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    /// With all broken rules.
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// For the request with this path (without query) and id.
    pub fn of_request(mut self, path: &str, request_id: &str) -> Self {
        self.instance = Some(path.to_owned());
        self.request_id = Some(request_id.to_owned());
        self
    }

    /// As it goes over the wire.
    pub fn body(&self) -> ProblemBody<'_> {
        ProblemBody {
            kind: problem_kinds::uri(self.code),
            title: problem_kinds::title(self.code),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: self.instance.as_deref(),
            code: self.code,
            request_id: self.request_id.as_deref(),
            errors: &self.errors,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, PROBLEM_JSON);
        response.extensions_mut().insert(self);
        response
    }
}
