//! `cargo xtask bench search`: how well known items are found, and how fast among many products.

use super::Build;
use crate::checkout::Checkout;
use crate::process::{self, Error};

const REFERENCE_VARIABLE: &str = "SHOP_REFERENCE_DATA";

/// Measures; true when what is found is as good as promised.
pub(crate) fn run(checkout: &Checkout, build: &Build, products: usize, seconds: u64) -> Result<bool, Error> {
    let mut load = checkout.cargo();
    load.args(["run", "--quiet", "--package", "search", "--example", "load"]).args(build.flags());
    load.args(["--", &products.to_string(), &seconds.to_string()]);
    process::run(&mut load)?;
    if std::env::var_os(REFERENCE_VARIABLE).is_none() {
        println!(
            "the quality of answers was not measured: {REFERENCE_VARIABLE} names no folder of reference data"
        );
        return Ok(true);
    }
    let mut quality = checkout.cargo();
    quality.args(["test", "--quiet", "--package", "search", "--test", "search"]).args(build.flags());
    quality.args(["known_item", "--", "--nocapture"]);
    process::run(&mut quality)?;
    Ok(true)
}
