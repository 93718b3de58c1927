//! Connecting, and whether this Redis keeps what it is told.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};
use tokio::sync::watch;

use super::Redis;
use super::keys::Keys;

/// Somebody waits: while a try is under way all wait for it, so there is one, and the next call is the next try.
const RECONNECTIONS_MAX: usize = 0;
/// The setting that says when its file is on the disk.
const WRITING: &str = "appendfsync";

/// Why a Redis cannot hold carts. The URL is never repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL of Redis.
    #[error("a Redis URL must be redis://host:port/ or rediss://host:port/")]
    Url,
    /// It does not answer.
    #[error("Redis cannot be reached")]
    Unreachable(#[source] RedisError),
    /// It knows no such name or password, or needs one, or gives no right to what carts need.
    #[error("Redis does not let this program in")]
    Refused(#[source] RedisError),
    /// It has no append-only file.
    #[error(
        "Redis does not write down what it is told, and a cart would be lost with it; set appendonly yes"
    )]
    NotPersistent,
    /// It evicts.
    #[error("Redis may forget carts when it is full; set maxmemory-policy noeviction")]
    Forgetful,
}

impl Redis {
    /// Connects to a Redis that keeps what it is told. Names of keys begin with the prefix; an answer that takes longer
    /// has failed.
    pub async fn connect(url: &str, prefix: &str, answer_time_max: Duration) -> Result<Redis, OpenError> {
        let client = Client::open(url).map_err(|_| OpenError::Url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(answer_time_max))
            .set_response_timeout(Some(answer_time_max))
            .set_number_of_retries(RECONNECTIONS_MAX);
        let connection = ConnectionManager::new_with_config(client, config).await.map_err(cannot_open)?;
        let redis = Redis { connection, keys: Keys::new(prefix), changes: watch::Sender::new(0) };
        let info = redis.info().await.map_err(cannot_open)?;
        let says = |line: &str| info.lines().any(|said| said.trim_end() == line);
        if !says("aof_enabled:1") {
            return Err(OpenError::NotPersistent);
        }
        if !says("maxmemory_policy:noeviction") {
            return Err(OpenError::Forgetful);
        }
        redis.warn_of_loss().await;
        Ok(redis)
    }

    /// Says what may be lost of what was answered. A Redis that lets nobody ask, as a rented one, is left alone.
    async fn warn_of_loss(&self) {
        let mut asked = redis::cmd("CONFIG");
        asked.arg("GET").arg(WRITING);
        let said = asked.query_async(&mut self.connection.clone()).await;
        let said: HashMap<String, String> = said.unwrap_or_default();
        let Some(policy) = said.get(WRITING) else {
            return;
        };
        let lost = match policy.as_str() {
            "always" => return,
            // Usually of one; but while its disk is busy with that one, it does not write the next.
            "everysec" => "the changes of a second or two",
            _ => "all that its system has not written",
        };
        tracing::warn!(
            "Redis answers before its disk has a cart ({WRITING} {policy}): a loss of power may take {lost}, \
             the end of its process alone hardly any; set {WRITING} always"
        );
    }

    async fn info(&self) -> Result<String, RedisError> {
        redis::cmd("INFO").query_async(&mut self.connection.clone()).await
    }
}

fn cannot_open(error: RedisError) -> OpenError {
    match scratch::is_refused(&error) {
        true => OpenError::Refused(error),
        false => OpenError::Unreachable(error),
    }
}
