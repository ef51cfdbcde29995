//! Where events are delivered to: a Kafka cluster, a list in tests, or nowhere. A person's events are handed over one
//! after the other: the next one only when the one before has arrived, so that a fault never turns their order around.

#[cfg(feature = "kafka")]
pub mod kafka;

use crate::domain::{
    cloud_event::CloudEvent,
    id::{EventId, UserId},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Where events go.
#[derive(Clone)]
pub enum Bus {
    /// To a cluster.
    #[cfg(feature = "kafka")]
    Kafka(Arc<kafka::KafkaBus>),
    /// Into a list that tests read.
    Memory(Arc<Mutex<MemoryBus>>),
    /// Nowhere: they stay in the feed.
    Off,
}

/// A broker in memory, which tests make fail.
#[derive(Default)]
pub struct MemoryBus {
    /// What arrived, in this order, as JSON.
    pub delivered: Vec<serde_json::Value>,
    /// Nothing arrives.
    pub is_down: bool,
    /// Events of these types do not arrive.
    pub refused: BTreeSet<String>,
}

/// Why an event did not arrive: a code of the client, never a piece of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BusFault(pub String);

/// An event that did not arrive, and why.
#[derive(Debug)]
pub struct Refused {
    pub event: EventId,
    pub fault: BusFault,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Delivered {
    /// What the broker has taken responsibility for.
    pub ids: Vec<EventId>,
    /// Of whom it has not taken one; their later ones were not handed over.
    pub refused: BTreeMap<UserId, Refused>,
}

impl Delivered {
    /// Whether something was tried, and in vain.
    pub fn is_in_vain(&self) -> bool {
        self.ids.is_empty() && !self.refused.is_empty()
    }
}

impl Bus {
    /// A list that fills up.
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Whether events go anywhere.
    pub fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Makes what has to be there before the first event, as far as that is wanted and allowed.
    pub async fn prepare(&self) {
        match self {
            #[cfg(feature = "kafka")]
            Self::Kafka(bus) => bus.prepare().await,
            Self::Memory(_) | Self::Off => {}
        }
    }

    /// Hands over events, in which each person's are in order; at once as far as they are of different people. Of whom one
    /// does not arrive, the later ones wait, too.
    pub async fn deliver(&self, events: &[CloudEvent]) -> Delivered {
        let mut queues: BTreeMap<UserId, VecDeque<&CloudEvent>> = BTreeMap::new();
        for event in events {
            queues.entry(event.subject).or_default().push_back(event);
        }
        let mut done = Delivered::default();
        loop {
            let wave: Vec<&CloudEvent> = queues
                .values_mut()
                .filter_map(VecDeque::pop_front)
                .collect();
            if wave.is_empty() {
                return done;
            }
            for (event, outcome) in wave.iter().zip(self.send(&wave).await) {
                match outcome {
                    Ok(()) => done.ids.push(event.id),
                    Err(fault) => {
                        queues.remove(&event.subject);
                        let id = event.id;
                        let refused = Refused { event: id, fault };
                        done.refused.insert(event.subject, refused);
                    }
                }
            }
        }
    }

    /// Hands over one event of each of several people; what came of each.
    async fn send(&self, wave: &[&CloudEvent]) -> Vec<Result<(), BusFault>> {
        match self {
            #[cfg(feature = "kafka")]
            Self::Kafka(bus) => bus.send(wave).await,
            Self::Memory(bus) => {
                let mut bus = bus.lock().unwrap_or_else(PoisonError::into_inner);
                wave.iter().map(|event| bus.take(event)).collect()
            }
            Self::Off => wave
                .iter()
                .map(|_| Err(BusFault("there is no broker".to_owned())))
                .collect(),
        }
    }
}

impl MemoryBus {
    fn take(&mut self, event: &CloudEvent) -> Result<(), BusFault> {
        if self.is_down || self.refused.contains(&event.kind) {
            return Err(BusFault("refused".to_owned()));
        }
        self.delivered.push(serde_json::json!(event));
        Ok(())
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => "Bus::Kafka",
            Self::Memory(_) => "Bus::Memory",
            Self::Off => "Bus::Off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, event::StoredEvent, secret::Sealed};
    use serde_json::Value;
    use uuid::Uuid;

    pub(super) fn event(user: u128, sequence: i64, kind: &str) -> CloudEvent {
        let stored = StoredEvent {
            id: EventId(Uuid::from_u128(
                (user << 32) | u128::from(sequence.unsigned_abs()),
            )),
            kind: kind.to_owned(),
            user_id: UserId(Uuid::from_u128(user)),
            sequence,
            at: Timestamp::UNIX_EPOCH,
            request_id: String::new(),
            trace_parent: None,
            data: Sealed(Vec::new()),
        };
        CloudEvent::of(&stored, String::new(), Ok(Value::Null))
    }

    fn told(bus: &Arc<Mutex<MemoryBus>>) -> Vec<(u128, String)> {
        let bus = bus.lock().unwrap();
        let each = bus.delivered.iter().map(|event| {
            let subject: Uuid = event["subject"].as_str().unwrap().parse().unwrap();
            let sequence = event["sequence"].as_str().unwrap();
            (
                subject.as_u128(),
                sequence.trim_start_matches('0').to_owned(),
            )
        });
        each.collect()
    }

    #[tokio::test]
    async fn after_one_that_does_not_arrive_a_persons_later_ones_wait_and_others_go_on() {
        let list = Arc::new(Mutex::new(MemoryBus::default()));
        list.lock().unwrap().refused.insert("bad".to_owned());
        let bus = Bus::Memory(Arc::clone(&list));
        let events = [
            event(1, 1, "good"),
            event(1, 2, "bad"),
            event(2, 1, "good"),
            event(1, 3, "good"),
            event(2, 2, "good"),
            event(2, 3, "good"),
        ];
        let done = bus.deliver(&events).await;
        let expected = [(1, "1"), (2, "1"), (2, "2"), (2, "3")];
        let expected: Vec<_> = expected.map(|(user, n)| (user, n.to_owned())).to_vec();
        assert_eq!(told(&list), expected);
        assert_eq!(done.ids.len(), 4);
        let refused: Vec<_> = done.refused.iter().collect();
        let [(person, refused)] = refused.as_slice() else {
            panic!("{refused:?}");
        };
        assert_eq!((person.0.as_u128(), refused.event), (1, events[1].id));
        assert!(!done.is_in_vain());
    }

    #[tokio::test]
    async fn when_nothing_arrives_nothing_more_is_tried() {
        let list = Arc::new(Mutex::new(MemoryBus::default()));
        list.lock().unwrap().is_down = true;
        let bus = Bus::Memory(Arc::clone(&list));
        let done = bus.deliver(&[event(1, 1, "a"), event(1, 2, "a")]).await;
        assert!(done.is_in_vain());
        assert_eq!(done.refused.len(), 1);
        let off = Bus::Off.deliver(&[event(1, 1, "a")]).await;
        assert!(off.is_in_vain());
        assert!(!Bus::Off.deliver(&[]).await.is_in_vain());
    }
}
