//! The call graph as it is used: who called which method, and how that ended, each written to a file when it is first seen.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::names;

/// Watches the spans of both stacks. A line is `caller service method code`, written at once: what a process has seen
/// before it is killed is not lost.
pub(crate) struct Calls {
    seen: Mutex<Seen>,
}

struct Seen {
    calls: BTreeSet<Call>,
    file: File,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    caller: String,
    service: String,
    method: String,
    /// Empty as long as nothing but success was said.
    code: String,
}

impl Calls {
    /// Appends to the file, which is made when missing.
    pub(crate) fn to(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { seen: Mutex::new(Seen { calls: BTreeSet::new(), file }) })
    }

    fn note(&self, call: Call) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.calls.contains(&call) {
            return;
        }
        let Call { caller, service, method, code } = &call;
        let code = if code.is_empty() { "OK" } else { code };
        // Whoever reads the file misses what could not be written, and says so.
        drop(writeln!(seen.file, "{caller} {service} {method} {code}"));
        seen.calls.insert(call);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if ![names::SERVER_SPANS, names::CLIENT_SPANS].contains(&attributes.metadata().target()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut call = Call::default();
        attributes.record(&mut call);
        if !call.caller.is_empty() && !call.method.is_empty() {
            span.extensions_mut().insert(call);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(call) = span.extensions_mut().get_mut::<Call>() {
            values.record(call);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let call = context.span(&id).and_then(|span| span.extensions_mut().remove::<Call>());
        if let Some(call) = call {
            self.note(call);
        }
    }
}

impl Visit for Call {
    fn record_str(&mut self, field: &Field, value: &str) {
        let kept = match field.name() {
            names::CALLER => &mut self.caller,
            names::RPC_SERVICE => &mut self.service,
            names::RPC_METHOD => &mut self.method,
            names::RPC_CODE => &mut self.code,
            _ => return,
        };
        value.clone_into(kept);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use tracing::field::Empty;
    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    fn call(caller: &str) -> tracing::Span {
        tracing::info_span!(
            target: names::CLIENT_SPANS,
            "call",
            { names::CALLER } = caller,
            { names::RPC_SERVICE } = "inventory",
            { names::RPC_METHOD } = "ReserveStock",
            { names::RPC_CODE } = Empty,
        )
    }

    #[test]
    fn who_called_what_and_how_it_ended_is_written_once() {
        let path = std::env::temp_dir().join(format!("calls-of-{}", std::process::id()));
        let subscriber = tracing_subscriber::registry().with(Calls::to(&path).unwrap());

        with_default(subscriber, || {
            drop(call("orders"));
            drop(call("orders"));
            call("cart").record(names::RPC_CODE, "PERMISSION_DENIED");
            drop(tracing::info_span!("something else", { names::CALLER } = "orders"));
        });

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            ["orders inventory ReserveStock OK", "cart inventory ReserveStock PERMISSION_DENIED"]
        );
    }
}
