//! The cast. Ada the admin is there from the start; the others come when a test calls them.

use super::{
    TestApp,
    app::{ADA, PASSWORD},
};
use serde_json::json;

pub const BOB: &str = "bob@example.com";
pub const CAROL: &str = "carol@example.com";
pub const DAVE: &str = "dave@example.com";
pub const MAX: &str = "max@example.com";
pub const PIA: &str = "pia@example.com";

/// A signed-in person.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub access: String,
    pub refresh: String,
}

impl TestApp {
    /// Signs somebody up, and nothing more.
    pub async fn sign_up(&self, email: &str) -> String {
        let form = json!({ "email": email, "password": PASSWORD });
        let reply = self.post("/api/v1/auth/register", form).await.expect(201);
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// Follows the newest verification link to this address.
    pub async fn verify(&self, email: &str) {
        let token = self.last_token_to(email).await;
        self.post("/api/v1/auth/verify-email", json!({ "token": token }))
            .await
            .expect(200);
    }

    /// Signs somebody in with the usual password.
    pub async fn sign_in(&self, email: &str) -> Person {
        let form = json!({ "email": email, "password": PASSWORD });
        let reply = self.post("/api/v1/auth/login", form).await.expect(200);
        let text = |name: &str| reply.body[name].as_str().unwrap().to_owned();
        Person {
            id: reply.body["user"]["id"].as_str().unwrap().to_owned(),
            email: email.to_owned(),
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    /// Signs somebody up, confirms and signs in.
    pub async fn person(&self, email: &str) -> Person {
        self.sign_up(email).await;
        self.verify(email).await;
        self.sign_in(email).await
    }

    /// Ada, the admin.
    pub async fn ada(&self) -> Person {
        self.sign_in(ADA).await
    }

    /// Bob, an ordinary user.
    pub async fn bob(&self) -> Person {
        self.person(BOB).await
    }

    /// Max, a manager.
    pub async fn max(&self) -> Person {
        let max = self.person(MAX).await;
        self.set_in_users_table(
            MAX,
            &max.id,
            "UPDATE user_roles SET role = 'manager' WHERE user_id = $id",
        )
        .await;
        self.sign_in(MAX).await
    }

    /// Pia, who has premium.
    pub async fn pia(&self) -> Person {
        let pia = self.person(PIA).await;
        self.set_in_users_table(
            PIA,
            &pia.id,
            "UPDATE users SET tier = 'premium' WHERE id = $id",
        )
        .await;
        self.sign_in(PIA).await
    }

    /// Carol, who has not confirmed her address; her id.
    pub async fn carol(&self) -> String {
        self.sign_up(CAROL).await
    }

    /// Dave, whom an admin has deactivated after he signed in.
    pub async fn dave(&self) -> Person {
        let dave = self.person(DAVE).await;
        self.set_in_users_table(
            DAVE,
            &dave.id,
            "UPDATE users SET status = 'deactivated' WHERE id = $id",
        )
        .await;
        dave
    }

    /// Changes a person's rows behind the service's back.
    pub async fn set_in_users_table(&self, who: &str, id: &str, sql: &str) {
        let id = if self.db.is_postgres() {
            format!("'{id}'")
        } else {
            format!("X'{}'", id.replace('-', ""))
        };
        let touched = self.db.execute(&sql.replace("$id", &id)).await;
        assert!(touched > 0, "{who} was not changed");
    }
}
