//! Events on the wire: CloudEvents 1.0.2, the same envelope in the feed, on the bus and to webhooks.

use super::{
    Timestamp,
    event::StoredEvent,
    id::{EventId, UserId},
};
use serde::Serialize;
use serde_json::Value;

/// One event in the JSON event format.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// Several of them in the JSON batch format.
pub const BATCH_CONTENT_TYPE: &str = "application/cloudevents-batch+json";
/// The media type of the data alone.
pub const DATA_CONTENT_TYPE: &str = "application/json";

/// Why an event comes without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Withheld {
    /// The person was erased, and with their key what the event said of them.
    Erased,
    /// What is stored does not open: somebody changed it.
    Unreadable,
}

impl Withheld {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Unreadable => "unreadable",
        }
    }
}

/// An event as others get it. Its data is personal: it does not print.
#[derive(Clone, Serialize)]
pub struct CloudEvent {
    pub specversion: &'static str,
    pub id: EventId,
    /// The service's public URL.
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: UserId,
    pub time: Timestamp,
    pub datacontenttype: &'static str,
    /// Extension `sequence`: the number in its person's order in 20 digits, which sort as text.
    pub sequence: String,
    /// Extension of ours: the request that caused it.
    pub requestid: String,
    /// Extension `traceparent` (W3C Trace Context).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Extension of ours: set where `data` is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    pub data: Value,
}

impl CloudEvent {
    /// The envelope around what was opened of a stored event.
    pub fn of(event: &StoredEvent, source: String, data: Result<Value, Withheld>) -> Self {
        let (data, withheld) = match data {
            Ok(data) => (data, None),
            Err(withheld) => (Value::Null, Some(withheld)),
        };
        Self {
            specversion: "1.0",
            id: event.id,
            source,
            kind: event.kind.clone(),
            subject: event.user_id,
            time: event.at,
            datacontenttype: DATA_CONTENT_TYPE,
            sequence: format!("{:020}", event.sequence),
            requestid: event.request_id.clone(),
            traceparent: event.trace_parent.clone(),
            withheld,
            data,
        }
    }

    /// Every attribute but `datacontenttype` by its name: the headers of the binary mode.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let time = self
            .time
            .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let mut all = vec![
            ("specversion", self.specversion.to_owned()),
            ("id", self.id.to_string()),
            ("source", self.source.clone()),
            ("type", self.kind.clone()),
            ("subject", self.subject.to_string()),
            ("time", time),
            ("sequence", self.sequence.clone()),
            ("requestid", self.requestid.clone()),
        ];
        let traced = self.traceparent.clone();
        all.extend(traced.map(|trace| ("traceparent", trace)));
        let withheld = self.withheld;
        all.extend(withheld.map(|why| ("withheld", why.as_str().to_owned())));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Sealed;
    use serde_json::json;
    use uuid::Uuid;

    fn stored() -> StoredEvent {
        StoredEvent {
            id: EventId(Uuid::from_u128(1)),
            kind: "user.created".to_owned(),
            user_id: UserId(Uuid::from_u128(2)),
            sequence: 42,
            at: Timestamp::from_timestamp_micros(1_767_614_400_000_000).unwrap(),
            request_id: "r-1".to_owned(),
            trace_parent: Some(
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            ),
            data: Sealed(Vec::new()),
        }
    }

    #[test]
    fn the_headers_of_the_binary_mode_say_what_the_envelope_says() {
        for data in [Ok(json!({ "user": 1 })), Err(Withheld::Erased)] {
            let event = CloudEvent::of(&stored(), "https://usher.example".to_owned(), data);
            let mut envelope = json!(event);
            for (name, value) in event.attributes() {
                let members = envelope.as_object_mut().unwrap();
                assert_eq!(members.remove(name), Some(json!(value)), "{name}");
            }
            let rest = json!({ "datacontenttype": "application/json", "data": event.data });
            assert_eq!(envelope, rest);
        }
    }

    #[test]
    fn sequences_sort_as_text_and_names_are_lower_case_letters() {
        let event = CloudEvent::of(&stored(), String::new(), Ok(Value::Null));
        assert_eq!(event.sequence, "00000000000000000042");
        for (name, _) in event.attributes() {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        }
    }
}
