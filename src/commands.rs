//! What each command of `shop` does.

pub mod admin;
pub mod demo;
pub mod events;
pub mod migrate;
pub mod print;
pub mod provider;
pub mod sealing_key;
pub mod serve;
pub mod transfer;
pub mod up;
pub mod verify;

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use mesh::Server;
use mesh::serve::DRAIN_TIME_MAX;
use mesh::status::chain;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use tonic::Status;

/// Why a command ends without having done its work, in a sentence that says what would be right.
pub struct Failure(String);

impl Failure {
    /// A failure that explains itself.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// A failure with its causes.
    pub fn caused(words: impl fmt::Display, cause: &dyn Error) -> Self {
        Self(format!("{words}: {}", chain(cause)))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let fields: Vec<String> = mesh::status::violations_of(&status)
            .into_iter()
            .map(|violation| format!("{}: {}", violation.field, violation.description))
            .collect();
        match fields.is_empty() {
            true => Self(status.message().to_owned()),
            false => Self(format!("{} ({})", status.message(), fields.join("; "))),
        }
    }
}

/// Listens, or says which flag would find another address.
pub async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("{address} is taken by another program; name a free address with {flag}")
            }
            _ => format!("{address} cannot be listened on ({error}); name another address with {flag}"),
        })
    })
}

/// Waits until somebody stops the process, by Ctrl-C or as an orchestrator does.
pub async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        },
        Err(_) => drop(interrupted.await),
    }
}

/// Waits for the tasks, and for what they began in a service; says whether all of it ended in time.
pub async fn drained(tasks: &TaskTracker, server: &Server) -> bool {
    let end = Instant::now() + DRAIN_TIME_MAX;
    tasks.close();
    let drained = timeout_at(end, tasks.wait()).await.is_ok();
    server.finish(end - Instant::now()).await && drained
}
