//! A Redis that is there, is not, and comes back.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use redis::AsyncCommands;
use scratch::{MalformedUrl, Scratch};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Names a Redis on which tests may keep what they like; `cargo xtask test` starts one.
const REDIS_VARIABLE: &str = "SHOP_TEST_REDIS_URL";
/// How a record of TLS begins that opens a connection.
const TLS_HANDSHAKE: [u8; 1] = [22];
/// A busy machine may take its time.
const PATIENT: Duration = Duration::from_secs(10);

async fn count(scratch: &Scratch) -> Option<i64> {
    let key = scratch.key("count", 1);
    scratch.ask(|mut redis| async move { redis.incr(key, 1).await }).await
}

#[tokio::test]
async fn replicas_share_what_they_write() {
    let Ok(url) = std::env::var(REDIS_VARIABLE) else { return };
    let prefix = format!("test-{}:", uuid::Uuid::now_v7());
    let one = Scratch::new(&url, &prefix, PATIENT).unwrap();
    let other = Scratch::new(&url, &prefix, PATIENT).unwrap();

    let counted = [count(&one).await, count(&other).await, count(&one).await];

    assert_eq!(counted, [Some(1), Some(2), Some(3)]);
    assert!(one.ping().await.is_ok());
}

#[tokio::test]
async fn a_question_that_redis_refuses_is_done_without() {
    let Ok(url) = std::env::var(REDIS_VARIABLE) else { return };
    let scratch = Scratch::new(&url, "test:", PATIENT).unwrap();

    let answer: Option<String> =
        scratch.ask(|mut redis| async move { redis::cmd("NONSENSE").query_async(&mut redis).await }).await;

    assert_eq!(answer, None);
}

#[tokio::test]
async fn one_that_is_not_there_is_done_without() {
    let scratch = Scratch::new("redis://127.0.0.1:1/", "test:", PATIENT).unwrap();

    let answers = [count(&scratch).await, count(&scratch).await];

    assert_eq!(answers, [None, None]);
    assert!(scratch.ping().await.is_err());
}

#[tokio::test]
async fn it_is_spoken_to_in_tls_where_the_url_asks_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rediss://localhost:{}/", listener.local_addr().unwrap().port());
    let scratch = Scratch::new(&url, "test:", PATIENT).unwrap();
    let asking = tokio::spawn(async move { scratch.ping().await });

    let (mut asked, _) = listener.accept().await.unwrap();
    let mut first = [0];
    asked.read_exact(&mut first).await.unwrap();

    assert_eq!(first, TLS_HANDSHAKE);
    drop(asked);
    assert!(asking.await.unwrap().is_err());
}

/// It accepts and never says a word: a process that hangs, a machine that is gone.
#[tokio::test]
async fn one_that_is_silent_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", silent.local_addr().unwrap());
    let scratch = Scratch::new(&url, "test:", Duration::from_millis(50)).unwrap();

    let answer = tokio::time::timeout(PATIENT, count(&scratch)).await;

    assert_eq!(answer, Ok(None));
}

#[tokio::test]
async fn a_url_of_something_else_is_refused() {
    for url in ["", "nonsense", "http://here/", "postgres://here/there"] {
        assert_eq!(Scratch::new(url, "test:", PATIENT).err(), Some(MalformedUrl));
    }
}
