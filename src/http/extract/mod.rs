//! What handlers take a request apart with. Each refuses in the form of API.md, so that no framework's text gets out.

mod asked;
mod caller;
mod check;
mod field;
mod if_match;
mod if_none_match;
mod json;
mod path;
mod query;
mod signed_in;
mod strict;
mod upload;

pub use asked::{Asked, Offers};
pub use caller::Caller;
pub use check::{Check, Checked};
pub use field::Field;
pub use if_match::{IfMatch, IfMatchTag};
pub use if_none_match::IfNoneMatch;
pub use json::Json;
pub(in crate::http) use json::must_be_json;
pub use path::{Path, PersonId};
pub use query::Query;
pub(in crate::http) use signed_in::{authenticate, bearer};
pub use upload::Upload;
