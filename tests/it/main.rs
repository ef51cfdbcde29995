//! The one integration binary: a module for each feature, and `floors`, which reads the source itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, in its helpers too"
)]

mod access;
mod account;
mod activity;
mod administration;
mod asyncapi;
mod audit;
mod audit_logs;
mod audit_seals;
mod avatar;
mod cli;
mod config;
mod conventions;
mod crash;
mod deactivation;
mod email_change;
mod email_verification;
mod erasure;
mod events;
mod export;
mod failed_logins;
mod floors;
mod idempotency;
mod invitation;
mod lockout;
mod login;
mod mail_requests;
mod mailer;
mod mails;
mod nodes;
mod openapi;
mod pages;
mod password_change;
mod password_reset;
mod passwords;
mod people;
mod postgres;
mod preferences;
mod profile;
mod push;
mod rate_limits;
mod readme;
mod reauthentication;
mod relay;
mod replica;
mod required_reset;
mod roles;
mod search;
mod secrecy;
mod sessions;
mod shutdown;
mod signing_keys;
mod signup;
mod stats;
mod subscription;
mod support;
mod sweeping;
mod system;
mod termination;
mod tls;
mod tokens;
mod traces;
mod user_import;
mod user_list;
mod users;
mod webhook_deliveries;
mod webhook_delivery;
mod webhooks;
