//! Floor 0: what is true without a computer. No async, SQL, HTTP, environment, wall clock or randomness here.

pub mod actor;
pub mod audit;
pub mod audit_chain;
pub mod avatar;
pub mod card;
pub mod change;
pub mod claims;
pub mod client;
pub mod cloud_event;
pub mod country;
pub mod email;
pub mod error;
pub mod event;
pub mod failed_login;
pub mod id;
pub mod import;
pub mod mail;
pub mod notice;
pub mod page;
pub mod password;
pub mod permission;
pub mod phone;
pub mod policy;
pub mod preferences;
pub mod profile;
pub mod public_address;
pub mod rate;
pub mod search;
pub mod secret;
pub mod session;
pub mod steward;
pub mod text;
pub mod trace_parent;
pub mod user;
pub mod user_list;
pub mod username;
pub mod web_link;
pub mod webhook;
pub mod webhook_secret;

pub use error::{Error, Result};

/// Time as the service keeps it: UTC, cut to microseconds (what PostgreSQL can store).
pub type Timestamp = chrono::DateTime<chrono::Utc>;
