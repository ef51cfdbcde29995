//! Making admins from outside the API: at the command line, or at the first start of a deployment.

use super::{Services, events::person};
use crate::{
    domain::{
        Result,
        actor::Actor,
        audit::AuditEntry,
        client::Client,
        email::EmailAddress,
        event::EventType,
        password::{Context, Password, PasswordPolicy},
        permission::{Role, Roles},
        user::{User, UserStatus},
    },
    infra::entropy::Entropy,
    storage::{Store, roles},
};

const ACTION: &str = "create_admin";
/// One draw in forty has no digit.
const MOST_DRAWS: usize = 100;

impl Services {
    /// Makes an active, confirmed admin; a taken address is a conflict.
    pub async fn create_admin(
        &self,
        email: EmailAddress,
        password: Password,
        client: &Client,
    ) -> Result<User> {
        self.must_be_strong("password", &password, &of(&email))?;
        let hash = self.hasher.hash(password).await?;
        let now = self.now();
        let admin = User {
            status: UserStatus::Active,
            verified_at: Some(now),
            roles: Roles::new([Role::Admin]),
            ..User::pending(self.new_id(), email, now)
        };
        let tx = self.store.begin().await?;
        self.insert_person(&tx, &admin, Some(&hash)).await?;
        self.audit(
            &tx,
            AuditEntry::success(ACTION, Actor::System, client).on(admin.id),
        )
        .await?;
        self.publish(&tx, admin.id, (EventType::Created, person(&admin)), client)
            .await?;
        Store::commit(tx).await?;
        Ok(admin)
    }

    /// Whether anybody is an admin.
    pub async fn has_admin(&self) -> Result<bool> {
        roles::is_held(self.store.reader(), Role::Admin).await
    }

    /// A password of 128 random bits in 22 characters for the admin with this address, drawn again while it breaks the rules
    /// in force.
    pub fn random_password(&self, email: &EmailAddress) -> String {
        draw_password(self.policy.password, email, &self.entropy)
    }
}

/// What this admin's password must not be made of.
fn of(email: &EmailAddress) -> Context<'_> {
    Context {
        email: Some(email),
        username: None,
        full_name: None,
    }
}

fn draw_password(policy: PasswordPolicy, email: &EmailAddress, entropy: &Entropy) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let draw = || URL_SAFE_NO_PAD.encode(entropy.bytes::<16>());
    let fits = |text: &String| {
        Password::parse(text).is_ok_and(|drawn| policy.check(&drawn, &of(email)).is_empty())
    };
    let mut drawn = std::iter::repeat_with(draw).take(MOST_DRAWS);
    drawn.find(fits).unwrap_or_else(draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_keeps_the_rules_of_every_profile() {
        let entropy = Entropy::seeded(1);
        let email = EmailAddress::parse("ada@example.com").unwrap();
        for policy in PasswordPolicy::ALL {
            for _ in 0..500 {
                let drawn = draw_password(policy, &email, &entropy);
                assert_eq!(drawn.len(), 22);
                let drawn = Password::parse(&drawn).unwrap();
                assert_eq!(policy.check(&drawn, &of(&email)), [], "{}", policy.as_str());
            }
        }
    }
}
