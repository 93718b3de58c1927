//! `shop serve`: a part of the shop, with the rest elsewhere.

use std::future::ready;
use std::pin::pin;
use std::time::{Duration, Instant};

use axum::Router;
use kit::Clock;
use mesh::serve::{self, Admin, Check, Grpc, Health, Limits, STREAMS_MAX};
use news::{Settings, Transport};
use observability::Guard;
use scratch::Scratch;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, bind, drained, stopped};
use crate::apart::{self, Part, Plan};
use crate::config::Serve;
use crate::topology::Topology;
use crate::{edge, mails};

/// The port that other services call.
const LIMITS: Limits = Limits {
    connections_max: 1_024,
    connections_per_address_max: 1_024,
    streams_max: STREAMS_MAX,
    headers_length_max: 16 * 1024,
    header_time_max: Duration::from_secs(10),
    unread_time_max: Duration::from_secs(10),
    age_max: Some(Duration::from_secs(5 * 60)),
    // As long as an access token is good: whoever is signed in watches no longer anyhow.
    age_grace_max: Duration::from_secs(10 * 60),
    drain_time_max: Duration::from_secs(15),
};

/// The ports of this part; bound before anything else, so that a taken one is said at once.
struct Ports {
    admin: TcpListener,
    grpc: Option<TcpListener>,
    edge: Option<TcpListener>,
    tools: Option<TcpListener>,
}

/// Runs until the process is told to stop.
pub async fn run(arguments: &Serve, seeing: &Guard) -> Result<(), Failure> {
    let started = Instant::now();
    let part = Part::named(&arguments.names)?;
    let peers = apart::peers(&arguments.peers)?;
    if part.gateway {
        edge::safe(&arguments.edge)?;
    }
    let broker = match part.services().next() {
        Some(_) => Some(apart::broker(arguments.amqp_url.as_ref())?),
        None => None,
    };
    let scratch = apart::scratch(&part, &arguments.secrets).await?;
    let ports = Ports::bind(arguments, &part).await?;
    println!("{}\n{}", arguments.names.join(", "), ports.describe()?);
    let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
    let health = Health::starting(part.services());
    let admin = Admin { health: health.clone(), metrics: seeing.metrics() };
    tasks.spawn(serve::admin(ports.admin, admin, shutdown.clone().cancelled_owned()));

    let mut refused = pin!(apart::refused(broker.clone()));
    let plan = Plan::new(&part, &arguments.secrets, scratch.as_ref(), &health);
    let places = tokio::select! {
        places = plan.places(apart::certificates(&peers)) => places?,
        failure = &mut refused => return Err(failure),
        () = stopped() => return Ok(()),
    };
    let clock = Clock::system();
    let topology = Topology::bind(places, &clock, &tasks, &shutdown);
    carry_news(&topology, broker.as_ref(), &tasks, &shutdown);
    health.watch([topology.checks, besides(broker, scratch.as_ref())].concat()).await;
    if let Some(listener) = ports.grpc {
        let grpc = Grpc {
            services: topology.services,
            peers,
            health: health.clone(),
            reflection: None,
            limits: LIMITS,
        };
        let stop = shutdown.clone().cancelled_owned();
        tasks.spawn(async move {
            if let Err(error) = serve::grpc(listener, grpc, stop).await {
                tracing::error!("the gRPC port stopped: {}", mesh::status::chain(&error));
            }
        });
    }
    if let Some(listener) = ports.tools {
        tasks.spawn(edge::grpc(listener, &arguments.edge, topology.reachable, health, &shutdown)?);
    }
    if let Some(listener) = ports.edge {
        let beside = match &arguments.secrets.mail.mail_folder {
            Some(folder) if !arguments.edge.production => mails::router(folder),
            _ => Router::new(),
        };
        let around = (&tasks, &shutdown);
        let (upstreams, verifier) = (topology.gateway, topology.verifier);
        let router = edge::router(&arguments.edge, upstreams, verifier, beside, scratch, around)?;
        tasks.spawn(edge::serve(listener, &arguments.edge, router, &shutdown));
    }

    println!("{} ready after {} ms", arguments.names.join(", "), started.elapsed().as_millis());
    tokio::select! {
        failure = refused => return Err(failure),
        () = stopped() => shutdown.cancel(),
    }
    match drained(&tasks, &topology.server).await {
        true => Ok(()),
        false => Err(Failure::new("some calls did not end in time; what they began is finished elsewhere")),
    }
}

/// What happens here is told to the broker, and what the services here want to hear is fetched from it.
fn carry_news(
    topology: &Topology,
    broker: Option<&Settings>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) {
    let Some(broker) = broker.cloned() else {
        return;
    };
    let stop = || shutdown.clone().cancelled_owned();
    if let Some(stream) = topology.stream.clone() {
        tasks.spawn(news::run_stream(stream, broker.clone(), stop()));
    }
    let (sources, readers) = (topology.sources.clone(), topology.readers.clone());
    tasks.spawn(news::run(sources, readers, Transport::RabbitMq(broker), stop()));
}

/// What is named while it is away, and what calls can do without: events wait in their outboxes, limits and pages come
/// from elsewhere.
fn besides(broker: Option<Settings>, scratch: Option<&Scratch>) -> Vec<Check> {
    let broker = broker.map(|broker| {
        let reached = move || broker.is_reached().then_some(()).ok_or_else(|| "it is not connected".into());
        Check::new("broker", vec![], move || ready(reached()))
    });
    let redis = scratch.cloned().map(|scratch| {
        Check::new("redis", vec![], move || {
            let scratch = scratch.clone();
            async move { Ok(scratch.ping().await?) }
        })
    });
    broker.into_iter().chain(redis).map(Check::optional).collect()
}

impl Ports {
    async fn bind(arguments: &Serve, part: &Part) -> Result<Self, Failure> {
        let edge = &arguments.edge;
        Ok(Self {
            admin: bind(arguments.admin, "--admin").await?,
            grpc: match part.services().next() {
                Some(_) => Some(bind(arguments.listen, "--listen").await?),
                None => None,
            },
            edge: match part.gateway {
                true => Some(bind(edge.address, "--edge").await?),
                false => None,
            },
            tools: match part.gateway && !edge.production {
                true => Some(bind(edge.grpc, "--grpc").await?),
                false => None,
            },
        })
    }

    /// What is printed at the start, a line for each thing that can be reached.
    fn describe(&self) -> Result<String, Failure> {
        let mut lines = vec![format!("  admin       http://{}/ready and /metrics", self.admin.local_addr()?)];
        if let Some(grpc) = &self.grpc {
            lines.push(format!("  gRPC        {}", grpc.local_addr()?));
        }
        if let Some(edge) = &self.edge {
            lines.push(format!("  GraphQL     http://{}/graphql", edge.local_addr()?));
        }
        if let Some(tools) = &self.tools {
            lines.push(format!("  tools       {} (all services, with reflection)", tools.local_addr()?));
        }
        Ok(lines.join("\n"))
    }
}
