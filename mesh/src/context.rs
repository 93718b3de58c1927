//! What a call hands on to the calls that it causes, without anybody passing it by hand.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::caller::User;

/// A record does not grow beyond this, whatever a page asks for.
const RECORDED_MAX: usize = 1_000;

tokio::task_local! {
    static CONTEXT: Context;
}

/// Flows from the server stack (or the edge) to the client stacks below it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// When whoever waits for all this stops waiting.
    pub deadline: Option<Instant>,
    /// The access token of the person on whose behalf; sent on where the rule of a method asks who that is.
    pub token: Option<Arc<str>>,
    /// Who that person is, where the token has been verified; lets the client stack refuse before it sends.
    pub user: Option<Arc<User>>,
    /// Whether this very call is somebody's second attempt: then nothing below is tried twice.
    pub retried: bool,
    /// Where the calls that are made get written down, if anybody wants to see them.
    pub record: Option<CallRecord>,
}

/// Runs a future in a context. Whatever it spawns runs outside, unless it is given `current()`.
pub fn scope<F: Future>(context: Context, future: F) -> impl Future<Output = F::Output> {
    CONTEXT.scope(context, future)
}

/// The present context; an empty one outside of any call.
pub fn current() -> Context {
    CONTEXT.try_with(Context::clone).unwrap_or_default()
}

/// Runs a function in a context.
pub(crate) fn enter<T>(context: Context, run: impl FnOnce() -> T) -> T {
    CONTEXT.sync_scope(context, run)
}

/// One call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The service that was called: "orders".
    pub service: &'static str,
    /// Its method: "GetOrder".
    pub method: &'static str,
    /// How it ended.
    pub code: Code,
    /// How long after the record was opened the call began.
    pub began: Duration,
    /// How long it took.
    pub elapsed: Duration,
}

/// The calls made on behalf of one request of the edge, in the order in which they ended. Clones share it.
#[derive(Clone, Debug)]
pub struct CallRecord {
    opened: std::time::Instant,
    calls: Arc<Mutex<Vec<Recorded>>>,
}

impl CallRecord {
    /// An empty record.
    pub fn new() -> Self {
        Self { opened: std::time::Instant::now(), calls: Arc::default() }
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Recorded> {
        self.lock().clone()
    }

    pub(crate) fn add(
        &self,
        service: &'static str,
        method: &'static str,
        code: Code,
        started: std::time::Instant,
    ) {
        let mut calls = self.lock();
        if calls.len() < RECORDED_MAX {
            calls.push(Recorded {
                service,
                method,
                code,
                began: started.saturating_duration_since(self.opened),
                elapsed: started.elapsed(),
            });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Recorded>> {
        // A list that a panic left behind is still a list.
        self.calls.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Default for CallRecord {
    fn default() -> Self {
        Self::new()
    }
}
