//! The one closed error of the service. Every kind has a stable code that clients may rely on (API.md, "Codes");
//! the three edges (`http`, `web`, `cli`) each translate it once, and nobody else knows a status code.

use std::time::Duration;

/// A result that fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something that was asked did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the input break rules; all of them at once.
    #[error("the input is not valid")]
    Invalid(Vec<Violation>),
    /// A mailed secret that is not one of ours.
    #[error("the token is unknown or malformed")]
    BadToken,
    /// Who asks is not known, or no longer.
    #[error("{}", .0.message())]
    Unauthenticated(Refusal),
    /// Who asks is known, but may not.
    #[error("{}", .0.message())]
    Forbidden(Barrier),
    /// There is no such thing, or it is not for the one who asks.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It clashes with what is there.
    #[error("{}", .0.message())]
    Conflict(Clash),
    /// It was changed since the writer read it (`If-Match`).
    #[error("the thing was changed meanwhile")]
    Stale,
    /// The client used its name for this request (`Idempotency-Key`) for another before.
    #[error("the key was used for another request")]
    KeyReused,
    /// What was sent is of a kind that is not taken.
    #[error("the content is of a kind that is not taken")]
    UnsupportedKind,
    /// What was sent is larger than is taken.
    #[error("the content is too large")]
    TooLarge,
    /// A mailed secret that was one of ours, but is spent, or a place whose neighbours are deleted.
    #[error("{}", .0.message())]
    Gone(Spent),
    /// A limit is used up.
    #[error("too many requests")]
    TooMany {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// A part of the service cannot answer just now.
    #[error("{}", .0.message())]
    Unavailable(Part),
    /// Our fault. The client sees only the request id; the log sees the chain.
    #[error("something went wrong here")]
    Internal(#[source] anyhow::Error),
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's name on the wire, with dots into nested objects.
    pub field: &'static str,
    /// Stable code: `required`, `too_short`, `too_long`, `format`, `unknown_value`, `password_weak` ...
    pub code: &'static str,
    /// For people; never contains the value.
    pub message: String,
}

impl Violation {
    /// A broken rule; `message` must not repeat the value.
    pub fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            code,
            message: message.into(),
        }
    }

    /// The field is missing.
    pub fn required(field: &'static str) -> Self {
        Self::new(field, "required", "This field is required.")
    }

    /// The field has the wrong form.
    pub fn format(field: &'static str, message: &str) -> Self {
        Self::new(field, "format", message)
    }
}

/// A broken rule before it is known which field it is of; what `parse` functions of the domain fail with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, as in [`Violation::code`].
    pub code: &'static str,
    /// For people; never contains the value.
    pub message: &'static str,
}

impl Fault {
    /// A broken rule.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// The same, of this field.
    pub fn of(self, field: &'static str) -> Violation {
        Violation::new(field, self.code, self.message)
    }
}

/// The cases of 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown person, wrong password or terminated account: one answer for all three.
    InvalidCredentials,
    /// No bearer token was sent.
    NoToken,
    /// A token that this service did not make, or not for this use.
    TokenInvalid,
    /// A token past its time.
    TokenExpired,
    /// A refresh token that was used before; its session is over.
    TokenReused,
    /// The session that the token belongs to has ended.
    SessionEnded,
}

/// The cases of 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// The address has not been confirmed yet.
    EmailNotVerified,
    /// An admin has deactivated the account.
    AccountDeactivated,
    /// An admin has asked for another password.
    PasswordChangeRequired,
    /// The last proof of the password is too long ago for this.
    ReauthenticationRequired,
    /// The role does not carry the permission.
    Permission,
    /// Premium is needed to see other people.
    PremiumRequired,
    /// The tier is not one's own to change.
    EntitlementRequired,
    /// The current password that came along is wrong.
    WrongPassword,
}

/// The cases of 409.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// Another account has this address.
    EmailTaken,
    /// Another account has this username.
    UsernameTaken,
    /// The deployment would be left without an active admin.
    LastAdmin,
    /// The same request is running at this moment.
    InFlight,
    /// The same request was carried out, and its answer was lost.
    OutcomeUnknown,
    /// There are as many webhooks as there may be.
    WebhookLimit,
    /// The thing is in a state that does not allow this.
    State,
}

/// The cases of 410.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Past its time, or made void by a newer one.
    Expired,
    /// Used before.
    Used,
    /// A cursor after which events have been deleted.
    Cursor,
}

/// The cases of 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The queue for password hashing is full.
    Hasher,
    /// As many pictures are being sent as there is room for.
    Images,
    /// The database does not answer in time.
    Database,
}

impl Error {
    /// An unexpected failure with what was being done.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }

    /// A single broken rule.
    pub fn invalid(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, code, message)])
    }

    /// The stable code that clients act on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "validation_failed",
            Self::BadToken => "token_invalid",
            Self::Unauthenticated(refusal) => refusal.code(),
            Self::Forbidden(barrier) => barrier.code(),
            Self::NotFound(_) => "not_found",
            Self::Conflict(clash) => clash.code(),
            Self::Stale => "stale",
            Self::KeyReused => "idempotency_conflict",
            Self::UnsupportedKind => "unsupported_media_type",
            Self::TooLarge => "payload_too_large",
            Self::Gone(spent) => spent.code(),
            Self::TooMany { .. } => "rate_limited",
            Self::Unavailable(part) => part.code(),
            Self::Internal(_) => "internal",
        }
    }
}

/// Gives each kind its stable code and its sentence for people.
macro_rules! worded {
    ($kind:ident of $of:ident { $($variant:ident => $code:literal, $message:literal;)+ }) => {
        impl $kind {
            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// One sentence for people.
            pub fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }

        impl From<$kind> for Error {
            fn from(kind: $kind) -> Self {
                Self::$of(kind)
            }
        }
    };
}

worded!(Refusal of Unauthenticated {
    InvalidCredentials => "invalid_credentials", "The e-mail address (or username) and the password do not match.";
    NoToken => "unauthenticated", "Sign in first: send an access token as Authorization: Bearer.";
    TokenInvalid => "token_invalid", "The token is not valid.";
    TokenExpired => "token_expired", "The token has expired.";
    TokenReused => "token_reused", "The refresh token was used before; its session has been ended.";
    SessionEnded => "session_ended", "The session has ended; sign in again.";
});
worded!(Barrier of Forbidden {
    EmailNotVerified => "email_not_verified", "Confirm your e-mail address first.";
    AccountDeactivated => "account_deactivated", "The account is deactivated.";
    PasswordChangeRequired => "password_change_required", "Choose a new password first: by the link that was mailed to you, or by another one.";
    ReauthenticationRequired => "reauthentication_required", "Prove your password again for this.";
    Permission => "forbidden", "Your role does not allow this.";
    PremiumRequired => "premium_required", "Seeing other people needs a premium account.";
    EntitlementRequired => "entitlement_required", "Only an admin can change your subscription.";
    WrongPassword => "wrong_password", "The current password is wrong.";
});
worded!(Clash of Conflict {
    EmailTaken => "email_taken", "There is already an account with this e-mail address.";
    UsernameTaken => "username_taken", "This username is taken.";
    LastAdmin => "last_admin", "The last active admin cannot be removed.";
    InFlight => "idempotency_in_flight", "The same request is still running; ask again shortly.";
    OutcomeUnknown => "idempotency_outcome_unknown", "The request was carried out, but its answer was lost; look at what is there before you use a new key.";
    WebhookLimit => "webhook_limit", "There are as many webhooks as there may be; delete one first.";
    State => "conflict", "The current state does not allow this.";
});
worded!(Spent of Gone {
    Expired => "token_expired", "The link has expired; ask for a new one.";
    Used => "token_used", "The link has been used already.";
    Cursor => "cursor_expired", "Events beside this cursor have been deleted; begin again without one.";
});
worded!(Part of Unavailable {
    Hasher => "busy", "Too many sign-ins at this moment; try again shortly.";
    Images => "busy", "Too many pictures at this moment; try again shortly.";
    Database => "unavailable", "The service cannot answer just now; try again shortly.";
});
