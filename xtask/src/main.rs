//! The project's automation: what one runs before a commit is what CI runs.

mod apart;
mod bench;
mod checkout;
mod conformance;
mod contract;
mod edges;
mod manifests;
mod mesh;
mod playground;
mod process;
mod python;
mod report;
mod servers;
mod terminal;
mod test;
mod tools;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::checkout::Checkout;
use crate::report::Report;

/// Automation of the shop's own development.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a change is merged, with a report of what ran and what did not.
    Test {
        /// Format, clippy and the tests on SQLite: what to run before a commit.
        #[arg(long)]
        quick: bool,
    },
    /// buf: lint, format, and no break since the base and since the last release.
    Contract,
    /// The journeys alone, and whether the calls they make are those that the contract declares.
    Edges,
    /// Renders what Kubernetes and Linkerd are told from the contract and `deploy/services.toml`.
    Mesh {
        /// Writes nothing, and fails when what is committed differs.
        #[arg(long)]
        check: bool,
    },
    /// Builds what Kubernetes is told in each overlay, and judges it.
    Manifests,
    /// Starts the shop as `cargo run` does, or in a process for each service.
    Up {
        /// On a private PostgreSQL, Redis and RabbitMQ, which are installed where they are missing, with the simulated bank.
        #[arg(long)]
        apart: bool,
        /// A `shop` that is built already, instead of the one that cargo builds now.
        #[arg(long, requires = "apart")]
        shop: Option<PathBuf>,
    },
    /// Rebuilds the playground's committed assets; needs node 20.
    Playground,
    /// Measures the shop, and checks while it does.
    #[command(subcommand)]
    Bench(Bench),
}

fn main() -> ExitCode {
    let checkout = Checkout::of_this_build();
    let passed = match Arguments::parse().task {
        Task::Test { quick } => test::run(&checkout, quick),
        Task::Contract => {
            let mut report = Report::begin();
            contract::check(&mut report, &checkout);
            report.print();
            report.passed()
        }
        Task::Edges => edges::run(&checkout),
        Task::Mesh { check } => mesh::run(&checkout, check),
        Task::Manifests => manifests::run(&checkout),
        Task::Up { apart, shop } => up::run(&checkout, apart, shop),
        Task::Playground => playground::rebuild(&checkout),
        Task::Bench(bench) => bench::run(&checkout, &bench),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
