//! The one integration binary: a module for each feature, and `floors`, which reads the source itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod cli;
mod config;
mod crash;
mod email_change;
mod email_verification;
mod floors;
mod invitation;
mod login;
mod mailer;
mod mails;
mod pages;
mod password_change;
mod password_reset;
mod passwords;
mod shutdown;
mod signup;
mod support;
mod termination;
mod users;
