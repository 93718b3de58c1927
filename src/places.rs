//! Where each service is for this process: here, over a store and with settings of its own; at an address; or nowhere,
//! since nothing here calls it.

use axum::http::Uri;
use kit::Database;

use crate::commands::Failure;

/// Where one service is.
#[expect(dead_code, reason = "until `shop serve` puts services apart")]
pub enum Place<S = ()> {
    /// In this process.
    Here(Database, S),
    /// In another one.
    There(Uri),
    /// It does not matter: nothing here may call it.
    Nowhere,
}

/// Where all services are.
pub struct Places {
    pub identity: Place<identity::Settings>,
    pub catalogue: Place,
    pub inventory: Place,
    pub pricing: Place,
    pub payments: Place<payments::Settings>,
    pub cart: Place<cart::Settings>,
    pub orders: Place<orders::Settings>,
    pub reviews: Place,
}

/// Every service that has tables, leaves first.
pub const SERVICES: [&str; 8] = [
    identity::NAME,
    catalogue::NAME,
    inventory::NAME,
    payments::NAME,
    pricing::NAME,
    cart::NAME,
    orders::NAME,
    reviews::NAME,
];

/// Brings the tables of a service up to date.
pub async fn migrate(service: &str, store: &Database) -> Result<(), Failure> {
    let migrated = match service {
        identity::NAME => identity::migrate(store).await,
        catalogue::NAME => catalogue::migrate(store).await,
        inventory::NAME => inventory::migrate(store).await,
        pricing::NAME => pricing::migrate(store).await,
        payments::NAME => payments::migrate(store).await,
        cart::NAME => cart::migrate(store).await,
        orders::NAME => orders::migrate(store).await,
        reviews::NAME => reviews::migrate(store).await,
        _ => return Err(Failure::new(format!("there is no service {service}"))),
    };
    migrated.map_err(|error| {
        Failure::caused(format!("the tables of {service} cannot be brought up to date"), &error)
    })
}
