//! Prints how good the recommendations are on real orders, beside what a simple script reaches. `cargo xtask bench
//! recommendations` runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/quality.rs"]
mod quality;

use std::path::PathBuf;

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder of reference data"));
    let orders = quality::orders(&folder);
    for split in [quality::VALIDATION, quality::HELD_OUT] {
        println!("{}", quality::measure(&orders, split).await);
    }
}
