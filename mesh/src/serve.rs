//! Services on a socket: gRPC with health and reflection, and an admin port apart from it.
//!
//! tonic's own server is not used: it lets `grpc-timeout` end calls as CANCELLED before our stack can answer, and it
//! does not bound connections. What is left to do is small: a loop that accepts, and a table from name to service.

mod admin;
pub(crate) mod connections;
mod grpc;
mod health;
mod linkerd;
mod peers;

pub use admin::{Admin, admin};
pub use connections::{DRAIN_TIME_MAX, Held, Limits, Protocol, STREAMS_MAX, connections};
pub use grpc::{Grpc, GrpcError, grpc};
pub use health::{Check, Health};
pub use peers::Peers;
