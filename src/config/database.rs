//! The database: which one, how many connections, how durable.

use super::{
    reader::Reader,
    secrets,
    setting::{Fallback, Setting},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{net::IpAddr, path::Path, time::Duration};
use url::Url;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::url(
        "DATABASE_URL",
        Fallback::Derived("`sqlite://{DATA_DIR}/usher.db`"),
        "`postgresql://user:password@host:5432/name`, or `sqlite://path` for one node; production needs it.",
    ),
    Setting::url(
        "DATABASE_REPLICA_URL",
        Fallback::Unset,
        "A streaming, read-only copy of `DATABASE_URL` on PostgreSQL, from which lists, search and exports are read while it is at most two seconds behind.",
    ),
    Setting::new(
        "DB_POOL_SIZE",
        Fallback::Fixed("10"),
        "Connections to PostgreSQL that stay open once the node serves.",
    ),
    Setting::new(
        "DB_MAX_OVERFLOW",
        Fallback::Fixed("20"),
        "Connections beyond `DB_POOL_SIZE` under load. The sum, at least 2, is the most of the pool; beside it a node has two to hear and tell the others, with Kafka one to lead, and with `DATABASE_REPLICA_URL` as many again there as the pool may have.",
    ),
    Setting::new(
        "DB_ACQUIRE_TIMEOUT_MS",
        Fallback::Fixed("2000"),
        "How long a request waits for a connection before it is answered with 503.",
    ),
    Setting::new(
        "SQLITE_SYNCHRONOUS",
        Fallback::Fixed("full"),
        "`full` survives a power cut without losing a commit; `normal` is faster and may lose the last ones.",
    ),
    Setting::new(
        "AUTO_MIGRATE",
        Fallback::Derived("`true` in development, `false` in production"),
        "Whether `serve` brings the schema up to date itself; otherwise `usher migrate up` does.",
    ),
];

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// `PRAGMA synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    Full,
    Normal,
}

/// How to reach and use the database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// May hold a password.
    pub url: SecretString,
    pub backend: Backend,
    /// A copy that only reads; may hold a password.
    pub replica_url: Option<SecretString>,
    /// Connections kept open.
    pub pool_size: u32,
    /// `DB_POOL_SIZE` and `DB_MAX_OVERFLOW` together.
    pub max_connections: u32,
    pub acquire_timeout: Duration,
    pub sqlite_synchronous: Synchronous,
    pub auto_migrate: bool,
}

impl DatabaseConfig {
    pub(super) fn read(reader: &mut Reader, data_dir: &Path) -> Self {
        let (url, backend) = read_url(reader, data_dir);
        let replica_url = read_replica_url(reader, backend);
        let pool_size = reader.number("DB_POOL_SIZE", 1..=1000);
        let overflow: u32 = reader.number("DB_MAX_OVERFLOW", 0..=1000);
        let auto_migrate = if reader.raw("AUTO_MIGRATE").is_some() {
            reader.switch("AUTO_MIGRATE")
        } else {
            let migrate = !reader.is_production();
            reader.derive("AUTO_MIGRATE", if migrate { "true" } else { "false" });
            migrate
        };
        Self {
            url,
            backend,
            replica_url,
            pool_size,
            max_connections: pool_size.saturating_add(overflow),
            acquire_timeout: Duration::from_millis(
                reader.number("DB_ACQUIRE_TIMEOUT_MS", 50..=60_000),
            ),
            sqlite_synchronous: reader
                .one_of(
                    "SQLITE_SYNCHRONOUS",
                    &[("full", Synchronous::Full), ("normal", Synchronous::Normal)],
                )
                .unwrap_or(Synchronous::Full),
            auto_migrate,
        }
    }
}

impl DatabaseConfig {
    /// Whether what goes to the database can leave the machine unencrypted.
    pub fn may_be_in_clear(&self) -> bool {
        let urls = [Some(&self.url), self.replica_url.as_ref()];
        self.backend == Backend::Postgres
            && urls
                .into_iter()
                .flatten()
                .any(|url| Url::parse(url.expose_secret()).is_ok_and(|url| crosses_in_clear(&url)))
    }
}

/// Whether the URL leads to another machine and does not insist on TLS; a folder is a local socket's.
fn crosses_in_clear(url: &Url) -> bool {
    let last = |name: &str| {
        let found = url.query_pairs().filter(|(key, _)| key == name).last();
        found.map(|(_, value)| value.into_owned())
    };
    let named = last("host").or_else(|| last("hostaddr"));
    let named = named.or_else(|| url.host_str().map(str::to_owned));
    let host = named
        .unwrap_or_default()
        .replace("%2F", "/")
        .replace("%2f", "/");
    let host = host.trim_matches(['[', ']']);
    let is_local = host.is_empty()
        || host == "localhost"
        || host.starts_with('/')
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let mode = last("sslmode").or_else(|| last("ssl-mode"));
    let insists = matches!(
        mode.as_deref(),
        Some("require" | "verify-ca" | "verify-full")
    );
    !is_local && !insists
}

fn read_url(reader: &mut Reader, data_dir: &Path) -> (SecretString, Backend) {
    let Some(text) = reader.raw("DATABASE_URL") else {
        if reader.is_production() {
            reader.refuse(
                "DATABASE_URL",
                "must be set in production: postgresql://user:password@host:5432/name, or sqlite://path for one node",
            );
        }
        let url = format!("sqlite://{}/usher.db", data_dir.display());
        reader.derive("DATABASE_URL", &url);
        return (SecretString::from(url), Backend::Sqlite);
    };
    let text = text.trim();
    let backend = match judge(text) {
        Ok(backend) => backend,
        Err(rule) => {
            reader.refuse("DATABASE_URL", rule);
            Backend::Sqlite
        }
    };
    if backend == Backend::Postgres {
        secrets::judge_url(reader, "DATABASE_URL", text);
    }
    (SecretString::from(text), backend)
}

fn read_replica_url(reader: &mut Reader, backend: Backend) -> Option<SecretString> {
    let text = reader.raw("DATABASE_REPLICA_URL")?;
    let text = text.trim();
    if backend == Backend::Sqlite {
        reader.refuse(
            "DATABASE_REPLICA_URL",
            "must go with a DATABASE_URL of PostgreSQL: SQLite has no copies",
        );
    } else if judge(text) != Ok(Backend::Postgres) {
        reader.refuse(
            "DATABASE_REPLICA_URL",
            "must be of the form postgresql://user:password@host:5432/name",
        );
    } else {
        secrets::judge_url(reader, "DATABASE_REPLICA_URL", text);
    }
    Some(SecretString::from(text))
}

fn judge(text: &str) -> Result<Backend, &'static str> {
    let scheme = text.split(':').next().unwrap_or_default();
    match scheme {
        "postgresql" | "postgres" if Url::parse(text).is_ok() => Ok(Backend::Postgres),
        "sqlite" if is_sqlite_file(text) => Ok(Backend::Sqlite),
        _ if scheme.contains('+') => {
            Err("must not name a Python driver: write postgresql:// or sqlite:// only")
        }
        "postgresql" | "postgres" => {
            Err("must be of the form postgresql://user:password@host:5432/name")
        }
        "sqlite" => {
            Err("must be of the form sqlite://path, and the path a file, without parameters")
        }
        _ => Err("must begin with postgresql:// or sqlite://"),
    }
}

fn is_sqlite_file(text: &str) -> bool {
    let path = text.strip_prefix("sqlite://").unwrap_or_default();
    !path.is_empty() && !path.ends_with('/') && !path.contains('?') && path != ":memory:"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_without_a_mode_that_insists_on_tls_is_reached_in_clear() {
        let in_clear = |url: &str| crosses_in_clear(&Url::parse(url).unwrap());
        for url in [
            "postgresql://u:p@db.example.com/usher",
            "postgresql://db.example.com:5432/usher?sslmode=prefer",
            "postgres://10.0.0.5/usher?sslmode=disable",
            "postgresql://localhost/usher?host=db.example.com",
            "postgresql://db.example.com/usher?sslmode=require&sslmode=allow",
        ] {
            assert!(in_clear(url), "{url}");
        }
        for url in [
            "postgresql://u:p@localhost/usher",
            "postgresql://127.0.0.1/usher",
            "postgresql://[::1]:5432/usher",
            "postgresql:///usher",
            "postgresql://%2Fvar%2Frun%2Fpostgresql/usher",
            "postgresql://u@localhost/usher?host=/run/postgresql",
            "postgresql://db.example.com/usher?sslmode=require",
            "postgresql://db.example.com/usher?sslmode=verify-ca",
            "postgresql://db.example.com/usher?sslrootcert=/ca.pem&sslmode=verify-full",
        ] {
            assert!(!in_clear(url), "{url}");
        }
    }
}
