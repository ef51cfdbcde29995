//! Floor 3, the pages for people: what they look like, what they say.

pub mod mailbox;
pub mod notice;
pub mod page;
pub mod pasted;
pub mod wording;
