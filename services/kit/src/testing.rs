//! Databases for tests, in the two kinds that a service is promised to work on.
#![allow(clippy::expect_used, reason = "a test without its database must stop at once and say so")]

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::MigratorTrait;
use uuid::Uuid;

use crate::database::{Database, query};
use crate::outbox::{self, Event};

/// Names a PostgreSQL server on which tests may make schemas: `postgres://user@host:port/database`.
const POSTGRES_VARIABLE: &str = "SHOP_TEST_POSTGRES_URL";

/// Fresh, migrated databases: SQLite always, and PostgreSQL when `SHOP_TEST_POSTGRES_URL` is set. A test runs once on each.
pub async fn databases<M: MigratorTrait>() -> Vec<Database> {
    let mut databases = vec![sqlite::<M>().await];
    databases.extend(postgres::<M>().await);
    databases
}

/// One fresh, migrated SQLite database, for tests in which the store does not matter.
pub async fn sqlite<M: MigratorTrait>() -> Database {
    let database = Database::temporary().await.expect("a temporary SQLite database can be made");
    database.migrate::<M>().await.expect("the migrations run on SQLite");
    database
}

/// A fresh, migrated schema on the PostgreSQL server of the tests; nothing when there is no server.
pub async fn postgres<M: MigratorTrait>() -> Option<Database> {
    let database =
        Database::open(&postgres_url().await?).await.expect("the new PostgreSQL schema can be opened");
    database.migrate::<M>().await.expect("the migrations run on PostgreSQL");
    Some(database)
}

/// The URL of a fresh, empty schema, for tests that open it several times, as several replicas would.
pub async fn postgres_url() -> Option<String> {
    let url = std::env::var(POSTGRES_VARIABLE).ok().filter(|url| !url.is_empty())?;
    let schema = format!("test_{}", Uuid::now_v7().simple());
    let server = Database::open(&url).await.expect("the PostgreSQL server of the tests can be reached");
    server
        .write()
        .execute_unprepared(&format!("CREATE SCHEMA {schema}"))
        .await
        .expect("a schema can be made");
    let separator = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{separator}options[search_path]={schema}"))
}

/// The events that are still to be carried, oldest first.
pub async fn unsent(database: &Database, limit: u64) -> Result<Vec<Event>, DbErr> {
    let sql = "SELECT * FROM outbox WHERE sent IS NULL ORDER BY id LIMIT $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    query(database.read(), sql, [limit.into()]).await?.iter().map(outbox::read).collect()
}

/// An id for a request that nobody else makes.
pub fn request_id() -> String {
    Uuid::now_v7().to_string()
}
