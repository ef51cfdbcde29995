//! The OpenAPI document. Handlers describe what is theirs; what holds for all operations (shared failures, `security`)
//! is written here once by [`finish`], so that no handler can forget it.

mod bounds;
mod headers;
mod idempotency;
mod older;
#[cfg(test)]
mod tests;

pub use older::as_3_0;

use super::{compat, middleware::classes, responses, system, v1};
use axum::http::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        Components, HttpMethod, OpenApi, PathItem, Ref, RefOr, Response, Schema,
        SecurityRequirement,
        path::{Operation, ParameterIn},
        schema::ArrayItems,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Usher",
        version = "1.0",
        description = "User management: accounts, sign-in, sessions, profiles, roles, audit trail and events.\n\n\
            Failures are `application/problem+json` (RFC 9457) with a stable `code`. Requests are JSON of at most 64 KiB. \
            Sign in at `/api/v1/auth/login` and send the access token as `Authorization: Bearer`.",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "Authentication", description = "Sign-up, sign-in, tokens, verification, reset, invitation."),
        (name = "Sessions", description = "One's signed-in devices."),
        (name = "Account", description = "One's own account: password, address, end."),
        (name = "Events", description = "What happened, for other systems."),
        (name = "Audit trail", description = "Who did what, on whom, from where."),
        (name = "Profile", description = "What people tell of themselves, and what they look for."),
        (name = "People", description = "Other people, as far as one may see them."),
        (name = "Webhooks", description = "Who is told of what happened."),
        (name = "System", description = "The service itself: health, figures, keys."),
    ),
    modifiers(&Bearer),
)]
struct Head;

/// Declares how to authenticate.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The access token of a login."));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearerAuth", SecurityScheme::Http(scheme.build()));
    }
}

/// The whole document; the same on every deployment.
pub fn document() -> Value {
    let mut document = Head::openapi();
    document.merge(system::document());
    document.merge(v1::document());
    compat::describe(&mut document);
    finish(&mut document);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    bounds::add(&mut document);
    document
}

/// Describes the operation of another path at this one, too; its operationId gets the suffix. Routing it is up to the
/// caller. False if there is no such operation.
pub fn also_at(
    document: &mut OpenApi,
    alias: &str,
    (method, canonical): (HttpMethod, &str),
    suffix: &str,
) -> bool {
    let paths = &mut document.paths.paths;
    let found = paths.get_mut(canonical);
    let Some(mut twin) = found.and_then(|item| slot(item, &method).clone()) else {
        return false;
    };
    twin.operation_id = twin.operation_id.map(|id| format!("{id}{suffix}"));
    paths
        .entry(alias.to_owned())
        .or_default()
        .merge_operations(PathItem::new(method, twin));
    true
}

fn slot<'a>(item: &'a mut PathItem, method: &HttpMethod) -> &'a mut Option<Operation> {
    match method {
        HttpMethod::Post => &mut item.post,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Patch => &mut item.patch,
        HttpMethod::Delete => &mut item.delete,
        HttpMethod::Head => &mut item.head,
        HttpMethod::Options => &mut item.options,
        HttpMethod::Trace => &mut item.trace,
        HttpMethod::Get => &mut item.get,
    }
}

/// Adds to every operation what holds for all.
fn finish(document: &mut OpenApi) {
    let mut used = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        if let Some(post) = &mut item.post {
            idempotency::describe(post);
        }
        let slots = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, slot) in slots {
            let Some(operation) = slot else { continue };
            complete(operation, path, &method);
            used.extend(
                operation
                    .responses
                    .responses
                    .values()
                    .filter_map(shared_name),
            );
        }
    }
    let components = document.components.get_or_insert_default();
    refer_to_items(components);
    responses::register(components);
    components.responses.retain(|name, _| used.contains(name));
    headers::register(components);
    idempotency::register(components);
    headers::add_to_shared(components);
}

/// In a collection the schema of an item is named, not repeated.
fn refer_to_items(components: &mut Components) {
    let named: BTreeSet<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let item = name.strip_prefix("CollectionResponse_");
        let Some(item) = item.filter(|item| named.contains(*item)) else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}

fn shared_name(response: &RefOr<Response>) -> Option<String> {
    match response {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    }
}

fn complete(operation: &mut Operation, path: &str, method: &Method) {
    let security = operation
        .security
        .get_or_insert_with(|| vec![SecurityRequirement::default()]);
    // Where a token may be left out, a wrong one is refused all the same.
    let takes_token = security
        .iter()
        .any(|requirement| *requirement != SecurityRequirement::default());
    let is_system = operation.tags.iter().flatten().any(|tag| tag == "System");
    let has_body = operation.request_body.is_some();
    let mut parameters = operation.parameters.iter().flatten();
    let has_query = parameters.any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => true,
    });
    let mut responses = operation.responses.responses.iter();
    // A redirection is taken by everybody.
    let answers_json = responses.any(|(status, response)| match response {
        RefOr::T(response) if status.starts_with('2') => {
            response.content.contains_key("application/json") || response.content.is_empty()
        }
        _ => false,
    });
    leave_bodies_out(operation);
    name_failures(operation);
    headers::add(operation, !is_system);
    let applying = [
        (400, has_body),
        (401, takes_token),
        (404, path.contains('{')),
        (406, answers_json),
        // Under an Idempotency-Key the body is read, whatever the operation makes of it.
        (413, has_body || *method == Method::POST),
        (414, has_query),
        // What is sent where nothing is asked for must be JSON, too.
        (415, has_body || *method != Method::GET),
        (422, has_body || has_query),
        // Who asks for too many mails is answered as ever.
        (429, !is_system && !classes::asks_for_mail(method, path)),
        // Every request can be too large; it is told of where nothing else can be wrong with one.
        (431, is_system && !answers_json),
        (500, true),
        (503, true),
    ];
    for (status, applies) in applying {
        if let (true, Some(shared)) = (applies, responses::with_status(status)) {
            operation
                .responses
                .responses
                .entry(status.to_string())
                .or_insert_with(|| shared.reference());
        }
    }
}

/// A body that may be left out is not `null` instead.
fn leave_bodies_out(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema
            && let [named @ RefOr::Ref(_), RefOr::T(_)] | [RefOr::T(_), named @ RefOr::Ref(_)] =
                choice.items.as_slice()
        {
            content.schema = Some(named.clone());
        }
    }
}

/// Gives the failures that an operation names by their codes their bodies and examples.
fn name_failures(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let shared = status.parse().ok().and_then(responses::with_status);
        if let (Some(shared), utoipa::openapi::RefOr::T(response)) = (shared, response)
            && response.content.is_empty()
        {
            *response = shared.of_codes(&response.description);
        }
    }
}
