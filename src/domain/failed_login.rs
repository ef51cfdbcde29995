//! Sign-ins that are refused with one answer, whatever is behind them.

/// What was behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedLogin {
    /// The password is wrong, or nobody is there who could have one.
    WrongPassword,
    /// The password is right, but the account was ended by its owner.
    Terminated,
    /// The password is right, but the address was never confirmed, and sign-ups tell nothing.
    Unconfirmed,
}

impl FailedLogin {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::WrongPassword, Self::Terminated, Self::Unconfirmed];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::Terminated => "terminated",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// Reads the name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
