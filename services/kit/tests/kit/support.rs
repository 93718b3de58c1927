//! A service with one table, in which a test can have effects and count them.

use kit::{Database, Tx, kit_migrations};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use sea_orm_migration::sea_query::{ColumnDef, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit_migrations().into_iter().chain([Box::new(Effects) as _]).collect()
    }
}

struct Effects;

impl MigrationName for Effects {
    fn name(&self) -> &str {
        "effects"
    }
}

#[async_trait]
impl MigrationTrait for Effects {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("effects")
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("happened").timestamp_with_time_zone())
            .to_owned();
        manager.create_table(table).await
    }
}

/// Both kinds of store, or SQLite alone when no PostgreSQL is named.
pub(crate) async fn databases() -> Vec<Database> {
    kit::testing::databases::<Migrator>().await
}

pub(crate) async fn effect(tx: &Tx, name: &str) {
    let sql = "INSERT INTO effects (name) VALUES ($1)";
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, [name.into()]);
    tx.execute_raw(statement).await.unwrap();
}

pub(crate) async fn effects(database: &Database) -> i64 {
    count(database, "effects").await
}

pub(crate) async fn count(database: &Database, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS rows FROM {table}");
    let statement = Statement::from_string(database.backend(), sql);
    let row = database.read().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "rows").unwrap()
}
