//! The mails that the service sends, by what they are for; how they read is in `templates/email/`.

use super::{Timestamp, email::EmailAddress, id::WebhookId, webhook::DisabledReason};
use serde_json::{Value, json};
use std::time::Duration;

/// A mail's purpose and what only this one says.
#[derive(Debug, Clone)]
pub enum Mail {
    /// Confirm the address of a new account.
    VerifyEmail { link: String },
    /// Choose a new password.
    PasswordReset { link: String },
    /// An admin has asked for another password; choose it.
    PasswordResetRequired { link: String },
    /// An account was made for the person; choose its password.
    Invitation { link: String },
    /// Somebody signed up with an address that has an account already.
    AccountExists { reset_link: String },
    /// The password was changed or reset.
    PasswordChanged { at: Timestamp, reset_link: String },
    /// A username was set or changed, by its owner or by staff.
    UsernameChanged { at: Timestamp, reset_link: String },
    /// To the new address: confirm that it is yours.
    ConfirmEmailChange { link: String },
    /// To the old address: it was replaced; `link` undoes it.
    EmailChanged {
        at: Timestamp,
        link: String,
        /// For how long the link works.
        undo_ttl: Duration,
    },
    /// To the old address: an admin has set another one.
    EmailReplaced { at: Timestamp },
    /// A sign-in from a device not seen before.
    NewDevice {
        at: Timestamp,
        device: String,
        ip: String,
        reset_link: String,
    },
    /// A refresh token came back after its use; the session was ended.
    SessionEnded {
        at: Timestamp,
        device: String,
        reset_link: String,
    },
    /// Too many wrong passwords; sign-in by password waits for a reset.
    AccountLocked { at: Timestamp, reset_link: String },
    /// The account was ended by its owner.
    AccountTerminated { at: Timestamp },
    /// To each admin: events are not sent there any more.
    WebhookDisabled {
        at: Timestamp,
        id: WebhookId,
        host: String,
        why: DisabledReason,
    },
}

impl Mail {
    /// [`Mail::VerifyEmail`]'s template.
    pub const VERIFY_EMAIL: &'static str = "verify_email";
    /// [`Mail::PasswordReset`]'s template.
    pub const PASSWORD_RESET: &'static str = "password_reset";
    /// [`Mail::AccountExists`]'s template.
    pub const ACCOUNT_EXISTS: &'static str = "account_exists";
    /// [`Mail::UsernameChanged`]'s template.
    pub const USERNAME_CHANGED: &'static str = "username_changed";

    /// The template's folder name.
    pub fn template(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => Self::VERIFY_EMAIL,
            Self::PasswordReset { .. } => Self::PASSWORD_RESET,
            Self::PasswordResetRequired { .. } => "password_reset_required",
            Self::Invitation { .. } => "invitation",
            Self::AccountExists { .. } => Self::ACCOUNT_EXISTS,
            Self::PasswordChanged { .. } => "password_changed",
            Self::UsernameChanged { .. } => Self::USERNAME_CHANGED,
            Self::ConfirmEmailChange { .. } => "confirm_email_change",
            Self::EmailChanged { .. } => "email_changed",
            Self::EmailReplaced { .. } => "email_replaced",
            Self::NewDevice { .. } => "new_device",
            Self::SessionEnded { .. } => "session_ended",
            Self::AccountLocked { .. } => "account_locked",
            Self::AccountTerminated { .. } => "account_terminated",
            Self::WebhookDisabled { .. } => "webhook_disabled",
        }
    }
}

impl Mail {
    /// Whether an event of the same occasion tells of it, one of [`super::event::EventType`]'s required ones.
    pub fn has_event(&self) -> bool {
        matches!(
            self,
            Self::VerifyEmail { .. }
                | Self::PasswordReset { .. }
                | Self::PasswordResetRequired { .. }
        )
    }

    /// What it says, for another service to say in its own words: a link, which may be a secret, and all else by name.
    pub fn values(&self) -> (&str, Value) {
        match self {
            Self::VerifyEmail { link }
            | Self::PasswordReset { link }
            | Self::PasswordResetRequired { link }
            | Self::Invitation { link }
            | Self::ConfirmEmailChange { link } => (link, json!({})),
            Self::AccountExists { reset_link } => (reset_link, json!({})),
            Self::PasswordChanged { at, reset_link }
            | Self::UsernameChanged { at, reset_link }
            | Self::AccountLocked { at, reset_link } => (reset_link, json!({ "at": at })),
            Self::EmailChanged { at, link, undo_ttl } => (
                link,
                json!({ "at": at, "undo_seconds": undo_ttl.as_secs() }),
            ),
            Self::EmailReplaced { at } | Self::AccountTerminated { at } => {
                ("", json!({ "at": at }))
            }
            Self::NewDevice {
                at,
                device,
                ip,
                reset_link,
            } => (reset_link, json!({ "at": at, "device": device, "ip": ip })),
            Self::SessionEnded {
                at,
                device,
                reset_link,
            } => (reset_link, json!({ "at": at, "device": device })),
            Self::WebhookDisabled { at, id, host, why } => {
                let why = why.as_str();
                (
                    "",
                    json!({ "at": at, "webhook_id": id, "host": host, "reason": why }),
                )
            }
        }
    }
}

/// A mail that anybody can ask for by address, whoever has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedMail {
    /// [`Mail::PasswordReset`].
    PasswordReset,
    /// [`Mail::VerifyEmail`].
    EmailVerification,
    /// [`Mail::VerifyEmail`] with a new account, or [`Mail::AccountExists`]: a sign-up that tells nobody which.
    SignUp,
}

impl RequestedMail {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::PasswordReset, Self::EmailVerification, Self::SignUp];

    /// The verb phrase of the use case: the name in the database and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "request_password_reset",
            Self::EmailVerification => "request_email_verification",
            Self::SignUp => "register",
        }
    }

    /// Reads the name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mail| mail.as_str() == name)
    }
}

/// A mail that is ready to go: what the courier hands to the mail server.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// For readers of plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

impl Message {
    /// Whom it goes to.
    pub fn recipient(&self) -> Option<EmailAddress> {
        EmailAddress::parse(&self.to).ok()
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(***)")
    }
}
