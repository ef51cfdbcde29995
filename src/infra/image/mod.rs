//! Pictures that people send: decoded with bounds and encoded anew, one at a time, so that no picture costs more than a
//! known amount of memory (`decoding`). Whoever sends one holds a [`Slot`] from before its bytes are read.

mod bounds;
mod containers;
mod decoding;
mod jpeg;
mod png;
mod reducing;
#[cfg(test)]
mod tests;
mod webp;

use crate::domain::{
    error::{Error, Part, Result},
    id::UserId,
};
use bytes::Bytes;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// The form in which pictures are kept and served.
pub const MEDIA_TYPE: &str = "image/png";

/// How many people may send a picture at the same moment.
const MOST_SLOTS: usize = 8;

/// Who waits longer, in the queue and for the work, is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A picture in both sizes, each a whole file of [`MEDIA_TYPE`].
#[derive(Debug)]
pub struct Picture {
    pub large: Vec<u8>,
    pub small: Vec<u8>,
}

/// Makes pictures of uploads; clones share the queue.
#[derive(Debug, Clone)]
pub struct Images(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Who holds a slot.
    in_hand: Mutex<HashSet<UserId>>,
    /// One picture is worked on at a time.
    worker: Arc<Semaphore>,
}

impl Images {
    /// Nobody sends a picture yet.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            in_hand: Mutex::default(),
            worker: Arc::new(Semaphore::new(1)),
        }))
    }

    /// A place for one picture of this person; `busy` while they hold another, or too many others do.
    pub fn reserve(&self, owner: UserId) -> Result<Slot> {
        let mut in_hand = self
            .0
            .in_hand
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if in_hand.len() >= MOST_SLOTS || !in_hand.insert(owner) {
            metrics::counter!("usher_images_refused_total").increment(1);
            return Err(Error::Unavailable(Part::Images));
        }
        Ok(Slot {
            images: self.clone(),
            owner,
        })
    }
}

/// A place for one picture; free again when dropped.
#[derive(Debug)]
pub struct Slot {
    images: Images,
    owner: UserId,
}

impl Slot {
    /// The picture in both sizes; an error of the field `file` if it cannot be made, `busy` if it takes too long.
    pub async fn prepare(&self, upload: Bytes) -> Result<Picture> {
        let worker = Arc::clone(&self.images.0.worker);
        let work = async move {
            let turn = worker.acquire_owned().await.map_err(Error::internal)?;
            // Holds its turn to the end, also if whoever asked has gone: the next one must not run beside it.
            let done = tokio::task::spawn_blocking(move || {
                let picture = decoding::picture(&upload);
                drop(turn);
                picture
            });
            done.await.unwrap_or_else(|_| {
                tracing::warn!("a picture made the decoder panic");
                Err(decoding::unreadable())
            })
        };
        tokio::time::timeout(PATIENCE, work)
            .await
            .unwrap_or(Err(Error::Unavailable(Part::Images)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut in_hand = self
            .images
            .0
            .in_hand
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        in_hand.remove(&self.owner);
    }
}
