//! Which passwords are taken, and what hashing them costs.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use crate::domain::password::PasswordPolicy;

/// OWASP's least cost of Argon2id with one lane.
const LEAST_MEMORY_KIB: u32 = 19_456;
const LEAST_ITERATIONS: u32 = 2;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "PASSWORD_POLICY",
        Fallback::Fixed("tiered"),
        "`tiered` (8 to 14 characters need upper case, lower case and a digit; from 15 on anything), `requirement` (always those three), `asvs` (8, anything) or `nist` (15, anything; advised for new deployments).",
    ),
    Setting::new(
        "MAX_LOGIN_FAILURES",
        Fallback::Fixed("100"),
        "Wrong passwords in a row after which signing in waits for a reset by mail; at most 100.",
    ),
    Setting::new(
        "HASH_THREADS",
        Fallback::Fixed("0"),
        "Threads that hash passwords; 0 takes as many as there are cores.",
    ),
    Setting::new(
        "HASH_QUEUE",
        Fallback::Fixed("64"),
        "Passwords that may wait for a thread; past it the answer is 503 `busy`.",
    ),
    Setting::new(
        "HASH_MEMORY_KIB",
        Fallback::Fixed("19456"),
        "Memory of one Argon2id hash; at least 19456 in production.",
    ),
    Setting::new(
        "HASH_ITERATIONS",
        Fallback::Fixed("2"),
        "Passes of one Argon2id hash; at least 2 in production.",
    ),
];

/// Passwords and their hashes.
#[derive(Debug, Clone)]
pub struct PasswordsConfig {
    pub policy: PasswordPolicy,
    pub max_failures: i32,
    /// 0: as many as cores.
    pub hash_threads: usize,
    pub hash_queue: usize,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
}

impl PasswordsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let config = Self {
            policy: reader
                .parsed(
                    "PASSWORD_POLICY",
                    "tiered, requirement, asvs or nist",
                    PasswordPolicy::parse,
                )
                .unwrap_or(PasswordPolicy::Nist),
            max_failures: reader.number("MAX_LOGIN_FAILURES", 1..=100),
            hash_threads: reader.number("HASH_THREADS", 0..=256),
            hash_queue: reader.number("HASH_QUEUE", 1..=100_000),
            hash_memory_kib: reader.number("HASH_MEMORY_KIB", 8..=262_144),
            hash_iterations: reader.number("HASH_ITERATIONS", 1..=16),
        };
        if reader.is_production() {
            config.check_cost(reader);
        }
        config
    }

    fn check_cost(&self, reader: &mut Reader) {
        if self.hash_memory_kib < LEAST_MEMORY_KIB {
            reader.refuse(
                "HASH_MEMORY_KIB",
                format_args!("must be at least {LEAST_MEMORY_KIB} in production"),
            );
        }
        if self.hash_iterations < LEAST_ITERATIONS {
            reader.refuse(
                "HASH_ITERATIONS",
                format_args!("must be at least {LEAST_ITERATIONS} in production"),
            );
        }
    }
}
