//! Requests, errors and durations of GraphQL operations.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use crate::names;
use crate::rpc::SECONDS;

/// The name of an operation is the client's choice, so only so many of them become labels of their own.
const NAMES_MAX: usize = 200;
const NAME_LENGTH_MAX: usize = 64;
/// Stands for every operation beyond that, and for those whose name is unfit.
const OTHER: &str = "other";
const ANONYMOUS: &str = "anonymous";

/// The instruments of the edge. The number of requests is the count of the histogram.
///
/// Made after [`init`](crate::init): an instrument made before stays silent for ever.
#[derive(Clone, Debug)]
pub struct GraphqlMetrics {
    duration: Histogram<f64>,
    errors: Counter<u64>,
    names: Arc<RwLock<HashMap<String, Arc<str>>>>,
}

impl GraphqlMetrics {
    /// The instruments, ready to record.
    pub fn new() -> Self {
        let meter = opentelemetry::global::meter("shop");
        Self {
            duration: meter
                .f64_histogram(names::GRAPHQL_DURATION)
                .with_unit("s")
                .with_description("Time from the arrival of a GraphQL operation to its answer")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            errors: meter
                .u64_counter(names::GRAPHQL_ERRORS)
                .with_description("GraphQL operations that were refused or whose answer had errors")
                .build(),
            names: Arc::default(),
        }
    }

    /// Counts one operation: its name in the document if it has one, its kind ("query"), its outcome ("ok", "left" when
    /// nobody waited for the answer any more, or anything else for an error).
    pub fn record(
        &self,
        operation: Option<&str>,
        kind: &'static str,
        outcome: &'static str,
        elapsed: Duration,
    ) {
        let labels = [
            KeyValue::new(names::GRAPHQL_OPERATION, self.label(operation)),
            KeyValue::new(names::GRAPHQL_KIND, kind),
            KeyValue::new(names::GRAPHQL_OUTCOME, outcome),
        ];
        self.duration.record(elapsed.as_secs_f64(), &labels);
        if !["ok", "left"].contains(&outcome) {
            self.errors.add(1, &labels);
        }
    }

    fn label(&self, operation: Option<&str>) -> Arc<str> {
        let Some(operation) = operation else {
            return ANONYMOUS.into();
        };
        // A poisoned lock still holds a sound map: nothing below panics half-way through a change.
        let known =
            self.names.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(operation).cloned();
        known.unwrap_or_else(|| self.learn(operation))
    }

    fn learn(&self, operation: &str) -> Arc<str> {
        let fits = operation.len() <= NAME_LENGTH_MAX
            && operation.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let mut names = self.names.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !fits || names.len() >= NAMES_MAX {
            return OTHER.into();
        }
        let label: Arc<str> = operation.into();
        names.insert(operation.to_owned(), label.clone());
        label
    }
}

impl Default for GraphqlMetrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    #[test]
    fn a_client_cannot_make_time_series_at_will() {
        let metrics = GraphqlMetrics::new();

        for number in 0..NAMES_MAX {
            let name = format!("Operation{number}");
            assert_eq!(&*metrics.label(Some(&name)), name);
        }

        assert_eq!(&*metrics.label(Some("OneMore")), OTHER);
        assert_eq!(&*metrics.label(Some("Operation7")), "Operation7");
        assert_eq!(metrics.names.read().unwrap().len(), NAMES_MAX);
    }

    #[test]
    fn an_unfit_name_becomes_no_label() {
        let metrics = GraphqlMetrics::new();

        assert_eq!(&*metrics.label(Some("an@address.example")), OTHER);
        assert_eq!(&*metrics.label(Some(&"x".repeat(65))), OTHER);
        assert_eq!(&*metrics.label(None), ANONYMOUS);
    }
}
