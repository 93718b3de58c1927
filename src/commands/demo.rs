//! `shop demo`: the demo shop for services that run apart. Never for a shop that is meant in earnest: everybody knows
//! the passwords of its accounts.

use kit::{Clock, Database};
use mesh::serve::Health;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Failure;
use crate::apart::{self, Part, Plan};
use crate::config::{Demo, Secrets, database_url};
use crate::demo;
use crate::topology::Topology;

/// Makes the personas in identity's database, and puts the catalogue in by the contracts, as the edge.
pub async fn run(arguments: &Demo) -> Result<(), Failure> {
    let (variable, url) = database_url(identity::NAME);
    let url =
        url.ok_or_else(|| Failure::new(format!("{variable} is not set: the demo accounts go there")))?;
    let store = Database::open(&url)
        .await
        .map_err(|error| Failure::caused(format!("{variable} cannot be used"), &error))?;
    let clock = Clock::system();
    demo::make_personas(&store, &clock).await?;

    let peers = apart::peers(&arguments.peers)?;
    let (part, secrets, health) = (Part::gateway(), Secrets::none(), Health::starting([]));
    let places = Plan::new(&part, &secrets, None, &health).places(apart::certificates(&peers)).await?;
    let topology = Topology::bind(places, &clock, &TaskTracker::new(), &CancellationToken::new());
    demo::fill(&topology.gateway).await
}
