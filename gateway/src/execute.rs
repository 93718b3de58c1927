//! One operation from its text to its answer, whatever brought it here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Value, Variables};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use observability::{GraphqlMetrics, names};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::context::{Market, Viewer};
use crate::documents::{Checked, Documents};
use crate::error::{Fault, Problem};
use crate::guard;
use crate::limits::{RATE_MUTATION_COST, RATE_QUERY_COST, RATE_REFUSED_COST};
use crate::measured::Measured;
use crate::rates::Rates;
use crate::schema::{Schema, in_context};

/// What a client sends: one operation. Everything else in it is ignored, as GraphQL over HTTP has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload {
    #[serde(default)]
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Value>,
}

/// What executes operations.
pub(crate) struct Executor {
    pub(crate) schema: Schema,
    pub(crate) documents: Documents,
    pub(crate) rates: Rates,
    pub(crate) metrics: GraphqlMetrics,
    pub(crate) market: Market,
    pub(crate) production: bool,
}

/// An operation that may execute.
pub(crate) struct Prepared {
    checked: Arc<Checked>,
    request: Request,
}

impl Prepared {
    pub(crate) fn kind(&self) -> OperationType {
        self.checked.operation.kind
    }

    fn name(&self) -> Option<&str> {
        self.checked.operation.name.as_deref()
    }
}

impl Executor {
    /// Refuses what is too large, unknown or too much; what is left may execute. To be refused costs more than to be
    /// answered: honest clients are refused seldom.
    pub(crate) async fn prepare(&self, payload: Payload, viewer: &Viewer) -> Result<Prepared, Fault> {
        let payer = viewer.payer();
        self.rates.spend(&payer, RATE_QUERY_COST).await?;
        match self.check(payload) {
            Ok((prepared, cost)) => {
                self.rates.spend(&payer, cost - RATE_QUERY_COST).await?;
                Ok(prepared)
            }
            Err(fault) => {
                self.rates.spend(&payer, RATE_REFUSED_COST).await?;
                Err(fault)
            }
        }
    }

    /// The operation, and what it costs.
    fn check(&self, payload: Payload) -> Result<(Prepared, u32), Fault> {
        let checked = self.documents.check(&payload.query)?;
        let operation = &checked.operation;
        if payload.operation_name.is_some() && payload.operation_name != operation.name {
            return Err(Fault::of(Problem::BadRequest, "The document has no operation of that name."));
        }
        let variables = payload.variables.unwrap_or_default();
        guard::check_variables(&variables)?;
        let variables = Variables::from_json(variables);
        let cost = match operation.kind {
            OperationType::Mutation => {
                RATE_MUTATION_COST.saturating_mul(u32::try_from(operation.roots).unwrap_or(u32::MAX))
            }
            OperationType::Query | OperationType::Subscription => RATE_QUERY_COST,
        };
        let locale = in_context::locale_of(&checked.document, &variables, &self.market)?;
        let mut request = Request::new(String::new()).variables(variables).data(locale);
        request.set_parsed_query(checked.document.clone());
        Ok((Prepared { checked, request }, cost))
    }

    /// Executes a query or mutation in the span of its request, whose time ends then.
    pub(crate) async fn execute(&self, prepared: Prepared, viewer: Viewer, until: Instant) -> Response {
        let mut measured = self.measure(&prepared, Some(until));
        let record = viewer.record.clone();
        let context = viewer.call_context(Some(until));
        let request = prepared.request.data(viewer);
        let run = AssertUnwindSafe(self.schema.execute(request)).catch_unwind();
        let run = mesh::context::scope(context, run);
        let response = run.await.unwrap_or_else(|_| {
            tracing::error!("an operation panicked");
            Response::from_errors(vec![Fault::internal().into_server_error()])
        });
        let mut response = self.finish(response);
        let outcome = if response.errors.is_empty() { "ok" } else { "errors" };
        Span::current().record(names::GRAPHQL_OUTCOME, outcome);
        measured.outcome = Some(outcome);
        if let Some(record) = record {
            response.extensions.insert("rpcs".to_owned(), rpcs(&record));
        }
        response
    }

    /// Executes a subscription; each answer is made in the context of whoever asked.
    pub(crate) fn stream(
        self: Arc<Self>,
        prepared: Prepared,
        viewer: Viewer,
        span: Span,
    ) -> BoxStream<'static, Response> {
        let context = viewer.call_context(None);
        let measured = self.measure(&prepared, None);
        let stream = self.schema.execute_stream(prepared.request.data(viewer));
        let next = move |(mut stream, mut measured): (BoxStream<'static, Response>, Measured)| {
            let (executor, context, span) = (self.clone(), context.clone(), span.clone());
            async move {
                let response = mesh::context::scope(context, stream.next()).instrument(span).await?;
                let response = executor.finish(response);
                if !response.errors.is_empty() {
                    measured.outcome = Some("errors");
                }
                Some((response, (stream, measured)))
            }
        };
        futures::stream::unfold((stream, measured), next).boxed()
    }

    /// Gives every error its code, and in production keeps the schema's names out of what the library says.
    fn finish(&self, mut response: Response) -> Response {
        for error in &mut response.errors {
            if error.extensions.is_some() {
                continue;
            }
            let fault = Fault::of(Problem::BadRequest, "");
            error.extensions = Some(fault.extensions());
            if self.production {
                "The document does not fit the schema.".clone_into(&mut error.message);
            }
        }
        response
    }

    fn measure(&self, prepared: &Prepared, until: Option<Instant>) -> Measured {
        Measured::begin(&self.metrics, prepared.name(), kind_name(prepared.kind()), until)
    }

    /// Counts an operation that was refused before it executed: mostly before anybody knew what it is.
    pub(crate) fn refused(&self) {
        self.metrics.record(None, "unknown", "refused", std::time::Duration::ZERO);
    }
}

/// The span of one request; what the operation is called becomes known later.
pub(crate) fn span() -> Span {
    tracing::info_span!(
        target: names::SERVER_SPANS,
        "graphql",
        otel.kind = "server",
        { names::GRAPHQL_OPERATION } = tracing::field::Empty,
        { names::GRAPHQL_KIND } = tracing::field::Empty,
        { names::GRAPHQL_OUTCOME } = tracing::field::Empty,
    )
}

/// Writes onto the span of a request what it asks for.
pub(crate) fn describe(span: &Span, prepared: &Prepared) {
    span.record(names::GRAPHQL_KIND, kind_name(prepared.kind()));
    if let Some(name) = prepared.name() {
        span.record(names::GRAPHQL_OPERATION, name);
    }
}

fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// What the answer cost, for the playground.
fn rpcs(record: &mesh::context::CallRecord) -> Value {
    let calls = record.calls();
    let millis = |duration: std::time::Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
    // Not `sum`, which begins at minus zero.
    let total = calls.iter().fold(0.0, |total, call| total + millis(call.elapsed));
    let one = |call: &mesh::context::Recorded| {
        serde_json::json!({
            "method": format!("{}.{}", call.service, call.method),
            "ms": millis(call.elapsed),
            "code": names::code_name(call.code),
        })
    };
    let report = serde_json::json!({
        "count": calls.len(),
        "totalMs": (total * 10.0).round() / 10.0,
        "calls": calls.iter().map(one).collect::<Vec<_>>(),
    });
    Value::from_json(report).unwrap_or_default()
}
