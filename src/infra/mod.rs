//! Floor 1, means: clock, randomness, cryptography, mail, requests, limits. Knows neither the database nor the use cases.

pub mod archive;
pub mod bus;
pub mod cache;
pub mod checkpoint_key;
pub mod clock;
pub mod entropy;
pub mod hasher;
pub mod image;
pub mod limiter;
pub mod mail_template;
pub mod mailer;
pub mod outbound;
pub mod push;
pub mod redis;
pub mod signer;
pub mod tracer;
pub mod vault;
