#![doc = include_str!("../README.md")]

pub mod rules;

// The generated code follows the habits of its generators, not ours: every lint is off inside, and nowhere else.
#[allow(
    missing_docs,
    unreachable_pub,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    clippy::large_futures
)]
mod shop {
    // The tree repeats the packages, `shop::orders::v1`, since references between packages are relative to it.
    include!(concat!(env!("OUT_DIR"), "/tree.rs"));

    pub use self::shop::*;
}

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// The descriptors of all packages with their imports and options, encoded, as reflection serves them.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
