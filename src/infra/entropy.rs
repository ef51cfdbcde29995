//! The only source of random bytes: the operating system, or a seed in tests.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::sync::{Arc, Mutex, PoisonError};

/// Where random bytes come from.
#[derive(Clone)]
pub enum Entropy {
    /// A generator seeded by the operating system, per thread.
    System,
    /// Reproducible bytes for tests.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    /// The same bytes for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `bytes` with random ones.
    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that makes randomness"
            )]
            Self::System => rand::rng().fill_bytes(bytes),
            Self::Seeded(rng) => rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(bytes),
        }
    }

    /// So many random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}
