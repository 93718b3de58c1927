//! Where each service is for this process: here, over a store and with settings of its own; at an address; or nowhere,
//! since nothing here calls it.

use axum::http::Uri;
use kit::Database;
use mesh::Certificates;
use scratch::Scratch;
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{DbBackend, DbErr};

use crate::commands::Failure;

/// Where one service is. Its store is a database for all but search, and cart where it is kept in Redis.
pub enum Place<S = (), D = Database> {
    /// In this process.
    Here(D, S),
    /// In another one.
    There(Uri),
    /// It does not matter: nothing here may call it.
    Nowhere,
}

/// Where all services are.
pub struct Places {
    pub identity: Place<identity::Settings>,
    pub catalogue: Place<Option<Scratch>>,
    pub inventory: Place,
    pub pricing: Place,
    pub payments: Place<payments::Settings>,
    pub cart: Place<cart::Settings, cart::Store>,
    pub orders: Place<orders::Settings>,
    pub reviews: Place,
    pub analytics: Place,
    pub notifications: Place<notifications::Settings>,
    pub recommendations: Place,
    pub search: Place<(), search::Index>,
    /// What this process shows to those elsewhere; nothing where a mesh does it.
    pub certificates: Option<Certificates>,
}

/// Every service that has tables, leaves first.
pub const SERVICES: [&str; 11] = [
    identity::NAME,
    catalogue::NAME,
    inventory::NAME,
    payments::NAME,
    pricing::NAME,
    cart::NAME,
    orders::NAME,
    reviews::NAME,
    analytics::NAME,
    notifications::NAME,
    recommendations::NAME,
];

/// The service of this name, with tables or without.
pub fn named(name: &str) -> Result<&'static str, Failure> {
    let all = || SERVICES.into_iter().chain([search::NAME]);
    all().find(|service| *service == name).ok_or_else(|| {
        let names: Vec<_> = all().collect();
        Failure::new(format!("there is no service {name}; the services are {}", names.join(", ")))
    })
}

/// The first migration that has not run on a store, whose tables are then older than this program. Newer ones are fine:
/// tables first grow, and shrink only when no program that runs needs what goes.
pub async fn missing(service: &str, store: &Database) -> Result<Option<String>, DbErr> {
    match service {
        identity::NAME => pending::<identity::Migrator>(store).await,
        catalogue::NAME => pending::<catalogue::Migrator>(store).await,
        inventory::NAME => pending::<inventory::Migrator>(store).await,
        pricing::NAME => pending::<pricing::Migrator>(store).await,
        payments::NAME => pending::<payments::Migrator>(store).await,
        cart::NAME => pending::<cart::Migrator>(store).await,
        orders::NAME => pending::<orders::Migrator>(store).await,
        reviews::NAME => pending::<reviews::Migrator>(store).await,
        analytics::NAME => pending::<analytics::Migrator>(store).await,
        notifications::NAME => pending::<notifications::Migrator>(store).await,
        recommendations::NAME => pending::<recommendations::Migrator>(store).await,
        // It has no tables.
        _ => Ok(None),
    }
}

async fn pending<M: MigratorTrait>(store: &Database) -> Result<Option<String>, DbErr> {
    let mut done: Vec<String> = Vec::new();
    // Where none has ever run, not even their table is there.
    let there = match store.backend() {
        DbBackend::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
        _ => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
    };
    if !kit::query(store.read(), there, []).await?.is_empty() {
        for row in kit::query(store.read(), "SELECT version FROM seaql_migrations", []).await? {
            done.push(row.try_get("", "version")?);
        }
    }
    let names = M::migrations();
    Ok(names.iter().map(|migration| migration.name().to_owned()).find(|name| !done.contains(name)))
}

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
        analytics::NAME => analytics::migrate(store).await,
        notifications::NAME => notifications::migrate(store).await,
        recommendations::NAME => recommendations::migrate(store).await,
        _ => return Err(Failure::new(format!("there is no service {service}"))),
    };
    migrated.map_err(|error| {
        Failure::caused(format!("the tables of {service} cannot be brought up to date"), &error)
    })
}
