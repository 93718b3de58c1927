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
pub(crate) struct Calls(Mutex<(BTreeSet<Call>, File)>);

/// Caller, service, method and code. As long as no other code was said, the call went well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Call([String; 4]);

const FIELDS: [&str; 4] = [names::CALLER, names::RPC_SERVICE, names::RPC_METHOD, names::RPC_CODE];

impl Calls {
    /// Appends to the file, which is made when missing.
    pub(crate) fn to(path: &Path) -> std::io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new((BTreeSet::new(), file))))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if [names::SERVER_SPANS, names::CLIENT_SPANS].contains(&attributes.metadata().target())
            && let Some(span) = context.span(id)
        {
            let mut call = Call(["", "", "", "OK"].map(str::to_owned));
            attributes.record(&mut call);
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
        // Spans of other things than calls have no caller.
        let Some(call) = call.filter(|Call([caller, ..])| !caller.is_empty()) else { return };
        let (seen, file) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(call.clone()) {
            // Whoever reads the file misses what could not be written, and says so.
            drop(writeln!(file, "{}", call.0.join(" ")));
        }
    }
}

impl Visit for Call {
    fn record_str(&mut self, field: &Field, value: &str) {
        for (kept, _) in self.0.iter_mut().zip(FIELDS).filter(|(_, name)| *name == field.name()) {
            value.clone_into(kept);
        }
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
