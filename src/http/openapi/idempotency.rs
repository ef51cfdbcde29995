//! `Idempotency-Key`, which every POST takes: described here once, so that no handler can forget it.

use crate::http::responses;
use utoipa::openapi::{
    Components, Header, Ref, RefOr, Response, Type,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::ObjectBuilder,
};

const REPLAYED: &str = "Idempotency-Replayed";

/// Adds the header, the answers that it may lead to, and how a repeated one is known.
pub(super) fn describe(post: &mut Operation) {
    post.parameters
        .get_or_insert_default()
        .push(RefOr::T(key()));
    let responses = &mut post.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            replayed(response);
        }
    }
    match responses.get_mut("409") {
        Some(RefOr::T(own)) => own
            .description
            .push_str(", `idempotency_in_flight`, `idempotency_outcome_unknown`"),
        Some(RefOr::Ref(_)) => {}
        None => refer(post, "409", "InFlight"),
    }
    match post.responses.responses.get_mut("422") {
        Some(RefOr::T(own)) => own.description.push_str(", `idempotency_conflict`"),
        Some(RefOr::Ref(_)) => {}
        None => refer(post, "422", "InvalidOrKnown"),
    }
}

fn refer(post: &mut Operation, status: &str, name: &str) {
    if let Some(shared) = responses::named(name) {
        let responses = &mut post.responses.responses;
        responses.insert(status.to_owned(), shared.reference());
    }
}

fn key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "One's own name for this request, best a random one. The same request under it, within 24 hours, is answered \
             with the first answer; another is refused.",
        ))
        .schema(Some(schema))
        .example(Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into()))
        .build()
}

/// Writes the answer's field into the components.
pub(super) fn register(components: &mut Components) {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["true"]));
    let mut header = Header::new(schema);
    header.description =
        Some("This is the answer to an earlier request with the same key.".to_owned());
    components
        .headers
        .insert(REPLAYED.to_owned(), RefOr::T(header));
}

fn replayed(response: &mut Response) {
    let target = Ref::new(format!("#/components/headers/{REPLAYED}"));
    response
        .headers
        .entry(REPLAYED.to_owned())
        .or_insert(RefOr::Ref(target));
}
