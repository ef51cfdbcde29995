//! Which source wins, what each may hold, and how their own mistakes are told.

use super::shown;
use crate::config::{
    Config, ConfigError, Sources,
    sources::{ConfigFile, Flags},
};
use secrecy::ExposeSecret;
use std::{fs, path::PathBuf};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A folder with an `usher.toml` and a `.env`, and the variables and flags beside them.
struct Node {
    folder: TempDir,
    sources: Sources,
}

impl Node {
    fn new(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = Sources::for_tests(environment);
        sources.dotenv = Some(folder.path().join(".env"));
        sources.file = Some(ConfigFile {
            path: folder.path().join("usher.toml"),
            required: false,
        });
        Self { folder, sources }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set(mut self, flag: &str) -> Self {
        self.sources.set.push(Zeroizing::new(flag.to_owned()));
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources)
    }

    fn problem(&self) -> String {
        let error = self.load().unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        error.to_string()
    }
}

#[test]
fn flags_beat_the_environment_which_beats_dotenv_which_beats_the_file() {
    let node = Node::new(&[("HASH_QUEUE", "3"), ("JWT_AUDIENCE", "environment")])
        .file(
            "usher.toml",
            "hash_queue = 1\njwt_audience = 'toml'\ndocs = 'off'\nlog_level = 'warn'\n",
        )
        .file(".env", "HASH_QUEUE=2\nJWT_AUDIENCE=dotenv\nDOCS='admin'\n")
        .set("HASH_QUEUE=4");
    let config = node.load().unwrap();
    assert_eq!(shown(&config, "HASH_QUEUE"), (Some("4"), "flag"));
    assert_eq!(
        shown(&config, "JWT_AUDIENCE"),
        (Some("environment"), "environment")
    );
    assert_eq!(shown(&config, "DOCS"), (Some("admin"), ".env"));
    assert_eq!(shown(&config, "LOG_LEVEL"), (Some("warn"), "usher.toml"));
    assert_eq!(shown(&config, "HASH_THREADS"), (Some("0"), "default"));
    assert_eq!(config.passwords.hash_queue, 4);
}

#[test]
fn an_empty_value_takes_a_setting_back_to_its_default() {
    let node = Node::new(&[("DOCS", "")]).file("usher.toml", "docs = 'off'\n");
    assert_eq!(
        shown(&node.load().unwrap(), "DOCS"),
        (Some("public"), "default")
    );
}

#[test]
fn toml_takes_numbers_switches_and_lists() {
    let node = Node::new(&[]).file(
        "usher.toml",
        "db_pool_size = 5\nauto_migrate = false\nallowed_origins = ['https://a.io', 'https://b.io']\n",
    );
    let config = node.load().unwrap();
    assert_eq!(config.database.max_connections, 25);
    assert!(!config.database.auto_migrate);
    let expected = (Some("https://a.io,https://b.io"), "usher.toml");
    assert_eq!(shown(&config, "ALLOWED_ORIGINS"), expected);
}

#[test]
fn production_does_not_read_dotenv() {
    let node = Node::new(&[("ENVIRONMENT", "production")]).file(".env", "NOT_A_SETTING=1\n");
    let error = node.load().unwrap_err().to_string();
    assert!(!error.contains("NOT_A_SETTING"), "{error}");
    let node = Node::new(&[]).file(".env", "ENVIRONMENT=production\n");
    assert!(
        node.problem()
            .starts_with("ENVIRONMENT=production has no place in .env")
    );
}

#[test]
fn unknown_names_are_refused_wherever_they_stand() {
    let node = Node::new(&[]).file("usher.toml", "databse_url = 'x'\n");
    let expected = "usher.toml: there is no setting databse_url; did you mean database_url?";
    assert_eq!(node.problem(), expected);
    let node = Node::new(&[]).file("usher.toml", "LISTEN = '127.0.0.1:1'\n");
    assert!(node.problem().ends_with("did you mean listen?"));
    let node = Node::new(&[]).file(".env", "DATABSE_URL=x\n");
    assert!(node.problem().ends_with("did you mean DATABASE_URL?"));
    let node = Node::new(&[]).set("LISTENS=127.0.0.1:1");
    assert!(node.problem().ends_with("did you mean LISTEN?"));
    let node = Node::new(&[("USHER_LISTEN", "127.0.0.1:1")]);
    assert!(node.problem().ends_with("did you mean LISTEN?"));
    assert!(
        Node::new(&[("USHER_SERVICE_HOST", "10.0.0.1")])
            .load()
            .is_ok()
    );
}

#[test]
fn broken_sources_are_told_without_their_text() {
    let node = Node::new(&[]).file("usher.toml", "docs = 'off'\njwt_secret_key = hunter2\n");
    assert_eq!(node.problem(), "usher.toml: line 2 is not valid TOML");
    let node = Node::new(&[]).file("usher.toml", "[jwt_secret_key]\nhunter2 = 1\n");
    assert!(
        node.problem()
            .starts_with("usher.toml: jwt_secret_key must be text")
    );
    let node = Node::new(&[]).file(".env", "DOCS=off\nJWT_SECRET_KEY='hunter2\n");
    let problem = node.problem();
    assert!(
        problem.starts_with(".env: ") && !problem.contains("hunter2"),
        "{problem}"
    );
    assert_eq!(
        Node::new(&[]).file(".env", "DOCS=off\nhunter2\n").problem(),
        ".env: line 2 is not of the form NAME=value"
    );
    let node = Node::new(&[]).set("hunter2");
    assert_eq!(node.problem(), "--set must be of the form NAME=value");
}

#[test]
fn a_named_configuration_file_must_exist() {
    let mut node = Node::new(&[]);
    assert!(node.load().is_ok());
    node.sources.file = Some(ConfigFile {
        path: node.path("other.toml"),
        required: true,
    });
    assert!(node.problem().contains("other.toml cannot be read"));
}

#[test]
fn a_secret_comes_from_a_file_without_its_newline() {
    let node = Node::new(&[]).file("secret", "  hunter2 \r\n");
    let path = node.path("secret");
    let node = node.set(&format!("JWT_SECRET_KEY_FILE={}", path.display()));
    let config = node.load().unwrap();
    let secret = config.tokens.shared_secret.as_ref().unwrap();
    assert_eq!(secret.expose_secret(), "  hunter2 ");
    assert_eq!(shown(&config, "JWT_SECRET_KEY"), (Some("***"), "file"));
}

#[test]
fn a_higher_layer_replaces_a_secret_file() {
    let node = Node::new(&[("JWT_SECRET_KEY", "direct")])
        .file("usher.toml", "jwt_secret_key_file = '/nowhere'\n");
    let config = node.load().unwrap();
    assert_eq!(
        shown(&config, "JWT_SECRET_KEY"),
        (Some("***"), "environment")
    );
}

#[test]
fn a_secret_file_that_cannot_be_used_is_refused() {
    let node = Node::new(&[("JWT_SECRET_KEY_FILE", "/nowhere/hunter2")]);
    let problem = node.problem();
    assert!(problem.starts_with("JWT_SECRET_KEY_FILE must name a readable file"));
    assert!(!problem.contains("hunter2"));
    let node = Node::new(&[]).file("empty", "\n");
    let path = node.path("empty");
    let node = node.set(&format!("METRICS_TOKEN_FILE={}", path.display()));
    assert!(node.problem().ends_with("it is empty"));
    let node = Node::new(&[("METRICS_TOKEN", "a"), ("METRICS_TOKEN_FILE", "/nowhere")]);
    assert!(
        node.problem()
            .contains("METRICS_TOKEN or METRICS_TOKEN_FILE, not both")
    );
}

#[test]
fn an_endless_file_is_refused() {
    let node = Node::new(&[("METRICS_TOKEN_FILE", "/dev/zero")]);
    assert!(node.problem().starts_with("METRICS_TOKEN_FILE must name"));
}

#[test]
fn the_process_itself_can_be_read() {
    let flags = Flags {
        config: Some(PathBuf::from("/nowhere/usher.toml")),
        set: vec![Zeroizing::new("DOCS=off".to_owned())],
    };
    let error = Config::load(&Sources::from_process(flags)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/nowhere/usher.toml cannot be read")
    );
}
