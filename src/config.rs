//! Flags and environment, read here and nowhere else; what the rest of the program gets is a value.
//!
//! A wrong value stops the start with a sentence that says what would be right.

mod edge;
mod events;
mod mail;
mod serve;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use payments::ProviderUrl;

pub use edge::Edge;
pub use events::{Events, EventsOf};
pub use mail::Mail;
pub use serve::{Peers, PeersKind, Secrets, Serve, address, database_url};

/// A commerce backend: gRPC services with a GraphQL edge, in one process or many.
#[derive(Debug, Parser)]
#[command(name = "shop", version, about)]
pub struct Cli {
    /// What to do; `up` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How and what to log.
    #[command(flatten)]
    pub log: Log,
}

/// The commands of `shop`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts everything in one process on SQLite, with a demo catalogue on first start.
    Up(Box<Up>),
    /// Serves one service or several, or the edge, on PostgreSQL, with the others elsewhere.
    Serve(Box<Serve>),
    /// Runs the simulated payment provider as its own process.
    Provider(Provider),
    /// Brings the tables of services up to date: of those with a `SHOP_<SERVICE>_DATABASE_URL`, or of the data folder.
    Migrate(Migrate),
    /// Puts the demo accounts and catalogue into services that run apart.
    Demo(Demo),
    /// Makes the key of sealed mails, where it is missing, and prints its public half: SHOP_SEALING_PUBLIC_KEY.
    SealingKey(SealingKey),
    /// Imports a file into a running shop, over its gRPC port, with a staff account.
    #[command(subcommand)]
    Import(Import),
    /// Exports from a running shop, over its gRPC port, with a staff account.
    #[command(subcommand)]
    Export(Export),
    /// Looks after events that a reader could not apply, and hands events to a reader again.
    #[command(subcommand)]
    Events(Events),
    /// Makes staff accounts.
    #[command(subcommand)]
    Admin(Admin),
    /// Reads the stores of a shop that has gone quiet and says of each invariant whether it holds; fails when one is broken.
    Verify(Verify),
    /// Prints the GraphQL schema.
    Schema,
    /// Prints every gRPC method with who may call it, as whom, and for how long.
    Routes,
}

/// Where the shop keeps its files.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// Folder of the databases, secrets and development mails; made when missing.
    #[arg(long, env = "SHOP_DATA", default_value = "data")]
    pub data: PathBuf,
}

/// `shop migrate`.
#[derive(Args, Clone, Debug)]
pub struct Migrate {
    /// The services; all when none is named.
    pub names: Vec<String>,
    /// Where files are kept, for services without a database URL.
    #[command(flatten)]
    pub data: Data,
}

/// `shop verify`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// Where files are kept. A service with `SHOP_<SERVICE>_DATABASE_URL` is read from there instead.
    #[command(flatten)]
    pub data: Data,
    /// Folder of a simulated provider that runs on its own; else its books are looked for in the data folder.
    #[arg(long, env = "SHOP_PROVIDER_DATA")]
    pub provider_data: Option<PathBuf>,
}

/// `shop up`.
#[derive(Args, Clone, Debug)]
pub struct Up {
    /// Where files are kept.
    #[command(flatten)]
    pub data: Data,
    /// Keep everything in a temporary folder that goes when the shop stops.
    #[arg(long, env = "SHOP_EPHEMERAL", conflicts_with = "data")]
    pub ephemeral: bool,
    /// The GraphQL edge.
    #[command(flatten)]
    pub edge: Edge,
    /// Address of /live, /ready and /metrics.
    #[arg(long, env = "SHOP_ADMIN", default_value = "127.0.0.1:9091")]
    pub admin: SocketAddr,
    /// Loopback address of the simulated payment provider; port 0 takes a free one.
    #[arg(long, env = "SHOP_PROVIDER", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub provider: SocketAddr,
    /// Where a provider that runs on its own is; without it the shop starts one itself.
    #[arg(long, env = "SHOP_PROVIDER_URL")]
    pub provider_url: Option<ProviderUrl>,
    /// What webhooks are signed with.
    #[command(flatten)]
    pub webhook: Webhook,
    /// How mails leave the shop.
    #[command(flatten)]
    pub mail: Mail,
}

/// `shop demo`.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// How services know each other; the demo is put in as the edge would do it.
    #[command(flatten)]
    pub peers: Peers,
}

/// `shop sealing-key`.
#[derive(Args, Clone, Debug)]
pub struct SealingKey {
    /// The file of the private key, for notifications alone.
    pub file: PathBuf,
}

impl Cli {
    /// The command line of this process.
    pub fn read() -> Self {
        Self::said(std::env::args_os().collect()).unwrap_or_else(|error| error.exit())
    }

    /// A line without a command is `shop up`.
    fn said(line: Vec<OsString>) -> Result<Self, clap::Error> {
        let up = || {
            let (program, flags) = line.split_at(1.min(line.len()));
            Self::try_parse_from(program.iter().cloned().chain(["up".into()]).chain(flags.iter().cloned()))
        };
        match Self::try_parse_from(&line) {
            Ok(said) if said.command.is_some() => Ok(said),
            Ok(_) => up(),
            // A flag that only `up` knows. What `up` does not know either is said as it was written.
            Err(error) if error.kind() == ErrorKind::UnknownArgument => {
                up().map_err(|other| if other.kind() == ErrorKind::UnknownArgument { error } else { other })
            }
            Err(error) => Err(error),
        }
    }
}

/// `shop provider`.
#[derive(Args, Clone, Debug)]
pub struct Provider {
    /// Where its database is kept; not the folder of a running shop.
    #[arg(long, env = "SHOP_PROVIDER_DATA", default_value = "data-provider")]
    pub data: PathBuf,
    /// Loopback address to listen on.
    #[arg(long, env = "SHOP_PROVIDER", default_value = "127.0.0.1:9092", value_parser = loopback)]
    pub listen: SocketAddr,
    /// What webhooks are signed with.
    #[command(flatten)]
    pub webhook: Webhook,
    /// Where webhooks are sent to.
    #[arg(
        long,
        env = "SHOP_WEBHOOK_URL",
        default_value = "http://127.0.0.1:8080/webhooks/payments/simulated"
    )]
    pub webhook_url: String,
}

/// What provider and shop must agree on.
#[derive(Args, Clone)]
pub struct Webhook {
    /// The secret of webhooks, where shop and provider do not share a data folder; else one is made up and kept in it.
    #[arg(long, env = "SHOP_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Webhook")
    }
}

/// How a client of a running shop reaches it and signs in.
#[derive(Args, Clone, Debug)]
pub struct Client {
    /// The shop's gRPC port.
    #[arg(long, env = "SHOP_GRPC_URL", default_value = "http://127.0.0.1:9090")]
    pub url: String,
    /// E-mail address of a staff account.
    #[arg(long, env = "SHOP_STAFF_EMAIL", default_value = "staff@shopmesh.example")]
    pub email: String,
    /// Its password, or an access token in SHOP_TOKEN.
    #[arg(long, env = "SHOP_STAFF_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// An access token; used instead of address and password.
    #[arg(long, env = "SHOP_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// `shop import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Shopify's product CSV, either generation of headers; quantities go to inventory.
    Catalogue(ImportFile),
    /// Order history as JSON lines, one order a line.
    Orders(ImportFile),
}

/// A file to import.
#[derive(Args, Debug)]
pub struct ImportFile {
    /// The file; `-` reads standard input.
    pub file: PathBuf,
    /// Currency of the file's amounts, ISO 4217.
    #[arg(long, default_value = "GBP")]
    pub currency: String,
    /// How to reach the shop.
    #[command(flatten)]
    pub client: Client,
}

/// `shop export`.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// All products as Shopify's product CSV, on standard output.
    Catalogue {
        /// The header of before 2024 ("Handle") instead of the newer one ("URL handle").
        #[arg(long)]
        old_headers: bool,
        /// Currency of the prices, ISO 4217.
        #[arg(long, default_value = "GBP")]
        currency: String,
        /// How to reach the shop.
        #[command(flatten)]
        client: Client,
    },
}

/// `shop admin`.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Makes an admin account in the data folder of a shop that is not running: the first one, before anybody could sign in.
    Create(AdminAccount),
}

/// `shop admin create`.
#[derive(Args, Debug)]
pub struct AdminAccount {
    /// Where the shop keeps its files.
    #[command(flatten)]
    pub data: Data,
    /// The account's e-mail address.
    #[arg(long)]
    pub email: String,
    /// Its password, 10 to 128 characters.
    #[arg(long, env = "SHOP_ADMIN_PASSWORD", hide_env_values = true)]
    pub password: String,
}

/// Logging and tracing.
#[derive(Args, Clone, Debug)]
pub struct Log {
    /// How log lines look.
    #[arg(long, env = "SHOP_LOG_FORMAT", value_enum, default_value = "pretty", global = true)]
    pub log_format: LogFormat,
    /// Which log lines are written, in the form of RUST_LOG: "info", "orders=debug,warn".
    #[arg(long, env = "SHOP_LOG", default_value = "warn,shop=info", global = true)]
    pub log: String,
    /// Where traces, log lines and metrics are sent to over OTLP/gRPC; nowhere when unset.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// File to which each caller, method and outcome that was seen is appended once; for tests of the call graph.
    #[arg(long, env = "SHOP_CALLS_SEEN", global = true)]
    pub calls_seen: Option<PathBuf>,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The development ports speak as a service without asking who is there, so they never leave the machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| format!("'{text}' is not an address like 127.0.0.1:9090"))?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err(format!(
            "{address} is not on loopback: this port trusts whoever connects, so it stays on 127.0.0.1 or [::1]"
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<Cli, ErrorKind> {
        let words = line.split(' ').map(OsString::from).collect();
        Cli::said(words).map_err(|error| error.kind())
    }

    #[test]
    fn a_line_without_a_command_is_up() {
        for (line, ephemeral) in [
            ("shop", false),
            ("shop --log error", false),
            ("shop --ephemeral", true),
            ("shop --log error --ephemeral", true),
            ("shop up --ephemeral", true),
        ] {
            let Some(Command::Up(up)) = said(line).unwrap().command else { panic!("{line} is not `up`") };
            assert_eq!(up.ephemeral, ephemeral, "{line}");
        }
        assert!(matches!(said("shop --log error routes").unwrap().command, Some(Command::Routes)));
        for (line, kind) in [
            ("shop --help", ErrorKind::DisplayHelp),
            ("shop --version", ErrorKind::DisplayVersion),
            ("shop --edge nowhere", ErrorKind::ValueValidation),
            ("shop --nonsense", ErrorKind::UnknownArgument),
            ("shop routes --ephemeral", ErrorKind::UnknownArgument),
            ("shop nonsense", ErrorKind::InvalidSubcommand),
        ] {
            assert_eq!(said(line).unwrap_err(), kind, "{line}");
        }
    }
}
