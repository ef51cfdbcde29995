//! A way to a server on this machine that can be made slow, shut, or deaf, without anybody being told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// So slow that nothing comes through.
const SHUT: u64 = u64::MAX;

/// The door.
pub struct Door {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Milliseconds that everything takes.
    pause: AtomicU64,
    /// Connections that have said `LISTEN` get no answers.
    is_deaf: AtomicBool,
}

impl Door {
    /// Open, to this port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let state = Arc::clone(&door.state);
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let there = TcpStream::connect(("127.0.0.1", port)).await;
                let Ok(there) = there else { continue };
                let (asks, answered) = here.into_split();
                let (answers, asked) = there.into_split();
                let listens = Arc::new(AtomicBool::new(false));
                let (state, notes) = (Arc::clone(&state), Arc::clone(&listens));
                tokio::spawn(pass(asks, asked, Arc::clone(&state), move |bytes| {
                    let says = bytes.windows(6).any(|word| word == b"LISTEN");
                    notes.fetch_or(says, Ordering::SeqCst);
                    false
                }));
                tokio::spawn(pass(answers, answered, state, move |_| {
                    listens.load(Ordering::SeqCst)
                }));
            }
        });
        door
    }

    /// From now on everything takes so long.
    pub fn slow(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.state.pause.store(millis, Ordering::SeqCst);
    }

    /// From now on nothing comes through.
    pub fn shut(&self) {
        self.state.pause.store(SHUT, Ordering::SeqCst);
    }

    /// From now on everything comes through at once.
    pub fn open(&self) {
        self.state.pause.store(0, Ordering::SeqCst);
    }

    /// Whether those that listen to PostgreSQL hear nothing.
    pub fn deafen(&self, is_deaf: bool) {
        self.state.is_deaf.store(is_deaf, Ordering::SeqCst);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    listens: impl Fn(&[u8]) -> bool,
) {
    let mut bytes = vec![0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let is_for_ears = listens(&bytes[..count]);
        let beat = Duration::from_millis(1);
        let mut waited = Duration::ZERO;
        while waited < Duration::from_millis(state.pause.load(Ordering::SeqCst))
            || (is_for_ears && state.is_deaf.load(Ordering::SeqCst))
        {
            tokio::time::sleep(beat).await;
            waited += beat;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
