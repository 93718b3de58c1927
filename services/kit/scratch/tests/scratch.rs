//! A Redis that is there, is not, and comes back.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use redis::AsyncCommands;
use scratch::{MalformedUrl, Scratch};
use tokio::net::TcpListener;

/// Names a Redis on which tests may keep what they like; `cargo xtask test` starts one.
const REDIS_VARIABLE: &str = "SHOP_TEST_REDIS_URL";
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
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", free.local_addr().unwrap());
    drop(free);
    let scratch = Scratch::new(&url, "test:", PATIENT).unwrap();

    let answers = [count(&scratch).await, count(&scratch).await];

    assert_eq!(answers, [None, None]);
    assert!(scratch.ping().await.is_err());
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
