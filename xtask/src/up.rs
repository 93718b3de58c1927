//! `cargo xtask up`: a shop to try things on, until it is told to stop.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, stdin};
use tokio::signal::ctrl_c;

use crate::apart::Apart;
use crate::bench::runtime;
use crate::checkout::Checkout;
use crate::conformance::APART;
use crate::edges;
use crate::process::{self, Error};
use crate::report::chain;

/// The last that it says of a shop apart.
pub(crate) const HOW_TO_STOP: &str = "Ctrl-C, or the end of input, stops everything";
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Starts the shop and waits; true when it ran.
pub(crate) fn run(checkout: &Checkout, apart: bool, built: Option<PathBuf>) -> bool {
    let ran = if apart { up_apart(checkout, built) } else { process::run(checkout.cargo().arg("run")) };
    match ran {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{}", chain(&error));
            false
        }
    }
}

fn up_apart(checkout: &Checkout, built: Option<PathBuf>) -> Result<(), Error> {
    let binary = match built {
        Some(binary) => binary,
        None => {
            process::run(checkout.cargo().args(["build", "--workspace", "--bin", "shop"]))?;
            checkout.built("debug").join("shop")
        }
    };
    let calls = env::var_os(edges::VARIABLE).map(PathBuf::from);
    let mut shop = Apart::start(&binary, calls.as_deref())?;
    println!("  playground  {}/", shop.edge());
    println!("  GraphQL     {}/graphql", shop.edge());
    println!("  mails       {}/dev/mail", shop.edge());
    println!("  gRPC        {} (all services, with reflection)", shop.grpc());
    for (name, ready) in shop.processes() {
        println!("  {name:<15} {ready}");
    }
    println!("  {}={} cargo test --test conformance", APART, shop.described()?.display());
    println!("{HOW_TO_STOP}");
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let (mut input, mut typed) = (stdin(), Vec::new());
        tokio::select! {
            _ = ctrl_c() => Ok(()),
            _ = input.read_to_end(&mut typed) => Ok(()),
            name = somebody_ended(&mut shop) => Err(Error::Refused(format!("{name} ended; it says above why"))),
        }
    });
    // Whoever reads standard input cannot be called back.
    runtime.shutdown_background();
    ended
}

async fn somebody_ended(shop: &mut Apart) -> String {
    loop {
        if let Some(name) = shop.ended() {
            return name.to_owned();
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
