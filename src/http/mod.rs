//! Floor 3: the JSON API.

mod error;
mod extract;
mod problem;
mod problem_kinds;
mod v1;
