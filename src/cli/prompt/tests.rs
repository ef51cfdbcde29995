//! The server that is used, on a connection in memory and with a clock of its own.

use super::*;
use axum::{Router, body::Bytes, http::Request, routing::get};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::JoinHandle,
};

const PATIENCE: Patience = Patience {
    first: Duration::from_secs(10),
    idle: Duration::from_mins(2),
    stalled: Duration::from_secs(30),
};
/// More than the connection in memory holds.
const LARGE: usize = 1024 * 1024;
/// How long `/slow` works.
const SLOW: Duration = Duration::from_secs(1_000);

/// How HTTP/2 begins (RFC 9113, section 3.4): with a preface and a frame of settings, here an empty one.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A frame that wants an answer.
const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// Serves a connection; the client's end of it.
fn serve() -> DuplexStream {
    let (client, server) = duplex(64 * 1024);
    let slow = async || {
        sleep(SLOW).await;
        "there"
    };
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/large", get(|| async { vec![b'x'; LARGE] }))
        .route("/slow", get(slow));
    let (stream, service) = prompt(server, router, PATIENCE);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        let builder = Builder::new(TokioExecutor::new());
        let _ = builder
            .serve_connection(TokioIo::new(stream), service)
            .await;
    });
    client
}

/// A client that speaks HTTP/2, and the task that ends with its connection.
async fn connect() -> (SendRequest<Empty<Bytes>>, JoinHandle<()>) {
    let io = TokioIo::new(serve());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(async move {
        let _ = connection.await;
    });
    (sender, connection)
}

async fn ask(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Bytes {
    let uri = format!("https://usher.test{path}");
    let request = Request::get(uri).body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    answer.into_body().collect().await.unwrap().to_bytes()
}

/// After how many seconds a client that only reads finds the connection closed.
async fn closed_after(client: &mut DuplexStream) -> u64 {
    let begun = Instant::now();
    let mut all = Vec::new();
    let _ = client.read_to_end(&mut all).await;
    begun.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_nothing_is_hung_up_on() {
    for said in [
        &b""[..],
        b"P",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
        b"GET / HTTP/1.1\r\nhost: usher.test\r\n",
        PREFACE,
        &[PREFACE, SETTINGS].concat(),
        &[PREFACE, SETTINGS, PING].concat(),
    ] {
        let mut client = serve();
        client.write_all(said).await.unwrap();
        assert_eq!(closed_after(&mut client).await, 10, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drip_does_not_move_the_deadline() {
    for each in [SETTINGS, PING] {
        let mut client = serve();
        client.write_all(PREFACE).await.unwrap();
        let (mut reading, mut writing) = tokio::io::split(client);
        let begun = Instant::now();
        let drip = async {
            while writing.write_all(each).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let read = async {
            let mut all = Vec::new();
            let _ = reading.read_to_end(&mut all).await;
            assert_eq!(begun.elapsed().as_secs(), 10);
        };
        tokio::join!(drip, read);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_asked_may_be_silent_for_a_while() {
    let (mut sender, connection) = connect().await;
    assert_eq!(ask(&mut sender, "/").await, "here");
    sleep(Duration::from_secs(119)).await;
    assert_eq!(ask(&mut sender, "/").await, "here");
    let begun = Instant::now();
    connection.await.unwrap();
    let silent = begun.elapsed();
    assert!(
        silent >= PATIENCE.idle && silent <= PATIENCE.idle * 2,
        "{silent:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_worked_on_is_waited_for() {
    let (mut sender, _connection) = connect().await;
    assert_eq!(ask(&mut sender, "/slow").await, "there");
}

#[tokio::test(start_paused = true)]
async fn who_speaks_the_older_version_is_served_too() {
    let mut client = serve();
    let sent = b"GET / HTTP/1.1\r\nhost: usher.test\r\nconnection: close\r\n\r\n";
    client.write_all(sent).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn d9_who_asks_and_does_not_take_the_answer_is_hung_up_on() {
    let mut client = serve();
    let asked = b"GET /large HTTP/1.1\r\nhost: usher.test\r\n\r\n".repeat(3);
    client.write_all(&asked).await.unwrap();
    sleep(PATIENCE.stalled + Duration::from_secs(1)).await;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.len() < LARGE, "{}", answer.len());
}

#[tokio::test(start_paused = true)]
async fn who_takes_the_answer_slowly_gets_all_of_it() {
    let mut client = serve();
    let asked = b"GET /large HTTP/1.1\r\nhost: usher.test\r\nconnection: close\r\n\r\n";
    client.write_all(asked).await.unwrap();
    let (mut answer, mut piece) = (0, vec![0; 64 * 1024]);
    loop {
        sleep(PATIENCE.stalled / 2).await;
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            count => answer += count,
        }
    }
    assert!(answer > LARGE, "{answer}");
}
