//! What the forms say, by occasion, and where they go.

use super::notice::Link;

/// What a form for an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailFormPurpose {
    ForgotPassword,
    ResendVerification,
}

impl EmailFormPurpose {
    pub fn title(self) -> &'static str {
        match self {
            Self::ForgotPassword => "Forgot your password?",
            Self::ResendVerification => "Confirm your e-mail address",
        }
    }

    pub fn lead(self) -> &'static str {
        match self {
            Self::ForgotPassword => {
                "Type the e-mail address of your account. We send you a link to choose a new password."
            }
            Self::ResendVerification => {
                "Type the e-mail address of your account. We send you a new link to confirm it."
            }
        }
    }

    /// Where the page is, and its form goes.
    pub fn path(self) -> &'static str {
        match self {
            Self::ForgotPassword => "/forgot-password",
            Self::ResendVerification => "/resend-verification",
        }
    }
}

/// The two links that a change of address sends out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailChangeStep {
    Confirm,
    Undo,
}

impl EmailChangeStep {
    pub fn title(self) -> &'static str {
        match self {
            Self::Confirm => "Confirm your new e-mail address",
            Self::Undo => "Undo the change of your e-mail address",
        }
    }

    pub fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Confirm => &[
                "With your confirmation, the new address replaces the old one. The old address gets a notice.",
            ],
            Self::Undo => &[
                "This puts the old e-mail address of your account back in place.",
                "All sessions end: every device is signed out, also the one of whoever made the change. Choose a new password afterwards.",
            ],
        }
    }

    pub fn button(self) -> &'static str {
        match self {
            Self::Confirm => "Use the new address",
            Self::Undo => "Undo and sign out everywhere",
        }
    }

    pub fn otherwise(self) -> &'static str {
        match self {
            Self::Confirm => {
                "You did not ask for this? Then close this page: nothing changes without the confirmation."
            }
            Self::Undo => {
                "The change was yours? Then close this page, and everything stays as it is."
            }
        }
    }

    /// Whether the button does something that hurts when pressed by mistake.
    pub fn is_grave(self) -> bool {
        self == Self::Undo
    }

    /// Where the page is, and its form goes.
    pub fn path(self) -> &'static str {
        match self {
            Self::Confirm => "/confirm-email-change",
            Self::Undo => "/undo-email-change",
        }
    }
}

/// Why somebody chooses a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordPurpose {
    Reset,
    Invitation,
}

impl PasswordPurpose {
    pub fn title(self) -> &'static str {
        match self {
            Self::Reset => "Choose a new password",
            Self::Invitation => "Choose your password",
        }
    }

    pub fn lead(self) -> &'static str {
        match self {
            Self::Reset => {
                "After the change you are signed out on all devices and sign in with the new password."
            }
            Self::Invitation => {
                "Your account is ready as soon as it has a password. Nobody else knows or can choose it."
            }
        }
    }

    pub fn button(self) -> &'static str {
        match self {
            Self::Reset => "Save new password",
            Self::Invitation => "Save password",
        }
    }

    /// Where the page is, and its form goes.
    pub fn path(self) -> &'static str {
        match self {
            Self::Reset => "/reset-password",
            Self::Invitation => "/accept-invitation",
        }
    }

    /// The mailed link that leads here.
    pub fn link(self) -> Link {
        match self {
            Self::Reset => Link::ResetPassword,
            Self::Invitation => Link::Invitation,
        }
    }
}
