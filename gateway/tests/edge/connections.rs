//! What a connection of the edge may take of it, as `gateway::serve` has it: real sockets, and a clock that jumps.

use std::net::SocketAddr;

use gateway::limits::{CONNECTIONS_PER_ADDRESS_MAX, HEADER_TIMEOUT, REQUEST_TIMEOUT};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::support::shop;

const PICTURE: &[u8] = b"GET /media/harbour-mug.svg HTTP/1.1\r\nhost: shop.test\r\n\r\n";

async fn served(trusted: &[&str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let trusted: Vec<_> = trusted.iter().map(|network| network.parse().unwrap()).collect();
    let router = shop().router;
    tokio::spawn(async move { gateway::serve(listener, router, &trusted, std::future::pending()).await });
    address
}

/// Says something, and all that comes until the edge closes.
async fn until_closed(stream: &mut TcpStream, said: &[u8]) -> String {
    stream.write_all(said).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether somebody with a new connection is answered.
async fn is_let_in(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(PICTURE).await.ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.ok()?;
    assert_eq!(&answer, b"HTTP/1.1 200");
    Some(stream)
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_half_of_the_headers_is_let_go() {
    let address = served(&[]).await;
    for said in
        ["", "P", "POST /graphql HTTP/1.1\r\n", "POST /graphql HTTP/1.1\r\nhost: shop.test\r\nx-shop-"]
    {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let began = Instant::now();

        let answer = until_closed(&mut stream, said.as_bytes()).await;

        assert_eq!(began.elapsed().as_secs(), HEADER_TIMEOUT.as_secs(), "{said}");
        assert!(!answer.contains(" 200 "), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_the_headers_of_a_second_request_are_not_waited_for_either() {
    let address = served(&[]).await;
    let mut stream = is_let_in(address).await.unwrap();
    let began = Instant::now();

    until_closed(&mut stream, b"GET /media/").await;

    assert_eq!(began.elapsed().as_secs(), HEADER_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let address = served(&[]).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    let said = "POST /graphql HTTP/1.1\r\nhost: shop.test\r\nx-shop-client: test\r\ncontent-type: application/json\r\n\
                content-length: 100\r\nconnection: close\r\n\r\n{\"query\":";

    let answer = until_closed(&mut stream, said.as_bytes()).await;

    assert_eq!(began.elapsed().as_secs(), REQUEST_TIMEOUT.as_secs());
    assert!(answer.contains("\"code\":\"TIMEOUT\""), "{answer}");
}

#[tokio::test]
async fn an_address_has_a_hundred_connections_and_gets_them_back() {
    let address = served(&[]).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS_MAX {
        held.push(is_let_in(address).await.unwrap());
    }

    assert!(is_let_in(address).await.is_none());

    held.pop();
    // Until the edge has heard that one of them has left.
    while is_let_in(address).await.is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn behind_a_proxy_the_proxy_counts() {
    let address = served(&["127.0.0.0/8"]).await;
    let mut held = Vec::new();

    for _ in 0..=CONNECTIONS_PER_ADDRESS_MAX {
        held.push(is_let_in(address).await.unwrap());
    }
}
