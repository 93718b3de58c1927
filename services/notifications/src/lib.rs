#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod mailer;
mod store;

use kit::{Clock, Database, Reader};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use app::Settings;
pub use app::render::Words;
pub use domain::Mail;
pub use domain::storefront::{MalformedStorefront, Storefront};
pub use mailer::{Folder, Goodbye, Mailer, MalformedSender, MalformedSmtpUrl, Sender, Smtp, Undelivered};
pub use store::migration::Migrator;

/// How others call this service.
pub const NAME: &str = "notifications";

/// The service over its store. It calls nobody.
pub fn routes(database: Database, settings: Settings, clock: Clock) -> Routes {
    Routes::new(grpc::server(app::Notifications::new(database, settings, clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// What this service wants to hear of.
pub fn readers(database: &Database, clock: &Clock) -> Vec<Reader> {
    vec![events::reader(store::Store::new(database.clone()), clock.clone())]
}

/// Sends what waits and forgets what is old, until it is told to stop. Several processes may do it at once.
pub async fn work(database: Database, settings: Settings, clock: Clock, shutdown: CancellationToken) {
    let notifications = app::Notifications::new(database.clone(), settings, clock);
    tokio::join!(notifications.work(shutdown.clone()), kit::upkeep(&database, shutdown));
}
