//! `shop up`: everything in one process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use gateway::{Market, Persona, Playground};
use kit::Clock;
use kit::sealing::Opener;
use mesh::serve::{Admin, Grpc, Limits};
use mesh::{Served, serve};
use observability::{GraphqlMetrics, Guard};
use proto::identity::LogInRequest;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, bind, provider, stopped};
use crate::config::Up;
use crate::data::DataFolder;
use crate::demo::{self, STAFF};
use crate::mails::Mails;
use crate::places::{Place, Places};
use crate::topology::Topology;
use crate::upkeep;

/// What is under way when the shop is told to stop has this long.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);
/// The mark of a data folder that holds personas, whose passwords everybody knows.
const DEMO: &str = "demo";
/// The mark of a data folder whose first start is done.
const SEEDED: &str = "seeded";
/// The development port: tools of one machine.
const GRPC_LIMITS: Limits = Limits {
    connections_max: 256,
    connections_per_address_max: 256,
    streams_max: 100,
    headers_length_max: 16 * 1024,
    header_time_max: Duration::from_secs(10),
    age_max: None,
    drain_time_max: Duration::from_secs(10),
};

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
    safe(arguments, &folder)?;
    let ports = Ports::bind(arguments).await?;
    let addresses = ports.describe()?;
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

    let mails = Arc::new(Mails::new(folder.path().join("mail"), opener));
    let mut readers = topology.readers.clone();
    if !arguments.production {
        readers.push(mails.clone().reader());
    }
    tasks.spawn(news::run(topology.sources(), readers, shutdown.clone().cancelled_owned()));
    tasks.spawn(upkeep::run(topology.databases(), clock.clone(), shutdown.clone()));
    if !arguments.empty && !arguments.production && !folder.is_marked(SEEDED) {
        first_start(&folder, &topology, &clock).await?;
    }

    let health = topology.health().await;
    let admin = Admin { health: health.clone(), metrics: seeing.metrics() };
    tasks.spawn(serve::admin(ports.admin, admin, shutdown.clone().cancelled_owned()));
    if let Some(listener) = ports.grpc {
        tasks.spawn(serve_grpc(
            listener,
            topology.services.clone(),
            arguments.grpc_as.clone(),
            health,
            &shutdown,
        )?);
    }
    let edge = gateway_settings(arguments)?;
    let router = gateway::router(topology.gateway, edge, topology.verifier, GraphqlMetrics::new());
    let router = match arguments.production {
        true => router,
        false => router.merge(mails.router()).layer(from_fn(only_from_here)),
    };
    tasks.spawn(gateway::serve(ports.edge, router, shutdown.clone().cancelled_owned()));

    println!("{addresses}");
    println!("ready after {} ms; Ctrl-C stops it", started.elapsed().as_millis());
    stopped().await;
    println!("stopping");
    shutdown.cancel();
    tasks.close();
    let drained = tokio::time::timeout(DRAIN_TIME_MAX, tasks.wait()).await.is_ok();
    match drained && topology.server.finish(DRAIN_TIME_MAX).await {
        true => Ok(()),
        false => {
            Err(Failure::new("some calls did not end in time; what they began is finished at the next start"))
        }
    }
}

/// Development trusts whoever reaches it, so nobody else must; and what development made must not go into production.
fn safe(arguments: &Up, folder: &DataFolder) -> Result<(), Failure> {
    if !arguments.production && !arguments.edge.ip().is_loopback() {
        return Err(Failure::new(format!(
            "{} is not on loopback, and anybody may become staff in development; use --production, or --edge 127.0.0.1:{}",
            arguments.edge,
            arguments.edge.port()
        )));
    }
    if arguments.production && folder.is_marked(DEMO) {
        return Err(Failure::new(format!(
            "{} holds the demo shop with accounts whose passwords everybody knows; name another folder with --data",
            folder.path().display()
        )));
    }
    Ok(())
}

/// A page from elsewhere can make its own name lead here, but not say ours.
async fn only_from_here(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    match ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        true => next.run(request).await,
        false => (StatusCode::MISDIRECTED_REQUEST, "This shop is under development: call it localhost.")
            .into_response(),
    }
}

impl Ports {
    async fn bind(arguments: &Up) -> Result<Self, Failure> {
        Ok(Self {
            edge: bind(arguments.edge, "--edge").await?,
            admin: bind(arguments.admin, "--admin").await?,
            grpc: match arguments.production {
                true => None,
                false => Some(bind(arguments.grpc, "--grpc").await?),
            },
            provider: match arguments.provider_url {
                Some(_) => None,
                None => Some(bind(arguments.provider, "--provider").await?),
            },
        })
    }

    /// What is printed at the start, a line for each thing that can be reached.
    fn describe(&self) -> Result<String, Failure> {
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
        if self.grpc.is_some() {
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
) -> Result<String, Failure> {
    match (&arguments.provider_url, listener) {
        (Some(url), _) => Ok(url.clone()),
        (None, None) => Err(Failure::new("there is no payment provider: name one with --provider-url")),
        (None, Some(listener)) => {
            let webhook_url = format!("http://{}/webhooks/payments/simulated", edge.local_addr()?);
            let secret = provider::secret(folder, &arguments.webhook)?;
            provider::start(folder, listener, webhook_url, secret, tasks, shutdown).await
        }
    }
}

/// Everything is here, over files of the data folder.
async fn places(
    arguments: &Up,
    folder: &DataFolder,
    opener: &Opener,
    provider_url: String,
) -> Result<Places, Failure> {
    let tokens = orders::Tokens::new(&folder.secret("checkout-tokens")?)
        .map_err(|error| Failure::caused("the secret of checkouts cannot be used", &error))?;
    let identity = identity::Settings {
        sealer: opener.sealer(),
        key_secret: hex(&folder.secret("signing-keys")?).into(),
        access_life: Duration::from_secs(10 * 60),
        key_rotation: Duration::from_secs(24 * 60 * 60),
        key_published_before: Duration::from_secs(60 * 60),
        hashes_at_once: std::thread::available_parallelism().map_or(1, usize::from),
        hashes_waiting_max: 64,
        work_interval: Duration::from_secs(1),
    };
    let payments = payments::Settings {
        provider_url,
        webhook_secret: provider::secret(folder, &arguments.webhook)?,
        answer_time_max: Duration::from_secs(5),
        recovery_interval: Duration::from_secs(5),
    };
    let cart = cart::Settings { token_secret: folder.secret("cart-tokens")? };
    let orders =
        orders::Settings { tokens, sealer: Some(opener.sealer()), recover_every: Duration::from_secs(2) };
    Ok(Places {
        identity: Place::Here(folder.store(identity::NAME).await?, identity),
        catalogue: Place::Here(folder.store(catalogue::NAME).await?, ()),
        inventory: Place::Here(folder.store(inventory::NAME).await?, ()),
        pricing: Place::Here(folder.store(pricing::NAME).await?, ()),
        payments: Place::Here(folder.store(payments::NAME).await?, payments),
        cart: Place::Here(folder.store(cart::NAME).await?, cart),
        orders: Place::Here(folder.store(orders::NAME).await?, orders),
        reviews: Place::Here(folder.store(reviews::NAME).await?, ()),
    })
}

/// Makes the personas and puts the demo catalogue in. Interrupted, it is taken up again at the next start.
async fn first_start(folder: &DataFolder, topology: &Topology, clock: &Clock) -> Result<(), Failure> {
    println!("first start: putting the demo catalogue in");
    folder.mark(DEMO)?;
    demo::make_personas(&folder.database(identity::NAME).await?, clock).await?;
    let request =
        LogInRequest { email: STAFF.email.to_owned(), password: STAFF.password.to_owned(), client: None };
    let answer = topology.gateway.identity.clone().log_in(request).await?.into_inner();
    let token = answer.tokens.map(|tokens| tokens.access_token).unwrap_or_default();
    let shop = demo::Shop {
        catalogue: topology.gateway.catalogue.clone(),
        inventory: topology.gateway.inventory.clone(),
        pricing: topology.gateway.pricing.clone(),
        reviews: topology.gateway.reviews.clone(),
    };
    shop.fill(&token).await?;
    folder.mark(SEEDED)
}

fn serve_grpc(
    listener: TcpListener,
    services: Vec<Served>,
    workload: String,
    health: serve::Health,
    shutdown: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, Failure> {
    let known = proto::rules::METHODS.iter().flat_map(|method| method.callers.iter().copied());
    let workload = known.chain([gateway::NAME]).find(|name| *name == workload).ok_or_else(|| {
        Failure::new(format!("--grpc-as {workload}: no method of the contract names such a caller"))
    })?;
    let grpc = Grpc {
        services,
        workload,
        health,
        reflection: Some(proto::FILE_DESCRIPTOR_SET),
        limits: GRPC_LIMITS,
    };
    let stop = shutdown.clone().cancelled_owned();
    Ok(async move {
        if let Err(error) = serve::grpc(listener, grpc, stop).await {
            tracing::error!("the gRPC port stopped: {}", mesh::status::chain(&error));
        }
    })
}

fn gateway_settings(arguments: &Up) -> Result<gateway::Settings, Failure> {
    let documents = arguments.documents.as_deref().map(read_documents).transpose()?;
    let persona = |persona: &demo::Persona| Persona {
        name: persona.name.to_owned(),
        email: persona.email.to_owned(),
        password: persona.password.to_owned(),
    };
    let playground =
        Playground { shopper: persona(&demo::SHOPPER), staff: persona(&STAFF), tabs: demo::tabs()? };
    Ok(gateway::Settings {
        production: arguments.production,
        allowed_origins: arguments.origins.clone(),
        market: Market { country: "GB".to_owned(), currency: "GBP".to_owned(), language: "en".to_owned() },
        documents,
        playground: (!arguments.production && !arguments.empty).then_some(playground),
    })
}

/// One SHA-256 in hex a line; what follows it on the line is a remark.
fn read_documents(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    let hashes = text.lines().filter_map(|line| line.split_whitespace().next());
    Ok(hashes.map(str::to_owned).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
