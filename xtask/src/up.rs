//! `cargo xtask up`: a shop to try things on, until it is told to stop.

use std::io::{self, Read};

use crate::apart::Apart;
use crate::checkout::Checkout;
use crate::process::{self, Error};
use crate::report::chain;

/// Starts the shop and waits; true when it ran.
pub(crate) fn run(checkout: &Checkout, apart: bool) -> bool {
    let ran = if apart { up_apart(checkout) } else { process::run(checkout.cargo().arg("run")) };
    match ran {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{}", chain(&error));
            false
        }
    }
}

fn up_apart(checkout: &Checkout) -> Result<(), Error> {
    process::run(checkout.cargo().args(["build", "--package", "shop"]))?;
    let shop = Apart::start(&checkout.built("debug").join("shop"))?;
    println!("  playground  {}/", shop.edge());
    println!("  GraphQL     {}/graphql", shop.edge());
    println!("  gRPC        {} (all services, with reflection)", shop.grpc());
    for (name, ready) in shop.processes() {
        println!("  {name:<15} {ready}");
    }
    println!("Ctrl-C, or the end of input, stops everything");
    // A Ctrl-C ends this program, and the keepers of all others notice.
    io::stdin()
        .lock()
        .read_to_end(&mut Vec::new())
        .map(drop)
        .map_err(|source| Error::Start { command: "standard input".to_owned(), source })
}
