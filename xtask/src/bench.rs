//! `cargo xtask bench`: what the shop costs, and that a real week comes out to the penny.

mod buying;
mod checkout;
mod client;
mod edge;
mod enumeration;
mod figures;
pub(crate) mod kernel;
mod recommendations;
mod replay;
mod search;
pub(crate) mod shop;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use crate::checkout::Checkout;
use crate::process::Error;
use crate::report::chain;

/// Guests who buy at the same time.
const AT_ONCE: usize = 20;
/// What an order owes after its checkout (stock confirmed, money taken) is done in a moment; after this it is not.
const SETTLING_TIME_MAX: Duration = Duration::from_secs(60);
const SETTLING_INTERVAL: Duration = Duration::from_millis(250);

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// A real week of a wholesaler, bought through GraphQL: every order and all stock must add up. Needs SHOP_REFERENCE_DATA.
    Replay {
        #[command(flatten)]
        build: Build,
    },
    /// Checkouts per second on the demo catalogue, and the memory of each process.
    Checkout {
        #[command(flatten)]
        build: Build,
        #[command(flatten)]
        forms: Forms,
        /// How many checkouts.
        #[arg(long, default_value_t = 500)]
        count: usize,
    },
    /// Search among many products: time and size of the index, and how long shoppers wait; then, with
    /// SHOP_REFERENCE_DATA, how well known items are found.
    Search {
        #[command(flatten)]
        build: Build,
        /// How many products.
        #[arg(long, default_value_t = 100_000)]
        products: usize,
        /// Seconds of one measurement.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// The second start and the memory at rest, with the demo catalogue and with 100,000 variants.
    Start {
        #[command(flatten)]
        build: Build,
    },
    /// How good the recommendations are on a real year of orders, beside a simple script. Needs SHOP_REFERENCE_DATA.
    Recommendations {
        /// Without optimisation: quick to build; the figures are the same, the times are not.
        #[arg(long)]
        debug: bool,
    },
    /// Whether known and unknown addresses are told apart by how long log-in, registration and reset take.
    Enumeration {
        /// Without optimisation: quick to build, and each call takes longer.
        #[arg(long)]
        debug: bool,
        /// Calls for known and for unknown addresses each.
        #[arg(long, default_value_t = 1_000)]
        calls: usize,
    },
    /// The edge against an endpoint by hand that makes the same calls.
    Edge {
        #[command(flatten)]
        build: Build,
        #[command(flatten)]
        forms: Forms,
        /// How often each of the two is measured.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds of one measurement.
        #[arg(long, default_value_t = 8)]
        seconds: u64,
    },
}

/// What is built for the run.
#[derive(clap::Args)]
pub(crate) struct Build {
    /// Without optimisation: quick to build, and its figures say nothing about a real shop.
    #[arg(long)]
    debug: bool,
    /// A `shop` that is built already, instead of the one that cargo builds now.
    #[arg(long)]
    shop: Option<PathBuf>,
}

/// In which of its forms the shop is measured.
#[derive(clap::Args)]
pub(crate) struct Forms {
    /// In a process for each service too, on private servers, after it was measured in one.
    #[arg(long)]
    apart: bool,
}

impl Forms {
    fn each(&self) -> &'static [Form] {
        if self.apart { &[Form::Together, Form::Apart] } else { &[Form::Together] }
    }
}

/// A form of the shop.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// One process on SQLite.
    Together,
    /// A process for each service, on PostgreSQL, Redis and RabbitMQ.
    Apart,
}

impl Form {
    /// What tables call it.
    fn name(self) -> &'static str {
        match self {
            Form::Together => "one process",
            Form::Apart => "apart",
        }
    }
}

impl Build {
    /// The folder that cargo builds into.
    fn profile(&self) -> &'static str {
        if self.debug { "debug" } else { "release" }
    }

    fn flags(&self) -> &'static [&'static str] {
        if self.debug { &[] } else { &["--release"] }
    }
}

/// Runs a benchmark; true when everything that it checks holds.
pub(crate) fn run(checkout: &Checkout, bench: &Bench) -> bool {
    let passed = match bench {
        Bench::Replay { build } => replay::run(checkout, build),
        Bench::Checkout { build, forms, count } => checkout::run(checkout, build, forms, *count),
        Bench::Start { build } => start::run(checkout, build),
        Bench::Search { build, products, seconds } => search::run(checkout, build, *products, *seconds),
        Bench::Recommendations { debug } => recommendations::run(checkout, !debug),
        Bench::Enumeration { debug, calls } => enumeration::run(checkout, !debug, *calls),
        Bench::Edge { build, forms, rounds, seconds } => edge::run(checkout, build, forms, *rounds, *seconds),
    };
    passed.unwrap_or_else(|error| {
        eprintln!("{}", chain(&error));
        false
    })
}

/// What the asynchronous part of a benchmark runs on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Error::Refused(format!("the threads of the benchmark cannot be started: {error}")))
}
