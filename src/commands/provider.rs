//! `shop provider`: the simulated payment provider as a process of its own.

use std::time::Duration;

use kit::Database;
use payments::simulated;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, bind, stopped};
use crate::config::{Provider, Webhook};
use crate::data::DataFolder;

const WEBHOOK_SECRET: &str = "webhook";
/// The name of its database in its folder.
pub const DATABASE: &str = "provider";
const SLOW_ANSWER: Duration = Duration::from_secs(20);
const SILENCE_MAX: Duration = Duration::from_secs(60);
const WEBHOOK_RETRY: Duration = Duration::from_secs(1);

/// Serves the provider until the process is told to stop. It shares nothing with the shop but the secret.
pub async fn run(arguments: &Provider) -> Result<(), Failure> {
    let folder = DataFolder::open(&arguments.data)?;
    let listener = bind(arguments.listen, "--listen").await?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let secret = secret(&folder, &arguments.webhook)?;
    start(&folder, listener, arguments.webhook_url.clone(), secret, &tasks, &shutdown).await?;
    println!("the simulated provider is at http://{}", arguments.listen);
    stopped().await;
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// Starts the provider on a listener, with a database and commits of its own.
pub async fn start(
    folder: &DataFolder,
    listener: TcpListener,
    webhook_url: String,
    webhook_secret: Vec<u8>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Result<String, Failure> {
    let public_url = format!("http://{}", listener.local_addr()?);
    let database: Database = folder.database(DATABASE).await?;
    simulated::migrate(&database)
        .await
        .map_err(|error| Failure::caused("the provider's tables cannot be brought up to date", &error))?;
    let settings = simulated::Settings {
        public_url: public_url.clone(),
        webhook_url,
        webhook_secret,
        slow_answer: SLOW_ANSWER,
        silence_max: SILENCE_MAX,
        webhook_retry: WEBHOOK_RETRY,
    };
    tasks.spawn(simulated::work(database.clone(), settings.clone(), shutdown.clone()));
    let router = simulated::router(database, settings);
    let stop = shutdown.clone();
    tasks.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!("the simulated provider stopped: {error}");
        }
    });
    Ok(public_url)
}

/// What webhooks are signed with: what was said, or a secret of this folder.
pub fn secret(folder: &DataFolder, webhook: &Webhook) -> Result<Vec<u8>, Failure> {
    match &webhook.webhook_secret {
        Some(secret) if secret.len() >= 16 => Ok(secret.clone().into_bytes()),
        Some(_) => Err(Failure::new("the secret of webhooks must have at least 16 characters")),
        None => Ok(folder.secret(WEBHOOK_SECRET)?.to_vec()),
    }
}
