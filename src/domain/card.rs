//! What premium members see of other people: never an address, a role or a time of login.

use super::id::UserId;

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub id: UserId,
    pub username: Option<String>,
    pub full_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub state_province: Option<String>,
    pub current_title: Option<String>,
    pub location: Option<String>,
    pub headline: Option<String>,
    pub skills: Vec<String>,
    pub open_to_work: bool,
    pub has_avatar: bool,
}
