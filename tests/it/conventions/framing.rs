//! Where a request ends and whom it is for, over a socket: nothing that two readers could read in two ways gets a second
//! answer (H1).

use crate::support::{database::TestDatabase, process::Service};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Less than what the service waits for a request, so that who only waits is told apart from who closes.
const PATIENCE: Duration = Duration::from_secs(8);
/// What somebody smuggles behind a request.
const SECOND: &str = "GET /health HTTP/1.1\r\nHost: usher.test\r\nConnection: close\r\n\r\n";
const HOST: &str = "Host: usher.test\r\n";

/// Everything that comes back until the service closes the connection.
async fn told(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut told)).await;
    assert!(read.is_ok(), "{sent:?} leaves the connection open");
    String::from_utf8(told).unwrap()
}

fn answers(told: &str) -> usize {
    told.matches("HTTP/1.").count()
}

/// A sign-in with these header lines and this body.
fn login(lines: &str, body: &str) -> String {
    format!("POST /login HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n{lines}\r\n{body}")
}

/// Each is refused with everything behind it.
async fn assert_are_refused(service: &Service, requests: &[String]) {
    for request in requests {
        let told = told(service.address, &format!("{request}{SECOND}")).await;
        let head = told.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(head.contains(" 400 "), "{request:?}: {told}");
        assert_eq!(answers(&told), 1, "{request:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h1_a_request_that_does_not_name_one_host_ends_its_connection() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let hosts = [
        "",
        "Host: usher.test\r\nHost: usher.test\r\n",
        "Host: usher.test\r\nHost: evil.example\r\n",
        "Host: usher.test/x\r\n",
        "Host: someone@usher.test\r\n",
        "Host: usher.test evil.example\r\n",
    ];
    let mut requests = Vec::new();
    for lines in hosts {
        for first in [
            "GET /health",
            "GET http://usher.test/health",
            "GET /nowhere",
            "OPTIONS /login",
        ] {
            let cross = "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n";
            requests.push(format!("{first} HTTP/1.1\r\n{lines}{cross}\r\n"));
        }
    }
    requests.push("GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n".to_owned());
    assert_are_refused(&service, &requests).await;
    let problem = told(service.address, &requests[0]).await;
    assert!(problem.contains("\r\nconnection: close\r\n"), "{problem}");
    assert!(problem.contains("application/problem+json"), "{problem}");
    assert!(problem.contains("\"malformed\""), "{problem}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h1_a_body_of_doubtful_length_ends_its_connection() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let chunks = "2\r\n{}\r\n0\r\n\r\n";
    let mut requests = Vec::new();
    for coding in [
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "identity, chunked",
        "chunked, identity",
        "identity",
        "xchunked",
        "\x0bchunked",
        "\"chunked\"",
        "chunked;x=1",
        "",
    ] {
        requests.push(login(&format!("Transfer-Encoding: {coding}\r\n"), chunks));
    }
    for lines in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
    ] {
        requests.push(login(lines, chunks));
    }
    for length in [
        "+2",
        "-1",
        "0x2",
        "2,2",
        "2 2",
        "",
        "18446744073709551616",
        "2\r\nContent-Length: 3",
    ] {
        requests.push(login(&format!("Content-Length: {length}\r\n"), "{}"));
    }
    requests.push(login("Content-Length : 2\r\n", "{}"));
    requests.push(login("X-Folded: a\r\n b\r\nContent-Length: 2\r\n", "{}"));
    requests.push(login("X-Cut: a\rb\r\nContent-Length: 2\r\n", "{}"));
    requests.push(login("X-Nul: a\0b\r\nContent-Length: 2\r\n", "{}"));
    for size in ["ffffffffffffffff1", "-2", "0x2", " 2", "2\n", ""] {
        let body = format!("{size}\r\n{{}}\r\n0\r\n\r\n");
        requests.push(login("Transfer-Encoding: chunked\r\n", &body));
    }
    requests.push(login(
        "Transfer-Encoding: chunked\r\n",
        "2;a\nb\r\n{}\r\n0\r\n\r\n",
    ));
    requests.push(
        "POST /login HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
    );
    assert_are_refused(&service, &requests).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h1_after_a_body_with_a_length_beside_its_chunks_nothing_more_is_read() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    for lines in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
    ] {
        let request = login(lines, "2\r\n{}\r\n0\r\n\r\n");
        let told = told(service.address, &format!("{request}{SECOND}")).await;
        assert_eq!(answers(&told), 1, "{request:?}: {told}");
        assert!(told.contains("\r\nconnection: close\r\n"), "{told}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h1_what_a_reader_may_forgive_moves_no_boundary() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    for request in [
        "GET /health HTTP/1.1\nHost: usher.test\n\n".to_owned(),
        login(
            "Transfer-Encoding: chunked\r\n",
            "2;name=value\r\n{}\r\n0;last\r\n\r\n",
        ),
        login("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
        login("Transfer-Encoding: Chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
    ] {
        let told = told(service.address, &format!("{request}{SECOND}")).await;
        assert!(!told.starts_with("HTTP/1.1 400 "), "{request:?}: {told}");
        assert_eq!(answers(&told), 2, "{request:?}: {told}");
        assert!(told.ends_with("{\"status\":\"up\"}"), "{request:?}: {told}");
    }
    let old = told(service.address, "GET /health HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    service.stop().await;
}
