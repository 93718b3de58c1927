//! Requests, errors and durations of gRPC methods.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use tonic::Code;

use crate::names;

pub use crate::names::code_name;

/// Bounds of the buckets in seconds, from a call within the process to the slowest payment provider.
pub(crate) const SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The instruments of one direction. The number of requests is the count of the histogram.
///
/// Made after [`init`](crate::init): an instrument made before stays silent for ever.
#[derive(Clone, Debug)]
pub struct RpcMetrics {
    duration: Histogram<f64>,
    errors: Counter<u64>,
}

impl RpcMetrics {
    /// For calls that a service answers.
    pub fn server() -> Self {
        let meter = opentelemetry::global::meter("shop");
        Self {
            duration: meter
                .f64_histogram(names::RPC_SERVER_DURATION)
                .with_unit("s")
                .with_description("Time from the arrival of a call to the end of its answer")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            errors: meter
                .u64_counter(names::RPC_SERVER_ERRORS)
                .with_description("Calls that were answered with an error")
                .build(),
        }
    }

    /// For calls that are sent.
    pub fn client() -> Self {
        let meter = opentelemetry::global::meter("shop");
        Self {
            duration: meter
                .f64_histogram(names::RPC_CLIENT_DURATION)
                .with_unit("s")
                .with_description("Time from sending a call to the end of its answer")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            errors: meter
                .u64_counter(names::RPC_CLIENT_ERRORS)
                .with_description("Calls that came back with an error")
                .build(),
        }
    }

    /// Counts one call that ended.
    pub fn record(&self, labels: &RpcLabels, code: Code, elapsed: Duration) {
        if code == Code::Ok {
            self.duration.record(elapsed.as_secs_f64(), &labels.ok);
        } else {
            let labels = labels.with(code);
            self.duration.record(elapsed.as_secs_f64(), &labels);
            self.errors.add(1, &labels);
        }
    }
}

/// The labels of one method, put together once: a call that succeeds allocates nothing for them.
#[derive(Clone, Debug)]
pub struct RpcLabels {
    ok: [KeyValue; 3],
}

impl RpcLabels {
    /// The labels of a method of the contract. Only such names may become labels: a name that a caller chose
    /// would let it make new time series at will.
    pub fn new(service: &'static str, method: &'static str) -> Self {
        Self {
            ok: [
                KeyValue::new(names::RPC_SERVICE, service),
                KeyValue::new(names::RPC_METHOD, method),
                KeyValue::new(names::RPC_CODE, code_name(Code::Ok)),
            ],
        }
    }

    fn with(&self, code: Code) -> [KeyValue; 3] {
        let [service, method, _] = self.ok.clone();
        [service, method, KeyValue::new(names::RPC_CODE, code_name(code))]
    }
}
