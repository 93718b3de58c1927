//! `shop up`: everything in one process.

use std::path::PathBuf;
use std::time::Instant;

use axum::Router;
use kit::Clock;
use mesh::serve::{self, Admin, Health};
use news::Transport;
use observability::Guard;
use payments::ProviderUrl;
use sealing::Opener;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, bind, drained, provider, stopped};
use crate::config::{Edge, Up};
use crate::data::DataFolder;
use crate::places::{Place, Places};
use crate::topology::Topology;
use crate::{demo, edge, mails, settings};

/// The mark of a data folder that holds personas, whose passwords everybody knows.
const DEMO: &str = "demo";
/// The mark of a data folder whose first start is done.
const SEEDED: &str = "seeded";

/// The ports of a shop; bound before anything else, so that a taken one is said at once.
struct Ports {
    edge: TcpListener,
    admin: TcpListener,
    grpc: Option<TcpListener>,
    provider: Option<TcpListener>,
}

/// Runs until the process is told to stop.
pub async fn run(arguments: &Up, seeing: &Guard) -> Result<(), Failure> {
    let started = Instant::now();
    let folder = match arguments.ephemeral {
        true => DataFolder::temporary()?,
        false => DataFolder::open(&arguments.data.data)?,
    };
    let edge = &arguments.edge;
    edge::safe(edge)?;
    safe(arguments, &folder)?;
    let ports = Ports::bind(arguments).await?;
    let addresses = ports.describe(edge)?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();

    let clock = Clock::system();
    let opener = Opener::from_file(&folder.path().join("sealing.key"))
        .map_err(|error| Failure::caused("the key of sealed mails cannot be used", &error))?;
    let provider_url =
        start_provider(arguments, &folder, &ports.edge, ports.provider, &tasks, &shutdown).await?;
    let places = places(arguments, &folder, &opener, provider_url).await?;
    let topology = Topology::bind(places, &clock, &tasks, &shutdown);
    let warm = topology.verifier.warm().await;
    warm.map_err(|error| Failure::caused("the keys of access tokens cannot be had", &error))?;

    let readers = topology.readers.clone();
    let stop = shutdown.clone().cancelled_owned();
    tasks.spawn(news::run(topology.sources.clone(), readers, Transport::InProcess, stop));
    if !edge.empty && !edge.production && !folder.is_marked(SEEDED) {
        first_start(&folder, &topology, &clock).await?;
    }

    let health = Health::start(topology.checks).await;
    let admin = Admin { health: health.clone(), metrics: seeing.metrics() };
    tasks.spawn(serve::admin(ports.admin, admin, shutdown.clone().cancelled_owned()));
    if let Some(listener) = ports.grpc {
        tasks.spawn(edge::grpc(listener, edge, topology.reachable, health, &shutdown)?);
    }
    let beside =
        if edge.production { Router::new() } else { mails::router(&mail_folder(arguments, &folder)) };
    let around = (&tasks, &shutdown);
    let router = edge::router(edge, topology.gateway, topology.verifier, beside, None, around)?;
    tasks.spawn(edge::serve(ports.edge, edge, router, &shutdown));

    println!("{addresses}");
    println!("ready after {} ms; Ctrl-C stops it", started.elapsed().as_millis());
    stopped().await;
    println!("stopping");
    shutdown.cancel();
    match drained(&tasks, &topology.server).await {
        true => Ok(()),
        false => {
            Err(Failure::new("some calls did not end in time; what they began is finished at the next start"))
        }
    }
}

/// What development made must not go into production, and production does not pretend to send mails.
fn safe(arguments: &Up, folder: &DataFolder) -> Result<(), Failure> {
    let production = arguments.edge.production;
    if production && arguments.mail.smtp_url.is_none() {
        return Err(Failure::new(
            "without a mail server nobody could verify an address or set a new password; name one with --smtp-url",
        ));
    }
    if production && folder.is_marked(DEMO) {
        return Err(Failure::new(format!(
            "{} holds the demo shop with accounts whose passwords everybody knows; name another folder with --data",
            folder.path().display()
        )));
    }
    Ok(())
}

fn mail_folder(arguments: &Up, folder: &DataFolder) -> PathBuf {
    arguments.mail.mail_folder.clone().unwrap_or_else(|| folder.path().join("mail"))
}

impl Ports {
    async fn bind(arguments: &Up) -> Result<Self, Failure> {
        Ok(Self {
            edge: bind(arguments.edge.address, "--edge").await?,
            admin: bind(arguments.admin, "--admin").await?,
            grpc: match arguments.edge.production {
                true => None,
                false => Some(bind(arguments.edge.grpc, "--grpc").await?),
            },
            provider: match arguments.provider_url {
                Some(_) => None,
                None => Some(bind(arguments.provider, "--provider").await?),
            },
        })
    }

    /// What is printed at the start, a line for each thing that can be reached.
    fn describe(&self, settings: &Edge) -> Result<String, Failure> {
        let edge = self.edge.local_addr()?;
        let mut lines = Vec::new();
        match &self.grpc {
            Some(grpc) => {
                lines.push(format!("  playground  http://{edge}/"));
                lines.push(format!("  GraphQL     http://{edge}/graphql"));
                lines.push(format!("  mail        http://{edge}/dev/mail"));
                lines.push(format!("  gRPC        {} (all services, with reflection)", grpc.local_addr()?));
            }
            None => lines.push(format!("  GraphQL     http://{edge}/graphql")),
        }
        lines.push(format!("  admin       http://{}/ready and /metrics", self.admin.local_addr()?));
        if !settings.production && !settings.empty {
            lines.push(format!("  personas    {}", demo::personas()));
        }
        Ok(lines.join("\n"))
    }
}

async fn start_provider(
    arguments: &Up,
    folder: &DataFolder,
    edge: &TcpListener,
    listener: Option<TcpListener>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Result<ProviderUrl, Failure> {
    match (&arguments.provider_url, listener) {
        (Some(url), _) => Ok(url.clone()),
        (None, None) => Err(Failure::new("there is no payment provider: name one with --provider-url")),
        (None, Some(listener)) => {
            let webhook_url = format!("http://{}/webhooks/payments/simulated", edge.local_addr()?);
            let secret = provider::secret(folder, &arguments.webhook)?;
            let url = provider::start(folder, listener, webhook_url, secret, tasks, shutdown).await?;
            url.parse()
                .map_err(|error| Failure::caused("the provider cannot be reached where it listens", &error))
        }
    }
}

/// Everything is here, over files of the data folder.
async fn places(
    arguments: &Up,
    folder: &DataFolder,
    opener: &Opener,
    provider_url: ProviderUrl,
) -> Result<Places, Failure> {
    let identity = settings::identity(opener.sealer(), hex(&folder.secret("signing-keys")?));
    let payments = settings::payments(provider_url, provider::secret(folder, &arguments.webhook)?);
    let cart = cart::Settings { token_secret: folder.secret("cart-tokens")? };
    let orders = settings::orders(opener.sealer(), &folder.secret("checkout-tokens")?)?;
    let notifications =
        mails::settings(&arguments.mail, opener.clone(), Some(mail_folder(arguments, folder)))?;
    Ok(Places {
        identity: Place::Here(folder.store(identity::NAME).await?, identity),
        catalogue: Place::Here(folder.store(catalogue::NAME).await?, None),
        inventory: Place::Here(folder.store(inventory::NAME).await?, ()),
        pricing: Place::Here(folder.store(pricing::NAME).await?, ()),
        payments: Place::Here(folder.store(payments::NAME).await?, payments),
        cart: Place::Here(cart::Store::sql(folder.store(cart::NAME).await?), cart),
        orders: Place::Here(folder.store(orders::NAME).await?, orders),
        reviews: Place::Here(folder.store(reviews::NAME).await?, ()),
        analytics: Place::Here(folder.store(analytics::NAME).await?, ()),
        notifications: Place::Here(folder.store(notifications::NAME).await?, notifications),
        recommendations: Place::Here(folder.store(recommendations::NAME).await?, ()),
        search: Place::Here(folder.index()?, ()),
        certificates: None,
    })
}

/// Makes the personas and puts the demo catalogue in. Interrupted, it is taken up again at the next start.
async fn first_start(folder: &DataFolder, topology: &Topology, clock: &Clock) -> Result<(), Failure> {
    println!("first start: putting the demo catalogue in");
    folder.mark(DEMO)?;
    demo::make_personas(&folder.database(identity::NAME).await?, clock).await?;
    demo::fill(&topology.gateway).await?;
    folder.mark(SEEDED)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};
    use crate::subscriptions::SUBSCRIPTIONS;

    #[tokio::test]
    async fn whoever_publishes_knows_every_reader() {
        let Some(Command::Up(arguments)) = Cli::parse_from(["shop", "up", "--ephemeral"]).command else {
            panic!("it is `shop up`");
        };
        let (folder, opener) = (DataFolder::temporary().unwrap(), Opener::generate());
        let places =
            places(&arguments, &folder, &opener, "http://127.0.0.1:1".parse().unwrap()).await.unwrap();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let topology = Topology::bind(places, &Clock::system(), &tasks, &stop);
        stop.cancel();

        let mut bound: Vec<_> = topology.readers.iter().filter(|reader| !reader.everywhere).collect();
        bound.sort_by_key(|reader| reader.name);
        let mut known = SUBSCRIPTIONS.to_vec();
        known.sort_by_key(|known| known.reader);
        assert_eq!(
            known.iter().map(|known| (known.reader, known.kinds)).collect::<Vec<_>>(),
            bound.iter().map(|reader| (reader.name, reader.kinds)).collect::<Vec<_>>()
        );
    }
}
