//! The program itself, from outside: commands that run to their end, and a service on a free port that can be killed.
//! Its environment is empty but for what a test gives it, and its working directory is the test's own folder.

use super::{
    app::{ADA, PASSWORD},
    database::TestDatabase,
};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// The master key that everything runs with unless a test says otherwise.
pub const MASTER_KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// No command and no start takes so long, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a test runs with unless it says otherwise: hashes that cost nothing, no rate limits.
const USUAL: [(&str, &str); 16] = [
    ("ADMIN_EMAIL", ADA),
    ("ADMIN_PASSWORD", PASSWORD),
    ("ENCRYPTION_KEYS", MASTER_KEY),
    ("HASH_MEMORY_KIB", "8"),
    ("HASH_ITERATIONS", "1"),
    ("LISTEN", "127.0.0.1:0"),
    ("LOG_FORMAT", "json"),
    ("RATE_LIMIT_LOGIN", "off"),
    ("RATE_LIMIT_REGISTER", "off"),
    ("RATE_LIMIT_MAIL", "off"),
    ("RATE_LIMIT_REFRESH", "off"),
    ("RATE_LIMIT_API", "off"),
    ("RATE_LIMIT_RECIPIENT", "off"),
    ("RATE_LIMIT_ACCOUNT", "off"),
    ("REQUEST_TIMEOUT_SECONDS", "60"),
    ("SQLITE_SYNCHRONOUS", "normal"),
];

/// The least environment of production, with a mail server that nobody runs.
pub const PRODUCTION: [(&str, &str); 9] = [
    ("ENVIRONMENT", "production"),
    ("PUBLIC_URL", "https://accounts.example.com"),
    (
        "ENCRYPTION_KEYS",
        "a:q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1GAAECAwQFBgc=",
    ),
    ("MAIL_FROM", "Usher <no-reply@example.com>"),
    ("SMTP_URL", "smtp://127.0.0.1:1"),
    ("ADMIN_EMAIL", ""),
    ("ADMIN_PASSWORD", ""),
    ("HASH_MEMORY_KIB", "19456"),
    ("HASH_ITERATIONS", "2"),
];

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// The standard output of a command that went well.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// The one line that says why the command failed; nothing else was said.
    #[track_caller]
    pub fn refusal(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or(&self.stderr);
        assert!(line.starts_with("usher: "), "{line}");
        assert!(!line.contains('\n'), "{line}");
        line.to_owned()
    }
}

/// The program with these arguments on this database; the settings go before the usual ones, and an empty one unsets.
pub fn command(db: &TestDatabase, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    db.touch();
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", db.url())
        .env("DATA_DIR", db.folder())
        .envs(USUAL)
        .envs(settings.iter().copied())
        .current_dir(db.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(db: &TestDatabase, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    run_with_input(db, arguments, settings, "").await
}

/// Runs a command to its end, with this standard input.
pub async fn run_with_input(
    db: &TestDatabase,
    arguments: &[&str],
    settings: &[(&str, &str)],
    input: &str,
) -> Ended {
    let mut child = command(db, arguments, settings).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads nothing may be gone by now.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("the command does not end").unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running service.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
    pub client: Client,
    lines: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

impl Service {
    /// Starts it and waits until it says that it is ready.
    pub async fn start(db: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        Self::try_start(db, settings).await.unwrap()
    }

    /// Starts it, or gives what it wrote before it ended.
    pub async fn try_start(db: &TestDatabase, settings: &[(&str, &str)]) -> Result<Self, String> {
        let mut child = command(db, &["serve"], settings)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = oneshot::channel();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = tokio::spawn(read(out, Arc::clone(&lines), tell));
        let told = timeout(PATIENCE, told).await;
        let Ok(address) = told.expect("the service is not ready in time") else {
            return Err(lines.lock().unwrap().join("\n"));
        };
        Ok(Self {
            child,
            address,
            client: client(),
            lines,
            reading,
        })
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts JSON; none if the connection broke before the whole answer came.
    pub async fn post(&self, path: &str, body: Value) -> Option<(u16, Value)> {
        let request = self.client.post(self.url(path)).json(&body);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.ok()?))
    }

    /// Gets with an access token; the status.
    pub async fn get_as(&self, token: &str, path: &str) -> u16 {
        let request = self.client.get(self.url(path)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    /// Signs somebody up with the usual password; the id.
    pub async fn sign_up(&self, email: &str) -> String {
        let form = json!({ "email": email, "password": PASSWORD });
        let (status, body) = self.post("/api/v1/auth/register", form).await.unwrap();
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// Signs somebody in with the usual password; the whole answer.
    pub async fn sign_in(&self, email: &str) -> Value {
        let form = json!({ "email": email, "password": PASSWORD });
        let (status, body) = self.post("/api/v1/auth/login", form).await.unwrap();
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Kills it without warning.
    pub fn die(&self) {
        self.signal(Signal::KILL);
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        kill_process(id.and_then(Pid::from_raw).unwrap(), signal).unwrap();
    }

    /// Kills it without warning, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
        let _ = self.reading.await;
    }

    /// Waits until it has ended by itself; how, and everything it logged.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("the service does not end").unwrap();
        let _ = self.reading.await;
        (status, self.lines.lock().unwrap().join("\n"))
    }

    /// Asks it to stop and waits for a clean end.
    pub async fn stop(self) {
        self.terminate();
        let (status, log) = self.ended().await;
        assert!(status.success(), "{log}");
    }
}

/// A client that waits for no answer longer than for a command.
fn client() -> Client {
    // The library's own build of reqwest leaves the choice of the cryptography to the process.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().timeout(PATIENCE).build().unwrap()
}

/// Keeps what is logged, and tells the address that the line about readiness names.
async fn read(
    mut out: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    lines: Arc<Mutex<Vec<String>>>,
    tell: oneshot::Sender<SocketAddr>,
) {
    let mut tell = Some(tell);
    while let Ok(Some(line)) = out.next_line().await {
        if line.contains("usher is ready")
            && let Ok(entry) = serde_json::from_str::<Value>(&line)
            && let Some(address) = entry["listen"].as_str().and_then(|text| text.parse().ok())
            && let Some(tell) = tell.take()
        {
            let _ = tell.send(address);
        }
        lines.lock().unwrap().push(line);
    }
}
