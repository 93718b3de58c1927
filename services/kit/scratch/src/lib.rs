#![doc = include_str!("../README.md")]

mod breaker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use observability::{chain, names};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError};

use crate::breaker::Breaker;

/// Somebody waits, and can do without: who asks again asks later.
const RECONNECTIONS_MAX: usize = 0;
/// What Redis says to a program that it does not let in, or gives no right to what it wants.
const REFUSALS: [&str; 3] = ["WRONGPASS", "NOAUTH", "NOPERM"];

/// A handle on what replicas share; clones share the connection, and what is known of it.
#[derive(Clone)]
pub struct Scratch {
    connection: ConnectionManager,
    prefix: Arc<str>,
    breaker: Arc<Breaker>,
}

/// The URL is none of Redis. It is never repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Redis URL must be redis://host:port/ or rediss://host:port/")]
pub struct MalformedUrl;

/// Whether it is the program that Redis does not want, rather than Redis that is away.
pub fn is_refused(error: &RedisError) -> bool {
    let code = error.code().is_some_and(|code| REFUSALS.contains(&code));
    code || error.kind() == ErrorKind::AuthenticationFailed
}

impl Scratch {
    /// A Redis that is connected to when it is first asked. Names of keys begin with the prefix; connecting or an answer
    /// that takes longer than this has failed. Needs the runtime that it is used in.
    pub fn new(url: &str, prefix: &str, answer_time_max: Duration) -> Result<Self, MalformedUrl> {
        let client = Client::open(url).map_err(|_| MalformedUrl)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(answer_time_max))
            .set_response_timeout(Some(answer_time_max))
            .set_number_of_retries(RECONNECTIONS_MAX);
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(|_| MalformedUrl)?;
        Ok(Self { connection, prefix: prefix.into(), breaker: Arc::default() })
    }

    /// The name of a key.
    pub fn key(&self, kind: &str, id: impl fmt::Display) -> String {
        format!("{}{kind}:{id}", self.prefix)
    }

    /// What Redis answers, or nothing where one has to do without it.
    pub async fn ask<T, R>(&self, question: impl FnOnce(ConnectionManager) -> R) -> Option<T>
    where
        R: Future<Output = Result<T, RedisError>>,
    {
        if !self.breaker.lets_through() {
            return None;
        }
        let answer = question(self.connection.clone()).await;
        self.note(&answer);
        answer.ok()
    }

    /// Whether it answers. Asks also while others do without, and ends that when it does.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let answer = redis::cmd("PING").query_async::<String>(&mut self.connection.clone()).await;
        self.note(&answer);
        answer.map(drop)
    }

    /// Tells once that it went away, and once that it came back.
    fn note<T>(&self, answer: &Result<T, RedisError>) {
        match answer {
            Ok(_) if self.breaker.close() => tracing::info!("the shared Redis answers again"),
            Err(error) if self.breaker.open() => {
                let error = chain(error);
                tracing::warn!({ names::ERROR } = error, "the shared Redis is done without: {error}");
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scratch").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
