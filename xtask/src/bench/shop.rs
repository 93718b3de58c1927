//! A shop of its own for a benchmark: built, started on free ports in one of its forms, and stopped with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use super::{Build, Form, kernel};
use crate::apart::Apart;
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
    running: Running,
    /// Where GraphQL is asked.
    pub(crate) graphql: String,
    /// The gRPC port, as a URL.
    pub(crate) grpc: String,
}

/// What runs.
enum Running {
    Together(Child),
    Apart(Box<Apart>),
}

impl Shop {
    /// Starts the demo shop in one of its forms.
    pub(crate) fn demo(binary: &Path, form: Form) -> Result<Shop, Error> {
        match form {
            Form::Together => {
                let mut command = command(binary);
                command.args(["up", "--ephemeral"]);
                Shop::start(command)
            }
            Form::Apart => {
                let apart = Box::new(Apart::start(binary, None)?);
                let graphql = format!("{}/graphql", apart.edge());
                let grpc = format!("http://{}", apart.grpc());
                Ok(Shop { running: Running::Apart(apart), graphql, grpc })
            }
        }
    }

    /// Starts the shop on free ports and waits until it is ready.
    pub(crate) fn start(mut command: Command) -> Result<Shop, Error> {
        for port in ["--edge", "--grpc", "--admin", "--provider"] {
            command.args([port, "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| cannot_start(&command, source))?;
        let said = child.stdout.take();
        let (graphql, grpc) = (String::new(), String::new());
        let mut shop = Shop { running: Running::Together(child), graphql, grpc };
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

    /// Every process by name, with its number.
    pub(crate) fn processes(&self) -> Vec<(String, u32)> {
        match &self.running {
            Running::Together(child) => vec![("shop".to_owned(), child.id())],
            Running::Apart(apart) => apart.numbers(),
        }
    }

    /// What each process holds.
    pub(crate) fn memory(&self) -> Result<Vec<(String, Memory)>, Error> {
        let each = self.processes().into_iter().map(|(name, id)| Ok((name, Memory::of(id)?)));
        each.collect()
    }
}

/// Memory of a process, in MB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// What is resident: its own and pages of files.
    pub resident: f64,
    /// Its own alone: pages of the program are shared by all processes of one machine, and given back when memory is short.
    pub own: f64,
}

impl Memory {
    fn of(process: u32) -> Result<Self, Error> {
        Ok(Self {
            resident: kernel::memory_mb(process, "VmRSS")?,
            own: kernel::memory_mb(process, "RssAnon")?,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The processes of a shop apart have keepers who see to it.
        let Running::Together(child) = self else { return };
        // A word first, so that it closes its files; what does not listen is ended.
        let asked = process::succeeds(Command::new("kill").arg(child.id().to_string()));
        if !asked {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}
