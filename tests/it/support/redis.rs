//! Redis servers of a test's own, started for real.

use std::{
    net::TcpListener as StdListener,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// A server in a folder of its own; gone with the test.
pub struct Redis {
    pub port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Redis {
    /// Alone.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these arguments on top.
    pub async fn with(arguments: &[&str]) -> Self {
        let mut redis = Self {
            port: free_port(),
            folder: TempDir::new().unwrap(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            child: None,
        };
        redis.start_again().await;
        redis
    }

    /// A cluster of one server that has every slot.
    pub async fn cluster() -> Self {
        let bus = free_port().to_string();
        let redis = Self::with(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-announce-ip",
            "127.0.0.1",
        ])
        .await;
        redis.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
        while !redis
            .ask(&["CLUSTER", "INFO"])
            .await
            .contains("cluster_state:ok")
        {
            tokio::task::yield_now().await;
        }
        redis
    }

    /// A sentinel that watches this server under the name `main`.
    pub async fn sentinel_of(master: &Self) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("sentinel.conf");
        let watch = format!("sentinel monitor main 127.0.0.1 {} 1\n", master.port);
        std::fs::write(&file, watch).unwrap();
        let mut redis = Self {
            port: free_port(),
            arguments: vec![file.display().to_string(), "--sentinel".to_owned()],
            folder,
            child: None,
        };
        redis.start_again().await;
        redis
    }

    /// As `REDIS_URL`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it (again, at the same place).
    pub async fn start_again(&mut self) {
        let is_file = |text: &String| Path::new(text).is_file();
        let (file, rest) = match self.arguments.split_first() {
            Some((first, rest)) if is_file(first) => (Some(first), rest),
            _ => (None, self.arguments.as_slice()),
        };
        let mut command = Command::new("redis-server");
        command.args(file).args(["--port", &self.port.to_string()]);
        command.args(["--bind", "127.0.0.1", "--dir"]);
        command.arg(self.folder.path());
        if file.is_none() {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        command.args(rest).stdout(Stdio::null());
        let child = command.spawn().expect("scripts/test installs redis-server");
        self.child = Some(child);
        while !self.ask(&["PING"]).await.contains("PONG") {
            tokio::task::yield_now().await;
        }
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What `redis-cli` answers; nothing while it cannot connect.
    pub async fn ask(&self, arguments: &[&str]) -> String {
        let mut command = tokio::process::Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(arguments);
        let answer = command.stderr(Stdio::null()).output().await.unwrap();
        String::from_utf8(answer.stdout).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One that nobody has at this moment.
fn free_port() -> u16 {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
