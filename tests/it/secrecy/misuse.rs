//! A marked person's secrets in every place where they do not belong.

use super::flows::{ADDRESS, EMAIL, Flight, NEW_PASSWORD};
use axum::http::Method;
use serde_json::json;

impl Flight<'_> {
    pub(super) async fn misuse(&mut self) {
        let (access, refresh) = self.login(EMAIL, NEW_PASSWORD).await;
        for path in [
            format!("/{EMAIL}/{refresh}?password={NEW_PASSWORD}"),
            format!("/api/v1/auth/sessions/{refresh}"),
            format!("/api/v1/users/me?access_token={access}"),
            format!("/problems/{refresh}"),
            format!("/docs/{refresh}"),
            format!("/verify-email?token={refresh}&token={refresh}"),
            format!("/verify-email?email={EMAIL}&token={refresh}x"),
        ] {
            for method in [Method::GET, Method::DELETE, Method::POST] {
                let request = self.request(method, &path).bearer(&refresh);
                assert!(request.send().await.status >= 400, "{path}");
            }
        }
        let broken = format!("{{\"email\": \"{EMAIL}\", \"password\": \"{NEW_PASSWORD}\"");
        let swapped = json!({ "email": NEW_PASSWORD, "password": { "x": refresh } }).to_string();
        for body in [broken, swapped, format!("\"{refresh}\"")] {
            let request = self.request(Method::POST, "/login").body(body);
            let reply = request
                .header("content-type", "application/json")
                .send()
                .await;
            assert!(matches!(reply.status, 400 | 422), "{}", reply.text);
            for secret in [EMAIL, NEW_PASSWORD, refresh.as_str()] {
                assert!(!reply.text.contains(secret), "{}", reply.text);
            }
        }
        let list = self
            .request(Method::GET, "/api/v1/auth/sessions")
            .bearer(&access);
        assert!(list.send().await.expect(200).text.contains(ADDRESS));
    }
}
