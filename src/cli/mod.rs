//! To be filled in this change.

pub mod config;
