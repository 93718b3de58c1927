#![doc = include_str!("../README.md")]

pub mod context;
pub mod serve;
pub mod status;
pub mod testing;
pub mod tokens;

mod access;
mod body;
mod call;
mod caller;
mod certificates;
mod client;
mod deadline;
mod measure;
mod server;
mod upstream;

pub use caller::{Caller, Role, User};
pub use certificates::{CertificateError, CertificateFiles, Certificates};
pub use server::{Served, Server, ServerSettings};
pub use upstream::{Channel, Upstream};
