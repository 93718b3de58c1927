#![doc = include_str!("../README.md")]

mod calls;
mod cause;
mod graphql;
mod ids;
mod logs;
mod otlp;
mod start;

pub mod names;
pub mod propagation;
pub mod rpc;

pub use cause::chain;
pub use graphql::GraphqlMetrics;
pub use rpc::{RpcLabels, RpcMetrics};
pub use start::{Error, Guard, LogFormat, Metrics, Settings, init};
