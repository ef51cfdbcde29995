//! Usher, a self-hosted user management service.
//!
//! The code is a building of five floors; a floor uses only floors below it, and `tests/it/floors.rs` proves it:
//!
//! | floor | modules | job |
//! |---|---|---|
//! | 4 wiring | `app`, `cli`, `telemetry`, `fuzzing` | put the parts together, run them |
//! | 3 front doors | `http`, `web`, `jobs` | how people and clocks ask |
//! | 2 use cases | `services` | what can be asked: who may, the rule, one transaction |
//! | 1 means | `config`, `storage`, `infra` | disk, sockets, settings, cryptography |
//! | 0 pure | `domain` | what is true without a computer |

mod app;
pub mod cli;
mod config;
mod domain;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http;
mod infra;
mod jobs;
mod services;
mod storage;
mod telemetry;
mod web;

pub use app::{App, Means, build, migrate};
pub use config::Config;
pub use domain::mail::Message;
pub use infra::{
    bus::{Bus, MemoryBus},
    clock::Clock,
    entropy::Entropy,
    mailer::{MailFault, Mailer, SmtpSettings, Tls},
    outbound::{Resolver, Table},
};
