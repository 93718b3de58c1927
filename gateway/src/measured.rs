//! What is counted of an operation, however it ends.

use observability::GraphqlMetrics;
use tokio::time::Instant;

/// An operation that executes. It is counted when this is dropped.
pub(crate) struct Measured {
    metrics: GraphqlMetrics,
    name: Option<String>,
    kind: &'static str,
    began: Instant,
    until: Option<Instant>,
    /// How it went, as far as that is known.
    pub(crate) outcome: Option<&'static str>,
}

impl Measured {
    /// A query or mutation has until a time to say how it went. A subscription has no end of its own: clients leave it,
    /// and it is well unless one of its answers says otherwise.
    pub(crate) fn begin(
        metrics: &GraphqlMetrics,
        name: Option<&str>,
        kind: &'static str,
        until: Option<Instant>,
    ) -> Self {
        let (metrics, name) = (metrics.clone(), name.map(str::to_owned));
        Self { metrics, name, kind, began: Instant::now(), until, outcome: None }
    }

    fn outcome_at(&self, now: Instant) -> &'static str {
        match (self.outcome, self.until) {
            (Some(outcome), _) => outcome,
            (None, Some(until)) if now >= until => "timeout",
            (None, Some(_)) => "left",
            (None, None) => "ok",
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let now = Instant::now();
        self.metrics.record(self.name.as_deref(), self.kind, self.outcome_at(now), now - self.began);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn whatever_ends_an_operation_has_a_name() {
        let (metrics, now, second) = (GraphqlMetrics::new(), Instant::now(), Duration::from_secs(1));
        let outcome = |told, until| {
            let mut measured = Measured::begin(&metrics, None, "query", until);
            measured.outcome = told;
            measured.outcome_at(now)
        };

        assert_eq!(outcome(Some("errors"), Some(now)), "errors");
        assert_eq!(outcome(None, Some(now)), "timeout");
        assert_eq!(outcome(None, Some(now + second)), "left");
        assert_eq!(outcome(None, None), "ok");
    }
}
