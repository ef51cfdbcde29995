//! What staff does with a marked person.

use super::flows::{ADDRESS, ASKED, FULL_NAME, Flight, INVITED_EMAIL, NEW_PASSWORD};
use crate::support::app::PASSWORD;
use axum::http::Method;
use serde_json::json;

impl Flight<'_> {
    /// An admin looks for people, invites one and asks them for another password.
    pub(super) async fn staff(&mut self) {
        let ada = self.app.ada().await;
        self.keep(&ada.access);
        self.keep(&ada.refresh);
        let proof = json!({ "password": PASSWORD });
        let fresh = self
            .post("reauthenticate", Some(&ada.access), proof, 200)
            .await;
        let access = fresh["access_token"].as_str().unwrap().to_owned();
        let new = json!({ "email": INVITED_EMAIL, "full_name": FULL_NAME });
        let made = self
            .post("/api/v1/users", Some(&access), new.clone(), 201)
            .await;
        self.post("/api/v1/users", Some(&access), new, 409).await;
        let token = self.mailed(INVITED_EMAIL).await;
        let accept = json!({ "token": token, "password": NEW_PASSWORD });
        self.post("accept-invitation", None, accept.clone(), 200)
            .await;
        self.post("accept-invitation", None, accept, 410).await;
        for path in [
            format!("users?email={INVITED_EMAIL}"),
            format!("users?q={ASKED}"),
            format!("users?q={ASKED}&limit={INVITED_EMAIL}"),
            format!("audit-logs?ip={ADDRESS}"),
            "events".to_owned(),
        ] {
            let request = self.request(Method::GET, &format!("/api/v1/{path}"));
            let reply = request.bearer(&access).send().await;
            assert!([200, 422].contains(&reply.status), "{path}: {}", reply.text);
        }
        let id = made["id"].as_str().unwrap();
        let demand = format!("/api/v1/users/{id}/require-password-reset");
        self.post(&demand, Some(&access), json!({}), 204).await;
        self.mailed(INVITED_EMAIL).await;
    }
}
