//! A shop of its own for a benchmark: built, started on free ports, and stopped with it.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::Build;
use crate::checkout::Checkout;
use crate::process::{self, Error, cannot_start};

/// The binary `shop`, as cargo builds it now.
pub(crate) fn build(checkout: &Checkout, build: &Build) -> Result<PathBuf, Error> {
    if let Some(binary) = &build.shop {
        return Ok(binary.clone());
    }
    process::run(checkout.cargo().args(["build", "--package", "shop"]).args(build.flags()))?;
    Ok(checkout.built(build.profile()).join("shop"))
}

/// The binary with nothing from this shell in its configuration.
pub(crate) fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SHOP_") {
            command.env_remove(name);
        }
    }
    command
}

/// A shop that runs until it is dropped.
pub(crate) struct Shop {
    child: Child,
    /// Where GraphQL is asked.
    pub(crate) graphql: String,
    /// The gRPC port, as a URL.
    pub(crate) grpc: String,
}

impl Shop {
    /// Starts the shop on free ports and waits until it is ready.
    pub(crate) fn start(mut command: Command) -> Result<Shop, Error> {
        for port in ["--edge", "--grpc", "--admin", "--provider"] {
            command.args([port, "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| cannot_start(&command, source))?;
        let said = child.stdout.take();
        let mut shop = Shop { child, graphql: String::new(), grpc: String::new() };
        let Some(said) = said else { return Ok(shop) };
        let mut lines = BufReader::new(said).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("GraphQL"), Some(url)) => shop.graphql = url.to_owned(),
                (Some("gRPC"), Some(address)) => shop.grpc = format!("http://{address}"),
                (Some("ready"), _) => {
                    // What it says later are warnings; and a closed pipe would end it.
                    thread::spawn(move || {
                        lines.map_while(Result::ok).for_each(|line| eprintln!("shop: {line}"));
                    });
                    return Ok(shop);
                }
                _ => {}
            }
        }
        Err(Error::Refused("the shop ended before it was ready; it says above why".to_owned()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // A word first, so that it closes its files; what does not listen is ended.
        let asked = process::succeeds(Command::new("kill").arg(self.child.id().to_string()));
        if !asked {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
