//! The service stops: what is under way finishes, what is gathered is written, and nothing can hold it up. And who only
//! pretends to send a request is hung up on.

use crate::support::{
    app::ADA,
    database::TestDatabase,
    process::{PRODUCTION, Service, run},
    smtp::{Behaviour, SmtpServer},
};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The time that a supervisor gives before it kills.
const LIMIT: Duration = Duration::from_secs(10);

const BODY: &str = r#"{"email": "bob@example.com", "password": "SecurePass123"}"#;

/// A sign-up that the handler is at, but whose body is not sent yet.
async fn begin_sign_up(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let head = format!(
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        BODY.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut reply = [0; 25];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn f25_a_stopping_node_says_so_and_finishes_what_is_under_way() {
    let db = TestDatabase::create().await;
    run(&db, &["migrate", "up"], &PRODUCTION).await.success();
    let service = Service::start(&db, &PRODUCTION).await;
    let mut sign_up = begin_sign_up(&service).await;
    let begun = Instant::now();
    service.terminate();
    loop {
        let ready = service.client.get(service.url("/readyz")).send().await;
        match ready.unwrap().status().as_u16() {
            200 => tokio::task::yield_now().await,
            status => break assert_eq!(status, 503),
        }
    }
    sign_up.write_all(BODY.as_bytes()).await.unwrap();
    let mut reply = String::new();
    sign_up.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 201 "), "{reply}");
    let (status, log) = service.ended().await;
    assert!(status.success(), "{log}");
    assert!(begun.elapsed() < LIMIT);
    assert_eq!(db.number("SELECT count(*) FROM users").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_at_which_sessions_were_seen_are_written_at_the_end() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let signed_in = service.sign_in(ADA).await;
    let token = signed_in["access_token"].as_str().unwrap();
    assert_eq!(service.get_as(token, "/api/v1/users/me").await, 200);
    let seen = "SELECT count(*) FROM user_sessions WHERE last_seen_at > created_at";
    assert_eq!(db.number(seen).await, 0, "it was written before the end");
    service.stop().await;
    assert_eq!(db.number(seen).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_stuck_client_nor_a_stuck_mail_server_holds_the_end_up() {
    let db = TestDatabase::create().await;
    let behaviour = Behaviour {
        silent: true,
        ..Behaviour::default()
    };
    let server = SmtpServer::start(behaviour).await;
    let smtp = format!("smtp://127.0.0.1:{}", server.port());
    let service = Service::start(
        &db,
        &[("SMTP_URL", &smtp), ("SHUTDOWN_TIMEOUT_SECONDS", "3")],
    )
    .await;
    service.sign_up("carol@example.com").await;
    let being_sent = "SELECT count(*) FROM outbox_mails WHERE attempts = 1 AND status = 'pending'";
    while db.number(being_sent).await == 0 {
        tokio::task::yield_now().await;
    }
    let stuck = begin_sign_up(&service).await;
    let begun = Instant::now();
    service.terminate();
    let (status, log) = service.ended().await;
    assert!(status.success(), "{log}");
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    drop(stuck);
    assert_eq!(
        db.number(being_sent).await,
        1,
        "the mail is still to be sent"
    );
}

/// The time until the service hangs up on somebody who has sent only this.
async fn patience_with(service: &Service, sent: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut reply = Vec::new();
    let closed = tokio::time::timeout(2 * LIMIT, stream.read_to_end(&mut reply)).await;
    assert!(
        closed.is_ok(),
        "{} is waited for",
        String::from_utf8_lossy(sent)
    );
    begun.elapsed()
}

/// Takes ten seconds: that the limit of a connection without a request is no shorter and no longer is the point.
#[tokio::test(flavor = "multi_thread")]
async fn d9_a_connection_without_a_whole_request_is_closed_after_ten_seconds() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let half = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-";
    let patience = tokio::join!(
        patience_with(&service, half),
        patience_with(&service, b"P"),
        patience_with(&service, b""),
    );
    for patience in [patience.0, patience.1, patience.2] {
        assert!(patience > Duration::from_secs(8), "{patience:?}");
        assert!(patience < Duration::from_secs(15), "{patience:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_a_body_that_does_not_come_is_waited_for_no_longer_than_an_answer_may_take() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[("REQUEST_TIMEOUT_SECONDS", "5")]).await;
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let begun = format!("{head}Content-Length: 100\r\n\r\n{{");
    let patience = patience_with(&service, begun.as_bytes()).await;
    assert!(patience > Duration::from_secs(4), "{patience:?}");
    assert!(patience < Duration::from_secs(9), "{patience:?}");
    service.stop().await;
}
