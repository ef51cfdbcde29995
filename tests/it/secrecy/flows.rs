//! Every flow of the service once, good and bad, with marked secrets and one marked person.

use crate::support::{TestApp, client::RequestBuilder};
use axum::http::Method;
use serde_json::{Value, json};

pub const FULL_NAME: &str = "Canaria Full-Name";
pub const USERNAME: &str = "canaryuser";
pub(super) const EMAIL: &str = "canary.first@first-nest.example";
const NEW_EMAIL: &str = "canary.second@second-nest.example";
const PASSWORD: &str = "CanaryWord1One";
pub(super) const NEW_PASSWORD: &str = "CanaryWord2Two";
const WRONG_PASSWORD: &str = "CanaryWrong3Three";
pub(super) const ADDRESS: &str = "203.0.113.77";
const TOLD: &str = "CanaryTold";
const PHONE: &str = "+31612345678";
pub(super) const INVITED_EMAIL: &str = "canary.third@third-nest.example";
pub(super) const ASKED: &str = "CanaryAsked";
const AGENT: &str = "CanaryAgent/9.9";

/// What must show nowhere.
pub struct Canaries {
    /// Passwords, tokens, mailed links.
    pub secrets: Vec<String>,
    /// Addresses, names, from where and with what.
    pub personal: Vec<String>,
}

/// Sends everything, and gathers what comes back or is mailed.
pub(super) struct Flight<'a> {
    pub(super) app: &'a TestApp,
    secrets: Vec<String>,
}

/// Runs every flow.
pub async fn run_all(app: &TestApp) -> Canaries {
    let mut flight = Flight {
        app,
        secrets: [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD]
            .map(str::to_owned)
            .to_vec(),
    };
    flight.sign_up().await;
    flight.sign_in().await;
    flight.change_password().await;
    flight.tell().await;
    flight.change_email().await;
    flight.pages().await;
    flight.misuse().await;
    flight.staff().await;
    flight.terminate().await;
    let personal = [
        EMAIL,
        NEW_EMAIL,
        "canary.first",
        "second-nest",
        FULL_NAME,
        USERNAME,
        ADDRESS,
        AGENT,
        TOLD,
        PHONE,
        INVITED_EMAIL,
        "third-nest",
        ASKED,
    ];
    flight.secrets.sort();
    flight.secrets.dedup();
    Canaries {
        secrets: flight.secrets,
        personal: personal.map(str::to_owned).to_vec(),
    }
}

impl Flight<'_> {
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder<'_> {
        let request = self.app.request(method, path).from(ADDRESS);
        request.header("user-agent", AGENT)
    }

    /// Sends JSON, with a token if there is one; the tokens of the answer are secrets from now on.
    pub(super) async fn post(
        &mut self,
        path: &str,
        token: Option<&str>,
        body: Value,
        status: u16,
    ) -> Value {
        let path = match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/api/v1/auth/{path}"),
        };
        let mut request = self.request(Method::POST, &path).json(body);
        if let Some(token) = token {
            request = request.bearer(token);
        }
        let reply = request.send().await.expect(status);
        for name in ["access_token", "refresh_token"] {
            if let Some(token) = reply.body[name].as_str() {
                self.keep(token);
            }
        }
        reply.body
    }

    /// A JWT is secret in its last part.
    pub(super) fn keep(&mut self, token: &str) {
        let part = token.rsplit('.').next().unwrap_or(token);
        self.secrets.push(part.to_owned());
    }

    pub(super) async fn mailed(&mut self, email: &str) -> String {
        let token = self.app.last_token_to(email).await;
        self.keep(&token);
        token
    }

    pub(super) async fn login(&mut self, email: &str, password: &str) -> (String, String) {
        let body = json!({ "email": email, "password": password });
        let reply = self.post("login", None, body, 200).await;
        let text = |name: &str| reply[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    async fn sign_up(&mut self) {
        let form = json!({
            "email": EMAIL, "password": PASSWORD, "full_name": FULL_NAME, "username": USERNAME, "country": "NL",
        });
        self.post("register", None, form.clone(), 201).await;
        self.post("register", None, form, 409).await;
        let weak = json!({ "email": EMAIL, "password": "canary.first1A", "full_name": FULL_NAME });
        self.post("register", None, weak, 422).await;
        self.mailed(EMAIL).await;
        let body = json!({ "email": EMAIL });
        self.post("verify-email-request", None, body, 202).await;
        let token = self.mailed(EMAIL).await;
        let target = format!("/verify-email?token={token}");
        let page = self
            .request(Method::GET, &target)
            .header("accept", "text/html");
        page.send().await.expect(200);
        let client = self.request(Method::GET, &target).send();
        client.await.expect(200);
        self.post("verify-email", None, json!({ "token": token }), 200)
            .await;
    }

    async fn sign_in(&mut self) {
        let wrong = json!({ "email": EMAIL, "password": WRONG_PASSWORD });
        self.post("login", None, wrong, 401).await;
        let (_, refresh) = self.login(EMAIL, PASSWORD).await;
        let by_name = json!({ "username": USERNAME, "password": PASSWORD });
        self.post("login", None, by_name, 200).await;
        let body = json!({ "refresh_token": refresh });
        self.post("refresh", None, body.clone(), 200).await;
        self.post("refresh", None, body.clone(), 200).await;
        self.app.advance(chrono::TimeDelta::seconds(20));
        self.post("refresh", None, body, 401).await;
    }

    async fn change_password(&mut self) {
        let (access, _) = self.login(EMAIL, PASSWORD).await;
        let token = Some(access.as_str());
        let body =
            |current: &str| json!({ "current_password": current, "new_password": NEW_PASSWORD });
        self.post("change-password", token, body(WRONG_PASSWORD), 403)
            .await;
        self.post("change-password", token, body(PASSWORD), 204)
            .await;
        let body = json!({ "password": NEW_PASSWORD });
        self.post("reauthenticate", token, body, 200).await;
        let body = json!({ "email": EMAIL });
        self.post("password-reset-request", None, body, 202).await;
        let reset = self.mailed(EMAIL).await;
        let body = json!({ "token": reset, "new_password": PASSWORD });
        self.post("password-reset-confirm", None, body.clone(), 200)
            .await;
        self.post("password-reset-confirm", None, body, 410).await;
    }

    /// What people tell of themselves, but for what search needs.
    async fn tell(&mut self) {
        let (access, _) = self.login(EMAIL, PASSWORD).await;
        let me = "/api/v1/users/me";
        for (path, body) in [
            (
                "profile",
                json!({ "bio": TOLD, "company": TOLD, "phone": PHONE, "links": [format!("https://x.example/{TOLD}")] }),
            ),
            (
                "preferences",
                json!({ "desired_titles": [TOLD], "locations": [TOLD], "extra": { TOLD: PHONE } }),
            ),
        ] {
            let put = self.request(Method::PUT, &format!("{me}/{path}"));
            put.bearer(&access).json(body).send().await.expect(200);
        }
        for accept in ["application/json", "application/zip"] {
            let export = self.request(Method::GET, &format!("{me}/export"));
            let export = export.bearer(&access).header("accept", accept);
            export.send().await.expect(200);
        }
    }

    async fn change_email(&mut self) {
        let (access, _) = self.login(EMAIL, PASSWORD).await;
        let body = |password: &str| json!({ "new_email": NEW_EMAIL, "password": password });
        self.post("change-email", Some(&access), body(WRONG_PASSWORD), 403)
            .await;
        self.post("change-email", Some(&access), body(PASSWORD), 202)
            .await;
        let token = json!({ "token": self.mailed(NEW_EMAIL).await });
        self.post("confirm-email-change", None, token.clone(), 200)
            .await;
        self.post("confirm-email-change", None, token, 410).await;
        let token = json!({ "token": self.mailed(EMAIL).await });
        self.post("undo-email-change", None, token.clone(), 200)
            .await;
        self.post("undo-email-change", None, token, 410).await;
    }

    /// Forms as browsers send them.
    async fn pages(&mut self) {
        for (path, field) in [
            ("/forgot-password", "email"),
            ("/resend-verification", "email"),
        ] {
            let page = self.request(Method::POST, path).form(&[(field, EMAIL)]);
            assert!(page.send().await.status < 400, "{path}");
        }
        let token = self.mailed(EMAIL).await;
        let fields =
            |password: &'static str| [("new_password", password), ("confirm_password", password)];
        let weak = [&[("token", token.as_str())][..], &fields("weak")].concat();
        let page = self.request(Method::POST, "/reset-password").form(&weak);
        page.send().await.expect(422);
        let good = [&[("token", token.as_str())][..], &fields(NEW_PASSWORD)].concat();
        let page = self.request(Method::POST, "/reset-password").form(&good);
        page.send().await.expect(200);
        for path in [
            "/accept-invitation",
            "/verify-email",
            "/undo-email-change",
            "/confirm-email-change",
        ] {
            let page = self
                .request(Method::POST, path)
                .form(&[("token", &token), ("password", WRONG_PASSWORD)]);
            assert!(page.send().await.status < 500, "{path}");
        }
    }

    async fn terminate(&mut self) {
        let (access, _) = self.login(EMAIL, NEW_PASSWORD).await;
        self.post("logout", Some(&access), json!({}), 204).await;
        let (access, _) = self.login(EMAIL, NEW_PASSWORD).await;
        self.post("logout-all", Some(&access), json!({}), 204).await;
        let (access, _) = self.login(EMAIL, NEW_PASSWORD).await;
        let end = |password: &str| json!({ "password": password, "confirm": true });
        self.post("/terminate", Some(&access), end(WRONG_PASSWORD), 403)
            .await;
        self.post("/terminate", Some(&access), end(NEW_PASSWORD), 204)
            .await;
        self.app.inbox().await;
        // It stays where it is written down until somebody looks for mails.
        let waiting = json!({ "email": EMAIL });
        self.post("password-reset-request", None, waiting, 202)
            .await;
    }
}
