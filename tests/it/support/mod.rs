//! What the tests stand on: the real app on a database of its own, a hand-wound clock, mails in a list, a small cast.

pub mod app;
pub mod at_once;
pub mod client;
pub mod database;
pub mod document;
pub mod door;
pub mod endpoint;
pub mod jwt;
pub mod logs;
mod memory;
pub mod people;
pub mod process;
pub mod redis;
pub mod smtp;
mod written;

pub use app::TestApp;
pub use client::Reply;
