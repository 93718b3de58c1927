#![doc = include_str!("../README.md")]

mod relay;
mod unsent;

pub use relay::{Source, run};
