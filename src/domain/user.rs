//! A person's account and the lawful ways from one state to the next.

mod changes;
mod subscription;

pub use changes::UserChanges;
pub use subscription::months;

use super::{
    Error, Timestamp,
    email::EmailAddress,
    error::{Clash, Result},
    id::UserId,
    permission::Roles,
    username::Username,
};

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// Signed up or invited; the address is not confirmed.
    Pending,
    /// In use.
    Active,
    /// Put aside by an admin; the data stays.
    Deactivated,
    /// Ended by the person; back only by an admin.
    Terminated,
}

/// What the person has subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Free of charge.
    Basic,
    /// Paid.
    Premium,
}

macro_rules! named {
    ($kind:ident { $($variant:ident = $name:literal),+ }) => {
        impl $kind {
            /// The name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads the name; `None` for any other.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named!(UserStatus { Pending = "pending", Active = "active", Deactivated = "deactivated", Terminated = "terminated" });
named!(Tier { Basic = "basic", Premium = "premium" });

/// A person's account; `E` is the address, readable or [`Sealed`](super::secret::Sealed) as it is stored.
#[derive(Debug, Clone)]
pub struct User<E = EmailAddress> {
    pub id: UserId,
    pub email: E,
    pub username: Option<Username>,
    /// What a strict sign-up wished for: theirs when the address is confirmed, if nobody has it by then.
    pub wished_username: Option<Username>,
    pub full_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub state_province: Option<String>,
    pub current_title: Option<String>,
    pub location: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA time zone.
    pub timezone: Option<String>,
    pub status: UserStatus,
    /// What it was before it was put aside or ended, if that is known.
    pub status_before: Option<UserStatus>,
    pub verified_at: Option<Timestamp>,
    pub roles: Roles,
    pub tier: Tier,
    /// When the tier was last changed; `None` for since the beginning.
    pub tier_since: Option<Timestamp>,
    /// When premium runs out; `None` for never.
    pub tier_until: Option<Timestamp>,
    /// The picture's validator; `None` without a picture.
    pub avatar_tag: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    /// Raised by every change; the `ETag`.
    pub version: i64,
}

impl User {
    /// A new account that waits for its address to be confirmed.
    pub fn pending(id: UserId, email: EmailAddress, now: Timestamp) -> Self {
        Self {
            id,
            email,
            username: None,
            wished_username: None,
            full_name: None,
            country: None,
            state_province: None,
            current_title: None,
            location: None,
            locale: None,
            timezone: None,
            status: UserStatus::Pending,
            status_before: None,
            verified_at: None,
            roles: Roles::new([]),
            tier: Tier::Basic,
            tier_since: None,
            tier_until: None,
            avatar_tag: None,
            created_at: now,
            updated_at: now,
            last_login_at: None,
            version: 1,
        }
    }
}

impl<E> User<E> {
    /// The same account with its address in another form.
    pub fn with_email<F>(self, email: F) -> User<F> {
        User {
            id: self.id,
            email,
            username: self.username,
            wished_username: self.wished_username,
            full_name: self.full_name,
            country: self.country,
            state_province: self.state_province,
            current_title: self.current_title,
            location: self.location,
            locale: self.locale,
            timezone: self.timezone,
            status: self.status,
            status_before: self.status_before,
            verified_at: self.verified_at,
            roles: self.roles,
            tier: self.tier,
            tier_since: self.tier_since,
            tier_until: self.tier_until,
            avatar_tag: self.avatar_tag,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_login_at: self.last_login_at,
            version: self.version,
        }
    }

    /// The tier in force at this time: a premium that has run out is basic.
    pub fn tier_at(&self, now: Timestamp) -> Tier {
        match self.tier_until {
            Some(until) if until <= now => Tier::Basic,
            _ => self.tier,
        }
    }

    /// Whether the address has been confirmed.
    pub fn is_verified(&self) -> bool {
        self.verified_at.is_some()
    }

    /// Confirms the address: a pending account becomes active, others keep their state.
    pub fn verify(&mut self, now: Timestamp) {
        self.verified_at.get_or_insert(now);
        if self.status == UserStatus::Pending {
            self.status = UserStatus::Active;
        }
    }

    /// Ends the account at the person's own wish.
    pub fn terminate(&mut self) -> Result<()> {
        if self.status == UserStatus::Terminated {
            return Err(Error::Conflict(Clash::State));
        }
        if self.status != UserStatus::Deactivated {
            self.status_before = Some(self.status);
        }
        self.status = UserStatus::Terminated;
        Ok(())
    }

    /// Puts the account aside; whether it was not so already. What its owner has ended stays ended.
    pub fn deactivate(&mut self) -> Result<bool> {
        match self.status {
            UserStatus::Terminated => Err(Error::Conflict(Clash::State)),
            UserStatus::Deactivated => Ok(false),
            UserStatus::Pending | UserStatus::Active => {
                self.status_before = Some(self.status);
                self.status = UserStatus::Deactivated;
                Ok(true)
            }
        }
    }

    /// Takes up an account that was put aside or ended; whether it was. One that waited for its address to be confirmed
    /// still does.
    pub fn reactivate(&mut self) -> Result<bool> {
        match self.status {
            UserStatus::Pending => Err(Error::Conflict(Clash::State)),
            UserStatus::Active => Ok(false),
            UserStatus::Deactivated | UserStatus::Terminated => {
                let was_active = self.status_before.take() == Some(UserStatus::Active);
                self.status = if was_active || self.is_verified() {
                    UserStatus::Active
                } else {
                    UserStatus::Pending
                };
                Ok(true)
            }
        }
    }
}
