//! Sessions (one per signed-in device) and the rule of refresh token rotation (RFC 6749, RFC 9700 section 4.14).

use super::{
    Timestamp,
    id::{RefreshTokenId, SessionId, UserId},
    secret::Sealed,
};
use std::time::Duration;

/// A signed-in device.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The absolute end; refreshing does not move it.
    pub expires_at: Timestamp,
    /// When the password was last proven in it.
    pub auth_time: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub ip: Option<Sealed>,
    pub user_agent: Option<Sealed>,
}

impl Session {
    /// The same with the end that these limits give it, if that is earlier: the owner's roles may have changed since.
    pub fn within(mut self, limits: SessionLimits) -> Self {
        self.expires_at = self.expires_at.min(later(self.created_at, limits.absolute));
        self
    }

    /// Whether the session can still be used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// Why a session ended; kept with it and in the audit trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    LoggedOut,
    LoggedOutEverywhere,
    Revoked,
    PasswordChanged,
    PasswordReset,
    EmailChangeUndone,
    TokenReused,
    Terminated,
    Deactivated,
    /// Staff has signed the person out.
    RevokedByStaff,
    /// An admin has asked for another password.
    PasswordResetRequired,
    /// An operator has signed everybody out.
    EverybodySignedOut,
    /// Somebody else proved that the address is theirs (account pre-hijacking).
    Reclaimed,
}

impl SessionEnd {
    /// The name in the database, in audit and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChangeUndone => "email_change_undone",
            Self::TokenReused => "token_reused",
            Self::Terminated => "terminated",
            Self::Deactivated => "deactivated",
            Self::RevokedByStaff => "revoked_by_staff",
            Self::PasswordResetRequired => "password_reset_required",
            Self::EverybodySignedOut => "everybody_signed_out",
            Self::Reclaimed => "reclaimed",
        }
    }
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without a refresh for this long, it ends.
    pub idle: Duration,
    /// It never lasts longer than this.
    pub absolute: Duration,
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time + chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX)
}

/// A refresh token as it is stored.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub id: RefreshTokenId,
    pub session_id: SessionId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    pub used_at: Option<Timestamp>,
    /// The successor's secret, sealed under this token's own secret: only its holder can open it.
    pub successor_sealed: Option<Sealed>,
    /// Whether the successor, if any, has itself been used.
    pub successor_used: bool,
}

/// What a shown refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// First use: a successor takes its place.
    Rotate,
    /// A parallel call inside the grace window: the same successor again.
    Repeat,
    /// Past its time.
    Expired,
    /// Replayed: somebody else may have it, and the session ends.
    Reused,
}

impl RefreshToken {
    /// The same with the end that these limits give it, if that is earlier.
    pub fn within(mut self, limits: SessionLimits) -> Self {
        self.expires_at = self.expires_at.min(later(self.created_at, limits.idle));
        self
    }

    /// Judges a shown token. Only the immediate predecessor of the live token is forgiven, and only for `grace`.
    pub fn judge(&self, now: Timestamp, grace: Duration) -> Rotation {
        let Some(used_at) = self.used_at else {
            return if now < self.expires_at {
                Rotation::Rotate
            } else {
                Rotation::Expired
            };
        };
        // By the distance, so that a clock set back opens no window that has closed.
        let within = (now - used_at).abs().to_std().unwrap_or(Duration::MAX) <= grace;
        if within && !grace.is_zero() && !self.successor_used && self.successor_sealed.is_some() {
            Rotation::Repeat
        } else {
            Rotation::Reused
        }
    }
}
