//! Many nodes that act as one: what checks of tokens need stands in memory, every commit that changes it is followed by
//! its forgetting before anybody is answered, and other nodes are told. While they cannot be heard, the database is asked.

use super::{Parts, Services, checks::Record};
use crate::{
    domain::{
        Result,
        id::{AccessTokenId, SessionId, UserId},
        notice::{News, Notice, Whose},
    },
    infra::{
        cache::{Cache, Stamp},
        clock::Clock,
        push::{self, Channel, Way},
        redis::Redis,
        vault::DataKey,
    },
    storage::{Changed, Waiting, Witness, notices::Ear},
};
use futures_util::StreamExt as _;
use std::{sync::Arc, time::Duration};

/// About a kilobyte each.
const MOST_RECORDS: u64 = 20_000;
/// For so long after the outcome of a commit became unknown, or one was announced, nothing of the person is kept.
const UNSETTLED: Duration = Duration::from_secs(5);
/// A connection on which nothing is heard for so long is replaced.
const DEAF: Duration = Duration::from_secs(5);

/// A token's session and its own id.
pub(super) type Key = (SessionId, AccessTokenId);

/// Records at hand and the ways to other nodes.
pub struct Nodes {
    pub(super) records: Cache<Key, Record>,
    /// None on SQLite.
    postgres: Option<Channel>,
    /// Where there is Redis.
    redis: Option<Arc<Line>>,
    clock: Clock,
}

/// The channel in Redis, told apart from those of other services that use the same one.
struct Line {
    redis: Arc<Redis>,
    channel: Channel,
    name: String,
}

impl Nodes {
    pub(super) fn new(parts: &Parts, key: &DataKey) -> Self {
        let redis = parts.redis.as_ref().map(|redis| {
            let prefix = prefix(key);
            let shared = (Arc::clone(redis), prefix.clone(), key.clone());
            parts.limiter.share(shared.0, shared.1, shared.2);
            Arc::new(Line {
                redis: Arc::clone(redis),
                channel: Channel::new(Way::Redis),
                name: format!("{prefix}:changes"),
            })
        });
        let is_postgres = parts.store.is_postgres();
        Self {
            records: Cache::new(MOST_RECORDS, push::LONG),
            postgres: is_postgres.then(|| Channel::new(Way::Postgres)),
            redis,
            clock: parts.clock.clone(),
        }
    }

    /// What is at hand, if it can be believed.
    pub(super) fn find(&self, key: &Key, owner: UserId) -> Option<Arc<Record>> {
        let trust = self.trust();
        let found = self.records.find(key, owner, trust);
        let outcome = match &found {
            Some(_) => "hit",
            None if trust.is_zero() => "strict",
            None => "miss",
        };
        metrics::counter!("usher_session_checks_total", "outcome" => outcome).increment(1);
        found
    }

    /// How long a record may be believed.
    fn trust(&self) -> Duration {
        let redis = self.redis.as_ref().map(|line| &line.channel);
        push::trust(self.postgres.as_ref(), redis)
    }

    /// To be taken before a record is read.
    pub(super) fn begin(&self, owner: UserId) -> Stamp {
        self.records.begin(owner)
    }

    /// Keeps what was read.
    pub(super) fn keep(&self, key: Key, stamp: Stamp, record: &Arc<Record>) {
        self.records.keep(key, stamp, record);
    }

    fn notice(&self, news: News) -> String {
        let sent_at = self.clock.now().timestamp_micros();
        Notice { news, sent_at }.to_string()
    }

    /// Takes in what came through a channel, and gives it back for others to act upon.
    fn hear(&self, channel: &Channel, text: &str) -> Option<News> {
        let notice = Notice::parse(text);
        match notice.as_ref().map(|notice| &notice.news) {
            Some(News::Beat) => {}
            Some(News::Done(Whose::Theirs(users))) => {
                for id in users {
                    self.records.forget(*id);
                }
            }
            Some(News::Coming(Whose::Theirs(users))) => {
                for id in users {
                    self.records.bar(*id, UNSETTLED);
                }
            }
            Some(News::Coming(Whose::Everybodys)) => self.records.bar_all(UNSETTLED),
            // What cannot be read may say anything.
            Some(News::Done(Whose::Everybodys)) | None => self.records.forget_all(),
        }
        channel.hear(|| self.records.forget_all());
        let notice = notice?;
        let passed = self.clock.now().timestamp_micros() - notice.sent_at;
        let passed = Duration::from_micros(u64::try_from(passed).unwrap_or(0));
        metrics::histogram!("usher_push_delay_seconds").record(passed);
        Some(notice.news)
    }
}

fn whose(changed: &Changed) -> Whose {
    if changed.everybody {
        return Whose::Everybodys;
    }
    Whose::of(&changed.users)
}

impl Witness for Nodes {
    fn notice(&self, changed: &Changed) -> Option<String> {
        let others = changed.concerns_others();
        others.then(|| Self::notice(self, News::Done(whose(changed))))
    }

    /// So that nodes that hear only Redis believe nothing about these people while the commit is on its way.
    fn before<'a>(&'a self, changed: &'a Changed) -> Waiting<'a> {
        Box::pin(async move {
            if let Some(line) = self.redis.as_ref().filter(|_| changed.concerns_others()) {
                let notice = Self::notice(self, News::Coming(whose(changed)));
                line.redis.publish(&line.name, &notice).await;
            }
        })
    }

    fn after(&self, changed: &Changed, is_certain: bool) {
        for id in changed.users.iter().chain(&changed.in_passing) {
            if is_certain {
                self.records.forget(*id);
            } else {
                self.records.bar(*id, UNSETTLED);
            }
        }
        match (changed.everybody, is_certain) {
            (false, _) => {}
            (true, true) => self.records.forget_all(),
            (true, false) => self.records.bar_all(UNSETTLED),
        }
        if let Some(line) = self.redis.clone().filter(|_| changed.concerns_others()) {
            let notice = Self::notice(self, News::Done(whose(changed)));
            tokio::spawn(async move { line.redis.publish(&line.name, &notice).await });
        }
    }
}

/// What this service's keys and channels in Redis begin with.
fn prefix(key: &DataKey) -> String {
    let own = key.blind_index("redis", "prefix").0;
    let own = own.iter().take(6).map(|byte| format!("{byte:02x}"));
    format!("usher:{}", own.collect::<String>())
}

impl Services {
    /// Whether other nodes are heard through the database.
    pub fn is_on_postgres(&self) -> bool {
        self.store.is_postgres()
    }

    /// Hears what other nodes tell through PostgreSQL, and lets them know that this one lives, until the connection is lost.
    pub async fn hear_postgres(&self) -> Result<()> {
        let Some(channel) = &self.nodes.postgres else {
            return Ok(());
        };
        let heard = match tokio::time::timeout(DEAF, Ear::open(&self.store)).await {
            Ok(Ok(Some(ear))) => {
                self.listen(channel, ear).await;
                Ok(())
            }
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Ok(()),
        };
        channel.lose();
        heard
    }

    async fn listen(&self, channel: &Channel, mut ear: Ear) {
        let voice = ear.voice();
        let hearing = async {
            while let Some(text) = ear.next().await {
                self.hear(channel, &text);
            }
        };
        let beating = async {
            let mut beats = tokio::time::interval(push::BEAT);
            let mut silent = Duration::ZERO;
            while silent < DEAF {
                beats.tick().await;
                let beat = self.nodes.notice(News::Beat);
                // One that fails is not heard, and that is noticed.
                let _ = tokio::time::timeout(push::SILENCE, voice.tell(&beat)).await;
                channel.tell();
                silent = if channel.is_up() {
                    Duration::ZERO
                } else {
                    silent.saturating_add(push::BEAT)
                };
            }
        };
        tokio::select! { () = hearing => {}, () = beating => {} }
    }

    /// Whether other nodes are heard through Redis.
    pub fn is_on_redis(&self) -> bool {
        self.nodes.redis.is_some()
    }

    /// Keeps the connection to Redis and lets other nodes know that this one lives; without end.
    pub async fn beat_on_redis(&self) {
        let Some(line) = &self.nodes.redis else {
            return;
        };
        let mut beats = tokio::time::interval(push::BEAT);
        loop {
            beats.tick().await;
            let beat = self.nodes.notice(News::Beat);
            line.redis.beat(&line.name, &beat).await;
            line.channel.tell();
        }
    }

    /// Hears what other nodes tell through Redis, until the connection is lost or nothing comes any more.
    pub async fn hear_redis(&self) {
        let Some(line) = &self.nodes.redis else {
            return;
        };
        if let Some(mut ears) = line.redis.listen(&line.name).await {
            while let Ok(Some(text)) = tokio::time::timeout(DEAF, ears.next()).await {
                self.hear(&line.channel, &text);
            }
        }
        line.channel.lose();
    }

    fn hear(&self, channel: &Channel, text: &str) {
        // Of someone who was erased no key may stay at hand.
        match self.nodes.hear(channel, text) {
            Some(News::Done(Whose::Theirs(users))) => {
                for id in users {
                    self.forget_user_key(id);
                }
            }
            Some(News::Done(Whose::Everybodys)) | None => self.data_keys.forget_users(),
            Some(News::Beat | News::Coming(_)) => {}
        }
    }

    /// For how long a session in memory is believed at this moment.
    pub fn session_trust(&self) -> Duration {
        self.nodes.trust()
    }

    /// Whether Redis answered when it was last asked.
    pub fn has_redis(&self) -> bool {
        let line = self.nodes.redis.as_ref();
        line.is_some_and(|line| line.redis.is_up())
    }

    /// Reads every session anew.
    pub fn forget_sessions(&self) {
        self.nodes.records.forget_all();
        self.data_keys.forget_users();
    }
}
