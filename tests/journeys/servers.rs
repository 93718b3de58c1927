//! Real servers, where the run of the tests names them, and one that a test may set as it likes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kit::{Database, execute};
use tokio::io::copy_bidirectional;
use uuid::Uuid;

const POSTGRES: &str = "SHOP_TEST_POSTGRES_URL";
const AMQP: &str = "SHOP_TEST_AMQP_URL";
const REDIS: &str = "SHOP_TEST_REDIS_URL";
const REDIS_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/xtask/servers/redis.sh");

/// The PostgreSQL of the tests; nothing without one, which is said.
pub fn postgres() -> Option<String> {
    named(POSTGRES)
}

/// The broker of the tests.
pub fn amqp() -> Option<String> {
    named(AMQP)
}

/// The Redis of the tests.
pub fn redis() -> Option<String> {
    named(REDIS)
}

fn named(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        eprintln!("not run: {variable} is not set; `cargo xtask test` sets it");
    }
    url
}

/// An empty schema of a test's own.
pub async fn schema() -> Option<String> {
    let url = postgres()?;
    let name = format!("journey_{}", Uuid::now_v7().simple());
    run(&url, &format!("CREATE SCHEMA {name}")).await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{separator}options[search_path]={name}"))
}

/// One statement on a store.
pub async fn run(url: &str, sql: &str) {
    let server = Database::open(url).await.unwrap();
    execute(server.write(), sql, []).await.unwrap();
}

/// Host and port of a URL.
pub fn address_of(url: &str) -> String {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split('/').next().unwrap().to_owned()
}

/// Lets whoever comes to an address through to a server.
pub async fn open_line(address: &str, server: String) {
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = tokio::net::TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
}

/// A Redis that is set in ways that no other test could stand; it goes with its handle.
pub struct Redis {
    keeper: Child,
    pub address: String,
}

impl Redis {
    pub async fn start(address: String) -> Self {
        let (_, port) = address.rsplit_once(':').unwrap();
        let keeper = Command::new("sh").arg(REDIS_SCRIPT).arg(port).stdin(Stdio::piped()).spawn().unwrap();
        let redis = Self { keeper, address };
        while TcpStream::connect(&redis.address).is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        redis
    }

    /// Sets one of its settings.
    pub fn set(&self, name: &str, value: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(format!("CONFIG SET {name} {value}\r\n").as_bytes()).unwrap();
        let mut said = [0; 5];
        stream.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"+OK\r\n");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
