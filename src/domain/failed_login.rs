//! Sign-ins that are refused with one answer, whatever is behind them.

/// What was behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedLogin {
    /// The password is wrong, or nobody is there who could have one.
    WrongPassword,
    /// The password is right, but the account was ended by its owner.
    Terminated,
}

impl FailedLogin {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::WrongPassword, Self::Terminated];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::Terminated => "terminated",
        }
    }

    /// Reads the name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
