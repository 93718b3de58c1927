//! `cargo xtask bench enumeration`: can anybody find out by time who has an account? What is allowed, the example of the
//! same name in `services/identity` says; it fails beyond that.

use crate::checkout::Checkout;
use crate::process::{self, Error};

/// Measures and prints; a figure that is not allowed is a failure.
pub(crate) fn run(checkout: &Checkout, release: bool, calls: usize) -> Result<bool, Error> {
    let mut example = checkout.cargo();
    example.args(["run", "--quiet", "--package", "identity", "--example", "enumeration"]);
    if release {
        example.arg("--release");
    }
    process::run(example.arg("--").arg(calls.to_string()))?;
    Ok(true)
}
