//! The one integration binary: a module for each feature, and `floors`, which reads the source itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod cli;
mod email_change;
mod config;
mod crash;
mod floors;
mod login;
mod mailer;
mod pages;
mod password_change;
mod password_reset;
mod mails;
mod shutdown;
mod support;
mod termination;
mod users;
