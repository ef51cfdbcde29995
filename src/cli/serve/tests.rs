//! A connection in clear, as the program serves it.

use super::*;
use axum::{Router, body::Bytes, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PATIENCE: Patience = Patience {
    first: HEADER_TIMEOUT,
    idle: HEADER_TIMEOUT,
    stalled: Duration::from_millis(300),
};

/// More than the machine keeps for who does not read.
static LARGE: [u8; 32 * 1024 * 1024] = [b'x'; 32 * 1024 * 1024];

#[tokio::test]
async fn d9_who_asks_in_clear_and_does_not_read_is_hung_up_on() {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { Bytes::from_static(&LARGE) }));
    let server = tokio::spawn(serve(listener, router, None, Handle::new(), PATIENCE));
    let mut client = TcpStream::connect(address).await.unwrap();
    let asked = b"GET / HTTP/1.1\r\nhost: usher.test\r\n\r\n".repeat(3);
    client.write_all(&asked).await.unwrap();
    tokio::time::sleep(PATIENCE.stalled * 5).await;
    let mut answer = Vec::new();
    let _ = timeout(HEADER_TIMEOUT, client.read_to_end(&mut answer)).await;
    assert!(answer.len() < LARGE.len(), "{}", answer.len());
    server.abort();
}
