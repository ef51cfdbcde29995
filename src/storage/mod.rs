//! Floor 1, the database: one [`Store`] over SQLite (one writer, several readers) and PostgreSQL. This module is the
//! wall: database errors gain their meaning here, by constraint name, and entities never leave.

pub mod audit;
pub mod audit_logs;
pub mod audit_seals;
pub mod avatars;
pub mod bulk;
pub mod cards;
pub mod checks;
pub mod credentials;
pub mod deferred_indexes;
pub mod email_changes;
mod entity;
pub mod export;
pub mod failed_logins;
pub mod idempotency;
pub mod imports;
pub mod keys;
mod lead;
pub mod links;
pub mod mail_requests;
mod migration;
pub mod notices;
pub mod outbox;
pub mod outbox_mails;
pub mod people;
pub mod preferences;
pub mod profiles;
pub mod refresh_tokens;
mod replica;
pub mod roles;
pub mod schema;
pub mod search;
pub mod sessions;
pub mod stats;
mod store;
mod store_status;
pub mod sweep;
mod tx;
pub mod user_list;
mod user_matching;
pub mod user_pages;
pub mod users;
mod wall;
pub mod webhook_deliveries;
pub mod webhooks;

/// Anything that queries can run on: a reader or a transaction.
pub use lead::Leadership;
pub use replica::Replica;
pub use sea_orm::ConnectionTrait as Db;
pub use store::{Reader, Store, StoreSettings, Synchronous};
pub use tx::{Changed, Tx, Waiting, Witness};
