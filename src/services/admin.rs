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
        password::{Context, Password},
        permission::{Role, Roles},
        user::{User, UserStatus},
    },
    storage::{Store, roles},
};

const ACTION: &str = "create_admin";

impl Services {
    /// Makes an active, confirmed admin; a taken address is a conflict.
    pub async fn create_admin(
        &self,
        email: EmailAddress,
        password: Password,
        client: &Client,
    ) -> Result<User> {
        let context = Context {
            email: Some(&email),
            username: None,
            full_name: None,
        };
        self.must_be_strong("password", &password, &context)?;
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

    /// A password of 128 random bits for the admin of a development database, in 22 characters.
    pub fn random_password(&self) -> String {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(self.entropy.bytes::<16>())
    }
}
