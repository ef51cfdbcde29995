//! The failures that operations share, each written once in the document's components. A handler names those that are
//! its own by their codes (``(status = 409, description = "`email_taken`")``); `openapi::finish` adds those that any may
//! give.

use super::{
    problem::{FieldProblem, ProblemBody},
    problem_kinds::{self, KINDS},
};
use utoipa::openapi::{
    Components, ContentBuilder, Header, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type,
    example::ExampleBuilder,
};

/// A failure that operations share.
pub struct Shared {
    /// Its name in the document's components.
    pub name: &'static str,
    pub status: u16,
    description: &'static str,
    /// A header that comes with it: name, description, example.
    header: Option<(&'static str, &'static str, &'static str)>,
}

impl Shared {
    /// A reference to it.
    pub fn reference(&self) -> RefOr<Response> {
        RefOr::Ref(Ref::from_response_name(self.name))
    }

    /// With an example of each code that the description names, or of all of its status if it names none.
    fn response(&self) -> Response {
        if KINDS.iter().any(|kind| names(self.description, kind.code)) {
            return self.of_codes(self.description);
        }
        self.response_with(self.description, |_| true)
    }

    /// The same failure where an operation says which codes of it can come: those between backticks.
    pub fn of_codes(&self, description: &str) -> Response {
        self.response_with(description, |code| names(description, code))
    }

    fn response_with(&self, description: &str, may_come: impl Fn(&str) -> bool) -> Response {
        let examples = KINDS
            .iter()
            .filter(|kind| kind.status == self.status || kind.also == Some(self.status))
            .filter(|kind| may_come(kind.code))
            .map(|kind| {
                let value = problem_kinds::example(self.status, kind.code);
                let example = ExampleBuilder::new()
                    .summary(kind.meaning)
                    .value(Some(value));
                (kind.code, example.build())
            });
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .examples_from_iter(examples)
            .build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content);
        match self.header {
            Some((name, description, example)) => {
                response.header(name, text_header(description, example))
            }
            None => response,
        }
        .build()
    }
}

/// Whether a description names this code: between backticks.
fn names(description: &str, code: &str) -> bool {
    description.contains(&format!("`{code}`"))
}

fn text_header(description: &str, example: &str) -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(200))
        .examples([example]);
    let mut header = Header::new(schema);
    header.description = Some(description.to_owned());
    header
}

const CHALLENGE: (&str, &str, &str) = (
    "WWW-Authenticate",
    "How to authenticate (RFC 6750).",
    "Bearer",
);
const PAUSE: (&str, &str, &str) = ("Retry-After", "Seconds to wait before trying again.", "1");

macro_rules! shared {
    ($($name:ident $status:literal $header:expr, $description:literal;)+) => {
        /// All of them.
        pub const SHARED: &[Shared] = &[
            $(Shared { name: stringify!($name), status: $status, description: $description, header: $header }),+
        ];
    };
}

shared! {
    BadRequest 400 None, "The request could not be read, or the mailed token in it is unknown.";
    Unauthenticated 401 Some(CHALLENGE), "Nobody is signed in, or the credentials or the token are not accepted.";
    Forbidden 403 None, "Who asks is known, but may not.";
    NotFound 404 None, "There is no such thing, or it is not for the one who asks.";
    NotAcceptable 406 None, "No media type of Accept can be given.";
    Conflict 409 None, "It clashes with what is there.";
    InFlight 409 None, "`idempotency_in_flight`: the same request, with this key, is still running. `idempotency_outcome_unknown`: it was carried out, but its answer was lost.";
    Gone 410 None, "The mailed token was used before or is past its time, or the cursor's place in the feed is.";
    PreconditionFailed 412 None, "It was changed since the version that `If-Match` names.";
    TooLarge 413 None, "The body is larger than the operation takes.";
    UriTooLong 414 None, "The path and query are longer than the service takes.";
    UnsupportedMediaType 415 None, "The body is in a form that the operation does not take.";
    Invalid 422 None, "`validation_failed`: fields break rules; all of them are listed.";
    InvalidOrKnown 422 None, "`validation_failed`: fields break rules; all of them are listed. `idempotency_conflict`: the key came with another request before.";
    RateLimited 429 Some(PAUSE), "Too many requests.";
    HeadersTooLarge 431 None, "The path, query or header fields are larger than the service takes.";
    Internal 500 None, "Our fault; the request id leads us to the cause.";
    Unavailable 503 Some(PAUSE), "A part of the service cannot answer just now, or not in time.";
}

/// The shared failure with this name.
pub fn named(name: &str) -> Option<&'static Shared> {
    SHARED.iter().find(|shared| shared.name == name)
}

/// The shared failure with this status.
pub fn with_status(status: u16) -> Option<&'static Shared> {
    SHARED.iter().find(|shared| shared.status == status)
}

/// Writes the shared failures and the schemas that they need into the components.
pub fn register(components: &mut Components) {
    for shared in SHARED {
        components
            .responses
            .insert(shared.name.to_owned(), RefOr::T(shared.response()));
    }
    let schemas = [
        (
            "Problem",
            <ProblemBody<'_> as utoipa::PartialSchema>::schema(),
        ),
        (
            "FieldProblem",
            <FieldProblem as utoipa::PartialSchema>::schema(),
        ),
    ];
    for (name, schema) in schemas {
        components.schemas.insert(name.to_owned(), schema);
    }
}
