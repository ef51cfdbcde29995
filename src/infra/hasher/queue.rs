//! The threads that hash: few, of low priority, behind a bounded queue. Each keeps its blocks of memory from one job to
//! the next, because asking the system for them again costs as much as half a hash.

use crate::domain::error::{Error, Part, Result};
use anyhow::anyhow;
use argon2::{Argon2, Block};
use metrics::{counter, gauge, histogram};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};
use tokio::sync::oneshot;
use zeroize::Zeroize;

/// Waiting jobs; exported as a metric.
const QUEUE_LENGTH: &str = "usher_hash_queue_length";

/// The `nice` value of the threads: a flood of logins gives way to everything else.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Where jobs wait. The threads end when it is dropped.
pub(super) struct Queue {
    sender: SyncSender<Job>,
    capacity: usize,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// Starts the threads; each keeps `blocks` blocks of 1 KiB.
    pub fn start(threads: usize, capacity: usize, blocks: usize) -> Self {
        let capacity = capacity.max(1);
        let (sender, receiver) = sync_channel(capacity);
        let receiver = Arc::new(Mutex::new(receiver));
        let waiting = Arc::new(AtomicUsize::new(0));
        for number in 0..threads.max(1) {
            let (receiver, waiting) = (Arc::clone(&receiver), Arc::clone(&waiting));
            let started = thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || work_off(&receiver, &waiting, Memory::keeping(blocks)));
            if let Err(error) = started {
                tracing::error!(%error, "a hashing thread could not be started");
            }
        }
        Self {
            sender,
            capacity,
            waiting,
        }
    }

    /// `busy` if a job would be refused now.
    pub fn must_have_room(&self) -> Result<()> {
        if self.waiting.load(Ordering::Relaxed) < self.capacity {
            return Ok(());
        }
        Err(refused())
    }

    /// Jobs that no thread has taken yet.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Does the work on one of the threads; `busy` at once if the queue is full. Nothing is done if the caller has gone
    /// by the time its turn comes.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |memory: &mut Memory| {
            if answer.is_closed() {
                return;
            }
            let started = Instant::now();
            let result = work(memory);
            histogram!("usher_hash_seconds").record(started.elapsed().as_secs_f64());
            // Whoever left in the meantime needs no answer.
            drop(answer.send(result));
        });
        self.submit(job)?;
        answered
            .await
            .map_err(|_| Error::internal(anyhow!("a hashing job broke off")))
    }

    fn submit(&self, job: Job) -> Result<()> {
        // Counted before it is sent, so that a quick thread cannot count it off first.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        gauge!(QUEUE_LENGTH).increment(1.0);
        self.sender.try_send(job).map_err(|_| {
            count_off(&self.waiting);
            refused()
        })
    }
}

fn refused() -> Error {
    counter!("usher_hash_refused_total").increment(1);
    Error::Unavailable(Part::Hasher)
}

fn count_off(waiting: &AtomicUsize) {
    waiting.fetch_sub(1, Ordering::Relaxed);
    gauge!(QUEUE_LENGTH).decrement(1.0);
}

fn work_off(receiver: &Mutex<Receiver<Job>>, waiting: &AtomicUsize, mut memory: Memory) {
    lower_priority();
    loop {
        // The lock is held while waiting, so that one thread at a time waits for the next job.
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = next else { return };
        count_off(waiting);
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            tracing::error!("a hashing job panicked");
            memory.wipe();
        }
    }
}

#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux alone a thread has a priority of its own; elsewhere this would slow down the whole process.
    let thread = Some(rustix::thread::gettid());
    let lowered = rustix::process::getpriority_process(thread).and_then(|inherited| {
        rustix::process::setpriority_process(thread, NICENESS.max(inherited))
    });
    if let Err(error) = lowered {
        tracing::debug!(%error, "the priority of a hashing thread could not be lowered");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

/// The blocks that Argon2 fills, all zero between two jobs.
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// What a job needs by our own settings; more is given back after use.
    kept: usize,
}

impl Memory {
    fn keeping(kept: usize) -> Self {
        Self {
            blocks: Vec::new(),
            kept,
        }
    }

    /// Fills `out` with the hash.
    pub fn argon2(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let needed = argon2.params().block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::new());
        }
        let blocks = self.blocks.get_mut(..needed).unwrap_or_default();
        let result = argon2.hash_password_into_with_memory(password, salt, out, &mut *blocks);
        blocks.iter_mut().for_each(Zeroize::zeroize);
        self.blocks.truncate(self.kept);
        self.blocks.shrink_to(self.kept);
        result
    }

    fn wipe(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
    }
}

#[cfg(test)]
mod tests;
