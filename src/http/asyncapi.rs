//! The `AsyncAPI` 3.0 document: what leaves as events, for programs that read them. A new type of event does not compile
//! until [`data`] says what it carries.

mod data;

use crate::domain::{
    cloud_event::{CONTENT_TYPE, DATA_CONTENT_TYPE},
    event::EventType,
};
use serde_json::{Map, Value, json};

/// The topic as it is by default.
const TOPIC: &str = "usher.users";

/// The whole document.
pub fn document() -> Value {
    let each = |entry: fn(EventType) -> Value| -> Map<String, Value> {
        let named = |kind: &EventType| (kind.as_str().to_owned(), entry(*kind));
        EventType::ALL.iter().map(named).collect()
    };
    let in_channel = |kind: EventType| reference("components/messages", kind);
    let sent: Vec<Value> = EventType::ALL
        .iter()
        .map(|kind| reference("channels/users/messages", *kind))
        .collect();
    let mut schemas = each(schema);
    schemas.extend(data::shared());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Usher events",
            "version": "1.0",
            "description": "What happens to people, as CloudEvents 1.0. Each event arrives at least once, with the same `id`; \
                one person's arrive in the order of `sequence`. `/api/v1` only grows: take fields that you do not know.",
            "license": { "name": "MIT" },
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": { "users": {
            "address": TOPIC,
            "title": "Everything that happens to people",
            "description": "`KAFKA_TOPIC`; with `{type}` in it, each type has a topic of its own. The same events are at \
                `GET /api/v1/events`.",
            "messages": each(in_channel),
            "bindings": { "kafka": { "topic": TOPIC, "bindingVersion": "0.5.0" } },
        } },
        "operations": { "publish_events": {
            "action": "send",
            "title": "Tell what happened",
            "channel": { "$ref": "#/channels/users" },
            "messages": sent,
        } },
        "components": { "messages": each(message), "schemas": schemas },
    })
}

/// A reference to what has a type's name; `/` is the only character that would need escaping, and no name has it.
fn reference(place: &str, kind: EventType) -> Value {
    json!({ "$ref": format!("#/{place}/{}", kind.as_str()) })
}

fn message(kind: EventType) -> Value {
    json!({
        "name": kind.as_str(),
        "title": kind.as_str(),
        "summary": data::summary(kind),
        "contentType": CONTENT_TYPE,
        "payload": reference("components/schemas", kind),
        "bindings": { "kafka": {
            "key": { "type": "string", "format": "uuid", "description": "The person's id." },
            "bindingVersion": "0.5.0",
        } },
    })
}

/// The whole envelope of one type.
fn schema(kind: EventType) -> Value {
    json!({
        "type": "object",
        "description": data::summary(kind),
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "sequence", "requestid", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": { "type": "string", "format": "uuid", "description": "The same at every delivery." },
            "source": { "type": "string", "format": "uri", "description": "The service's public URL." },
            "type": { "const": kind.as_str() },
            "subject": { "type": "string", "format": "uuid", "description": "The person's id." },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": DATA_CONTENT_TYPE },
            "sequence": {
                "type": "string", "pattern": "^[0-9]{20}$",
                "description": "The number in the person's order, from 1 on and without holes.",
            },
            "requestid": { "type": "string", "description": "The request that caused it, as in the log and the audit trail." },
            "traceparent": { "type": "string", "description": "W3C Trace Context of the request." },
            "withheld": {
                "enum": ["erased", "unreadable"],
                "description": "Why `data` is null: the person was erased since, or what is stored does not open.",
            },
            "data": { "anyOf": [data::schema(kind), { "type": "null" }] },
        },
        "additionalProperties": false,
    })
}
