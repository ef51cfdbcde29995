//! The courier against a real mail server: what waits, how long, what is given up, and what is never sent twice. Sign-ups
//! are done on one node, and another node on the same database sends their mails.

use crate::support::{
    TestApp,
    people::{BOB, CAROL},
    smtp::{Behaviour, Fault, Protection, Received, SmtpServer, Stage},
};
use chrono::TimeDelta;
use std::{collections::BTreeSet, time::Duration};
use tokio::net::TcpListener;
use usher::{App, Config, Entropy, Mailer, Means, SmtpSettings, Tls};

const NOTHING: &str = "SELECT count(*) FROM outbox_mails WHERE message_sealed IS NOT NULL";

/// A node that sends mails, its database, and the mail server.
struct Post {
    app: TestApp,
    node: App,
    server: SmtpServer,
}

impl Post {
    async fn start(behaviour: Behaviour, tls: Tls) -> Self {
        let app = TestApp::start().await;
        let server = SmtpServer::start(behaviour).await;
        let node = courier(&app, &to(&server, tls), 2).await;
        Self { app, node, server }
    }

    async fn usual() -> Self {
        Self::start(Behaviour::default(), Tls::None).await
    }

    async fn deliver(&self) {
        self.node.deliver_mails().await.unwrap();
    }

    async fn fail(&self, fault: Fault, times: usize) {
        let fault = Some((fault, times));
        let behaviour = Behaviour {
            fault,
            ..Behaviour::default()
        };
        self.server.set(behaviour).await;
    }

    /// `status attempts fault` of each mail.
    async fn rows(&self) -> Vec<String> {
        let sql = "SELECT status || ' ' || attempts || ' ' || coalesce(last_fault, '-')
            FROM outbox_mails ORDER BY created_at, id";
        self.app.db.texts(sql).await
    }

    /// After this pause the mail is tried, and one second before it is not.
    async fn is_tried_after(&self, pause: i64, attempts: i64) {
        let tried = "SELECT CAST(max(attempts) AS BIGINT) FROM outbox_mails";
        self.app.advance(TimeDelta::seconds(pause - 1));
        self.deliver().await;
        assert_eq!(self.app.db.number(tried).await, attempts - 1);
        // Pauses are spread by up to a fifth.
        self.app.advance(TimeDelta::seconds(1 + pause / 5));
        self.deliver().await;
        assert_eq!(self.app.db.number(tried).await, attempts);
    }
}

/// This server, reached in this way.
fn to(server: &SmtpServer, tls: Tls) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        tls,
        credentials: None,
        from: "Usher <no-reply@usher.test>".to_owned(),
        hello_name: Some("usher.test".to_owned()),
        timeout: Duration::from_millis(500),
        ca_pem: Some(server.ca_pem()),
    }
}

/// A node on the app's database and clock that sends mails; `seed` must differ.
async fn courier(app: &TestApp, settings: &SmtpSettings, seed: u64) -> App {
    let (url, folder) = (app.db.url(), app.db.folder().display().to_string());
    let config = Config::for_tests(&[
        ("DATABASE_URL", url.as_str()),
        ("DATA_DIR", folder.as_str()),
        ("SQLITE_SYNCHRONOUS", "normal"),
        ("PUBLIC_URL", "http://usher.test"),
    ]);
    let means = Means {
        clock: app.clock.clone(),
        entropy: Entropy::seeded(seed),
        mailer: Some(Mailer::smtp(settings, app.clock.clone()).unwrap()),
        ..Means::default()
    };
    usher::build(&config.unwrap(), means).await.unwrap()
}

fn message_id(mail: &Received) -> &str {
    let line = mail
        .data
        .lines()
        .find(|line| line.starts_with("Message-ID:"));
    line.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_once_under_starttls_and_its_text_is_wiped() {
    let behaviour = Behaviour {
        protection: Protection::StartTls,
        ..Behaviour::default()
    };
    let post = Post::start(behaviour, Tls::Required).await;
    post.app.sign_up(BOB).await;
    post.deliver().await;
    post.deliver().await;
    let [mail] = &post.server.messages()[..] else {
        panic!("one mail");
    };
    assert!(mail.over_tls);
    assert_eq!(mail.to, [BOB]);
    assert!(mail.data.contains("/verify-email?token="));
    assert_eq!(post.rows().await, ["sent 1 -"]);
    assert_eq!(post.app.db.number(NOTHING).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_never_goes_in_clear_where_tls_is_required() {
    let post = Post::start(Behaviour::default(), Tls::Required).await;
    post.app.sign_up(BOB).await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 STARTTLS not offered"]);
    let behaviour = Behaviour {
        protection: Protection::StartTls,
        ..Behaviour::default()
    };
    post.server.set(behaviour).await;
    post.app.advance(TimeDelta::seconds(6));
    post.deliver().await;
    assert!(post.server.messages().iter().all(|mail| mail.over_tls));
    assert_eq!(post.rows().await, ["sent 2 -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_while_the_mail_server_is_down_people_sign_up_and_their_mails_go_once_it_is_back() {
    let behaviour = Behaviour {
        down: true,
        ..Behaviour::default()
    };
    let post = Post::start(behaviour, Tls::None).await;
    post.app.sign_up(BOB).await;
    post.app.carol().await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 connection"; 2]);
    post.server.set(Behaviour::default()).await;
    post.app.advance(TimeDelta::minutes(2));
    post.deliver().await;
    let to: BTreeSet<String> = post
        .server
        .messages()
        .into_iter()
        .flat_map(|mail| mail.to)
        .collect();
    assert_eq!(to, [BOB.to_owned(), CAROL.to_owned()].into());
    assert_eq!(post.rows().await, ["sent 2 -"; 2]);
    assert!(!post.app.logs.text().contains(BOB));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_does_not_answer_costs_an_attempt_and_not_the_mail() {
    let behaviour = Behaviour {
        silent: true,
        ..Behaviour::default()
    };
    let post = Post::start(behaviour, Tls::None).await;
    post.app.sign_up(BOB).await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 timeout"]);
    post.server.set(Behaviour::default()).await;
    post.is_tried_after(5, 2).await;
    assert_eq!(post.server.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_mail_is_tried_after_pauses_that_double() {
    let post = Post::usual().await;
    post.app.sign_up(BOB).await;
    post.fail(Fault::Refuse(Stage::Rcpt, "451 try later"), 4)
        .await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 reply 451"]);
    for (attempts, pause) in [(2, 5), (3, 10), (4, 20), (5, 40)] {
        post.is_tried_after(pause, attempts).await;
    }
    assert_eq!(post.rows().await, ["sent 5 -"]);
    assert_eq!(post.server.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mail_is_given_up_with_an_entry_in_the_audit_trail_and_the_others_go() {
    let post = Post::usual().await;
    post.app.sign_up(BOB).await;
    post.fail(Fault::Refuse(Stage::Rcpt, "550 no such user"), 1)
        .await;
    post.deliver().await;
    post.app.carol().await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["dead 1 reply 550", "sent 1 -"]);
    assert_eq!(post.app.db.number(NOTHING).await, 0);
    let audit = post.app.audit().await;
    let refused = audit.iter().filter(|entry| *entry == "send_mail failed");
    assert_eq!(refused.count(), 1, "{audit:?}");
    let details = "SELECT details FROM audit_log WHERE action = 'send_mail'";
    let details = post.app.db.texts(details).await;
    assert!(details[0].contains("reply 550") && !details[0].contains(BOB));
    post.app.advance(TimeDelta::days(1));
    post.deliver().await;
    assert_eq!(post.server.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_a_connection_lost_before_the_reply_makes_one_duplicate_with_the_same_message_id() {
    let post = Post::usual().await;
    post.app.sign_up(BOB).await;
    post.fail(Fault::BreakAfterBody, 1).await;
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 connection lost"]);
    post.app.advance(TimeDelta::days(1));
    post.deliver().await;
    let [one, other] = &post.server.messages()[..] else {
        panic!("the mail and its duplicate");
    };
    assert_eq!(message_id(one), message_id(other));
    assert_eq!(post.rows().await, ["sent 2 -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_given_up_after_three_days_and_not_a_second_before() {
    let behaviour = Behaviour {
        down: true,
        ..Behaviour::default()
    };
    let post = Post::start(behaviour, Tls::None).await;
    post.app.sign_up(BOB).await;
    post.app
        .advance(TimeDelta::days(3) - TimeDelta::milliseconds(1));
    post.deliver().await;
    assert_eq!(post.rows().await, ["pending 1 connection"]);
    post.app.advance(TimeDelta::seconds(6));
    post.deliver().await;
    assert_eq!(post.rows().await, ["dead 2 connection"]);
    assert_eq!(post.app.db.number(NOTHING).await, 0);
    let audit = post.app.audit().await;
    assert!(audit.contains(&"send_mail failed".to_owned()), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_a_dead_node_had_claimed_is_sent_by_another_after_45_seconds() {
    let post = Post::usual().await;
    post.app.sign_up(BOB).await;
    // It never speaks, so whatever is left of the dying node cannot send the mail after all.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dumb = SmtpSettings {
        port: listener.local_addr().unwrap().port(),
        timeout: Duration::from_hours(1),
        ..to(&post.server, Tls::None)
    };
    let other = courier(&post.app, &dumb, 3).await;
    let mut dying = tokio::spawn(async move { other.deliver_mails().await });
    let (_connection, _) = tokio::select! {
        accepted = listener.accept() => accepted.unwrap(),
        ended = &mut dying => panic!("it ended by itself: {ended:?}"),
    };
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    assert_eq!(post.rows().await, ["pending 1 -"]);
    post.is_tried_after(45, 2).await;
    assert_eq!(post.rows().await, ["sent 2 -"]);
    assert_eq!(post.server.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_send_at_once_send_every_mail_once() {
    let post = Post::usual().await;
    for number in 0..50 {
        post.app.sign_up(&format!("p{number}@example.com")).await;
    }
    let other = courier(&post.app, &to(&post.server, Tls::None), 3).await;
    let barrier = tokio::sync::Barrier::new(2);
    let send = async |node: &App| {
        barrier.wait().await;
        node.deliver_mails().await.unwrap();
    };
    tokio::join!(send(&post.node), send(&other));
    let messages = post.server.messages();
    let ids: BTreeSet<&str> = messages.iter().map(message_id).collect();
    assert_eq!((messages.len(), ids.len()), (50, 50));
}
