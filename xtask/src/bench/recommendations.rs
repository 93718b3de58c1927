//! `cargo xtask bench recommendations`: how good the recommendations are on a real year of orders, beside what a simple
//! script reaches on the same cases. What is good enough, the test of the same name in `services/recommendations` asserts.

use std::env;

use crate::checkout::Checkout;
use crate::process::{self, Error};

/// Measures and prints. The figures are the same in every build; only the times are not.
pub(crate) fn run(checkout: &Checkout, release: bool) -> Result<bool, Error> {
    let folder = env::var_os("SHOP_REFERENCE_DATA").ok_or_else(|| {
        Error::Refused("SHOP_REFERENCE_DATA does not name the folder of reference data".to_owned())
    })?;
    let mut example = checkout.cargo();
    example.args(["run", "--quiet", "--package", "recommendations", "--example", "quality"]);
    if release {
        example.arg("--release");
    }
    process::run(example.arg("--").arg(folder))?;
    Ok(true)
}
