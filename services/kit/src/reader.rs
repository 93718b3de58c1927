//! Who reads news: bound to services where the process is put together, carried by the relay.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::outbox::Event;

/// Whatever went wrong in a reader; the relay logs it and tries again later.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a reader answers when the failure is not the event's: something that it needs is away. The event is kept and
/// tried again for as long as that lasts, where any other failure is put aside after a few attempts.
#[derive(Debug, thiserror::Error)]
#[error("it can be applied when something else is back")]
pub struct Later(#[source] pub BoxError);

/// One reader of events. Each event comes at least once, in order within its subject, so `apply` asks
/// [`inbox::first_time`](crate::inbox::first_time) in the transaction of its effect.
#[derive(Clone)]
pub struct Reader {
    /// Names the reader in inbox rows and queues; renaming it makes it a new reader.
    pub name: &'static str,
    /// What it wants to hear of: "order.delivered".
    pub kinds: &'static [&'static str],
    /// Takes one event. An error means "again, later", and holds back the later events of that subject meanwhile.
    pub apply: Arc<dyn Fn(Event) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>,
    /// Whether every process that runs it hears every event, rather than one of them.
    pub everywhere: bool,
    /// Told whenever events may have passed this process by: when it begins to listen, and after the broker was away.
    pub missed: Option<Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>>,
}

impl Reader {
    /// A reader from its function.
    pub fn new<F, R>(name: &'static str, kinds: &'static [&'static str], apply: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let apply = Arc::new(move |event| Box::pin(apply(event)) as BoxFuture<'static, _>);
        Self { name, kinds, apply, everywhere: false, missed: None }
    }

    /// A reader that lives in every process, such as a copy of an index: each hears every event from when it began to
    /// listen. What was before, it reads from the owner.
    pub fn everywhere<F, R>(name: &'static str, kinds: &'static [&'static str], apply: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { everywhere: true, ..Self::new(name, kinds, apply) }
    }

    /// The same, and what it does when events may have passed it by: reads the present state from the owner again.
    /// It runs beside the events that come meanwhile.
    #[must_use]
    pub fn when_missed<R: Future<Output = ()> + Send + 'static>(
        self,
        missed: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self {
        Self { missed: Some(Arc::new(move || Box::pin(missed()))), ..self }
    }

    /// Whether it wants to hear of this kind.
    pub fn reads(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
}
