//! A PostgreSQL of a test's own with a streaming copy, by the programs of the server that the test run has. They end with the test.

use crate::support::database::TestDatabase;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    fs::OpenOptions,
    io::Write as _,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub struct Servers {
    folder: TempDir,
    programs: PathBuf,
    primary: u16,
    copy: u16,
}

impl Servers {
    /// Both, the copy streaming.
    pub async fn start(programs: PathBuf) -> Self {
        tokio::task::spawn_blocking(|| {
            let mut servers = Self {
                folder: TempDir::new().unwrap(),
                programs,
                primary: 0,
                copy: 0,
            };
            servers.start_both();
            servers
        })
        .await
        .unwrap()
    }

    fn start_both(&mut self) {
        if is_root() {
            let mut give = Command::new("chown");
            go(give.arg("postgres:").arg(self.folder.path()));
        }
        let primary = self.data("primary");
        self.run(
            "initdb",
            &[
                "--pgdata",
                &primary,
                "--auth",
                "trust",
                "--username",
                "postgres",
            ],
        );
        let sockets = self.folder.path().display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{sockets}'\nwal_level = replica\n\
             max_wal_senders = 4\nshared_buffers = 32MB\nmax_connections = 100\ntimezone = 'UTC'\n"
        );
        self.primary = self.listen("primary", &settings);
        let (port, copy) = (self.primary.to_string(), self.data("copy"));
        self.run(
            "pg_basebackup",
            &[
                "--host",
                "127.0.0.1",
                "--port",
                &port,
                "--username",
                "postgres",
                "--pgdata",
                &copy,
                "--write-recovery-conf",
                "--checkpoint",
                "fast",
            ],
        );
        self.copy = self.listen("copy", "");
    }

    /// Starts a server on a port that is free.
    fn listen(&self, name: &str, settings: &str) -> u16 {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let conf = self.folder.path().join(name).join("postgresql.conf");
        let mut conf = OpenOptions::new().append(true).open(conf).unwrap();
        writeln!(conf, "{settings}port = {port}").unwrap();
        let (data, log) = (
            self.data(name),
            self.folder.path().join(format!("{name}.log")),
        );
        self.run(
            "pg_ctl",
            &[
                "--pgdata",
                &data,
                "--log",
                &log.display().to_string(),
                "--wait",
                "start",
            ],
        );
        port
    }

    fn data(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        go(&mut self.command(program, arguments));
    }

    /// PostgreSQL refuses to run as root: there it runs as the user that Debian's package makes.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// The primary, for the service and for looking behind its back.
    pub async fn database(&self) -> TestDatabase {
        TestDatabase::at(url(self.primary)).await
    }

    pub fn copy_url(&self) -> String {
        url(self.copy)
    }

    /// Asks the copy; the first column of the only row.
    pub async fn ask_copy(&self, sql: &str) -> String {
        let mut copy = PgConnection::connect(&self.copy_url()).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut copy)
            .await
            .unwrap()
    }

    /// The copy dies.
    pub fn kill_copy(&self) {
        let data = self.data("copy");
        self.run(
            "pg_ctl",
            &["--pgdata", &data, "--mode", "immediate", "--wait", "stop"],
        );
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for name in ["copy", "primary"] {
            let data = self.data(name);
            let stop = ["--pgdata", &data, "--mode", "immediate", "--silent", "stop"];
            let _ = self.command("pg_ctl", &stop).stderr(Stdio::null()).status();
        }
    }
}

fn url(port: u16) -> String {
    format!("postgresql://postgres@127.0.0.1:{port}/postgres")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn go(command: &mut Command) {
    // What stays running must not hold this test's output open.
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(done.unwrap().success(), "{command:?}");
}
