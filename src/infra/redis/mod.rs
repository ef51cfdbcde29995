//! Redis, as something that may be gone at any moment: whoever asks gets an answer within a short time or none, and while
//! it is known to be away nobody waits at all. One task keeps the connection ([`Redis::beat`]); everybody else only uses it.

mod connection;

use crate::infra::push::BEAT;
use connection::Connection;
use futures_util::{Stream, StreamExt as _};
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo as _, RedisError,
    RedisResult, Script,
    cluster::ClusterClient,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// How it is reached; every URL is of one server and may hold a password.
pub enum Place {
    One(String),
    Cluster(Vec<String>),
    Sentinel {
        sentinels: Vec<String>,
        master: String,
    },
}

/// One Redis, cluster or master.
pub struct Redis {
    reach: Reach,
    timeout: Duration,
    /// None while it is away.
    connection: Mutex<Option<Connection>>,
    /// What the log was told last.
    told: Mutex<Option<bool>>,
}

enum Reach {
    One(Box<Client>),
    Cluster(Box<ClusterClient>, Vec<Client>),
    Sentinel(Box<tokio::sync::Mutex<SentinelClient>>),
}

/// What comes through a channel, until the connection is lost.
pub type Messages = Pin<Box<dyn Stream<Item = String> + Send>>;

impl Redis {
    /// Does not connect yet. Who asks waits for at most `timeout`.
    pub fn new(place: Place, timeout: Duration) -> anyhow::Result<Self> {
        // The library's errors may repeat the URL with its password.
        let reach =
            reach(place, timeout).map_err(|_| anyhow::anyhow!("REDIS_URL cannot be used"))?;
        Ok(Self {
            reach,
            timeout,
            connection: Mutex::new(None),
            told: Mutex::new(None),
        })
    }

    /// Whether it answered when it was last asked.
    pub fn is_up(&self) -> bool {
        self.current().is_some()
    }

    /// Publishes; whether it arrived.
    pub async fn publish(&self, channel: &str, text: &str) -> bool {
        let Some(connection) = self.current() else {
            return false;
        };
        let told = self.publish_on(connection, channel, text).await;
        self.judge(told).is_some()
    }

    /// Runs a script on one key; none while it is away.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        arguments: &[u64],
    ) -> Option<T> {
        let mut connection = self.current()?;
        let mut call = script.key(key);
        for argument in arguments {
            call.arg(*argument);
        }
        let done = within(self.timeout, call.invoke_async(&mut connection)).await;
        self.judge(done)
    }

    /// Sees whether it is there by publishing a sign of life, and connects anew where needed; to be called each [`BEAT`].
    pub async fn beat(&self, channel: &str, text: &str) {
        let connection = match self.current() {
            Some(connection) => Ok(connection),
            None => within(CONNECT, self.connect()).await,
        };
        let told = match connection {
            Ok(connection) => {
                let told = self.publish_on(connection.clone(), channel, text).await;
                told.map(|()| connection)
            }
            Err(error) => Err(error),
        };
        let connection = self.judge(told);
        let is_up = connection.is_some();
        *self.lock() = connection;
        self.tell(is_up);
    }

    /// Listens to a channel on a connection of its own.
    pub async fn listen(&self, channel: &str) -> Option<Messages> {
        let listening = async {
            let client = match &self.reach {
                Reach::One(client) => Client::clone(client),
                Reach::Cluster(_, clients) => first_there(clients).await?,
                Reach::Sentinel(sentinel) => sentinel.lock().await.async_get_client().await?,
            };
            let mut ears = client.get_async_pubsub().await?;
            ears.subscribe(channel).await?;
            Ok(ears)
        };
        let ears = within(CONNECT.saturating_add(BEAT), listening).await.ok()?;
        let texts = ears
            .into_on_message()
            .map(|message| message.get_payload::<String>().unwrap_or_default());
        Some(Box::pin(texts))
    }

    async fn publish_on(
        &self,
        mut connection: Connection,
        channel: &str,
        text: &str,
    ) -> RedisResult<()> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(text);
        let told = publish.query_async::<i64>(&mut connection);
        within(self.timeout, told).await.map(drop)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.timeout));
        Ok(match &self.reach {
            Reach::One(client) => {
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                Connection::One(connection.await?)
            }
            Reach::Cluster(client, _) => Connection::Cluster(client.get_async_connection().await?),
            Reach::Sentinel(sentinel) => {
                let mut sentinel = sentinel.lock().await;
                let connection = sentinel.get_async_connection_with_config(&config);
                Connection::One(connection.await?)
            }
        })
    }

    /// Lets go of a connection that did not answer: the next beat finds out how things are.
    fn judge<T>(&self, done: RedisResult<T>) -> Option<T> {
        if done.is_err() {
            *self.lock() = None;
        }
        done.ok()
    }

    fn current(&self) -> Option<Connection> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, is_up: bool) {
        metrics::gauge!("usher_redis_up").set(f64::from(u8::from(is_up)));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != Some(is_up) {
            *told = Some(is_up);
            if is_up {
                tracing::info!("Redis answers: limits are shared by all nodes");
            } else {
                tracing::warn!("Redis does not answer: each node counts limits by itself");
            }
        }
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

fn reach(place: Place, timeout: Duration) -> RedisResult<Reach> {
    let clients = |urls: &[String]| {
        let clients = urls.iter().map(|url| Client::open(url.as_str()));
        clients.collect::<RedisResult<Vec<_>>>()
    };
    Ok(match place {
        Place::One(url) => Reach::One(Box::new(Client::open(url)?)),
        Place::Cluster(urls) => {
            let clients = clients(&urls)?;
            let cluster = ClusterClient::builder(urls)
                .retries(0)
                .connection_timeout(CONNECT)
                .response_timeout(timeout)
                .build()?;
            Reach::Cluster(Box::new(cluster), clients)
        }
        Place::Sentinel { sentinels, master } => {
            let Some(first) = sentinels.first() else {
                return Err(RedisError::from((
                    ErrorKind::InvalidClientConfig,
                    "no sentinel",
                )));
            };
            let info = first.as_str().into_connection_info()?;
            let mut of_master = SentinelNodeConnectionInfo::default()
                .set_redis_connection_info(info.redis_settings().clone());
            if first.starts_with("rediss") {
                of_master = of_master.set_tls_mode(redis::TlsMode::Secure);
            }
            let kind = SentinelServerType::Master;
            let client = SentinelClient::build(sentinels, master, Some(of_master), kind)?;
            Reach::Sentinel(Box::new(tokio::sync::Mutex::new(client)))
        }
    })
}

/// The first of a cluster that can be connected to: what is published on one is heard on all.
async fn first_there(clients: &[Client]) -> RedisResult<Client> {
    for client in clients {
        let patience = CONNECT / 4;
        if within(patience, client.get_async_pubsub()).await.is_ok() {
            return Ok(client.clone());
        }
    }
    Err(timed_out())
}

async fn within<T>(time: Duration, asked: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let answered = tokio::time::timeout(time, asked).await;
    answered.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> RedisError {
    RedisError::from((ErrorKind::Io, "no answer in time"))
}
