//! Header fields of answers, documented once and referred to from every operation.

use utoipa::openapi::{
    Components, Header, Ref, RefOr, Response, Type, path::Operation, schema::ObjectBuilder,
};

/// Name, description, example of what every answer carries.
const EVERYWHERE: &[(&str, &str, &str)] = &[(
    "X-Request-Id",
    "Names this request in the logs; taken from the request if it brought a sane one, else made.",
    "0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d",
)];

/// The same of what only operations with a limit tell.
const LIMITED: &[(&str, &str, &str)] = &[
    (
        "RateLimit",
        "What is left of the limit, and in how many seconds it is full again.",
        "\"api\";r=119;t=60",
    ),
    (
        "RateLimit-Policy",
        "The limit that holds for this operation: requests and window in seconds.",
        "\"api\";q=120;w=60",
    ),
];

/// Writes the fields into the components.
pub(super) fn register(components: &mut Components) {
    for &(name, description, example) in EVERYWHERE.iter().chain(LIMITED) {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(200));
        let mut header = Header::new(schema);
        header.description = Some(description.to_owned());
        header.example = Some(example.into());
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

/// Refers to them in the answers that an operation describes itself.
pub(super) fn add(operation: &mut Operation, is_limited: bool) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            refer(response, EVERYWHERE);
            if is_limited {
                refer(response, LIMITED);
            }
        }
    }
}

/// Refers to those of every answer in the shared failures.
pub(super) fn add_to_shared(components: &mut Components) {
    for response in components.responses.values_mut() {
        if let RefOr::T(response) = response {
            refer(response, EVERYWHERE);
        }
    }
}

fn refer(response: &mut Response, fields: &[(&str, &str, &str)]) {
    for (name, ..) in fields {
        let target = Ref::new(format!("#/components/headers/{name}"));
        response
            .headers
            .entry((*name).to_owned())
            .or_insert(RefOr::Ref(target));
    }
}
