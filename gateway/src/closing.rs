//! Sockets and event streams end when the process does: they would never end by themselves.

use axum::extract::Request;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Told to every request by [`crate::serve`]; a router that is served otherwise never closes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    begun: CancellationToken,
    sockets: TaskTracker,
}

impl Closing {
    /// The one that a request was told of.
    pub(crate) fn of(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn tell<B>(&self, mut request: Request<B>) -> Request<B> {
        request.extensions_mut().insert(self.clone());
        request
    }

    pub(crate) fn begin(&self) {
        self.begun.cancel();
        self.sockets.close();
    }

    /// Ends when the process is about to.
    pub(crate) async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// A socket is no longer part of its connection: whoever ends the process waits for it here.
    pub(crate) async fn attend(self, socket: impl Future<Output = ()>) {
        self.sockets.track_future(socket).await;
    }

    /// Ends when every socket has taken its leave.
    pub(crate) async fn ended(&self) {
        self.sockets.wait().await;
    }
}
