//! The tables that every service has beside its own: outbox, inbox, requests.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::sea_query::{
    ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// What a service's migrator starts with, before its own migrations.
pub fn kit_migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(News), Box::new(Requests)]
}

struct News;

impl MigrationName for News {
    fn name(&self) -> &str {
        "kit_0001_news"
    }
}

#[async_trait]
impl MigrationTrait for News {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(outbox()).await?;
        manager.create_index(outbox_versions()).await?;
        // Only what is unsent is looked for, and that is nearly nothing however long the table grows.
        let connection = manager.get_connection();
        connection
            .execute_unprepared("CREATE INDEX outbox_unsent ON outbox (id) WHERE sent IS NULL")
            .await?;
        connection
            .execute_unprepared("CREATE INDEX outbox_sent ON outbox (sent) WHERE sent IS NOT NULL")
            .await?;
        manager.create_table(inbox()).await
    }
}

struct Requests;

impl MigrationName for Requests {
    fn name(&self) -> &str {
        "kit_0002_requests"
    }
}

#[async_trait]
impl MigrationTrait for Requests {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(requests()).await?;
        let created = Index::create()
            .name("requests_created")
            .table("requests")
            .col("created")
            .to_owned();
        manager.create_index(created).await
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("kind").text().not_null())
        .col(ColumnDef::new("subject").text().not_null())
        .col(ColumnDef::new("subject_version").big_integer().not_null())
        .col(
            ColumnDef::new("occurred")
                .timestamp_with_time_zone()
                .not_null(),
        )
        .col(ColumnDef::new("traceparent").text().not_null())
        .col(ColumnDef::new("schema_version").integer().not_null())
        .col(ColumnDef::new("payload").blob().not_null())
        .col(ColumnDef::new("sent").timestamp_with_time_zone())
        .to_owned()
}

fn outbox_versions() -> IndexCreateStatement {
    Index::create()
        .unique()
        .name("outbox_versions")
        .table("outbox")
        .col("subject")
        .col("subject_version")
        .to_owned()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(ColumnDef::new("reader").text().not_null())
        .col(ColumnDef::new("event_id").uuid().not_null())
        .col(
            ColumnDef::new("applied")
                .timestamp_with_time_zone()
                .not_null(),
        )
        .primary_key(Index::create().col("reader").col("event_id"))
        .to_owned()
}

fn requests() -> TableCreateStatement {
    Table::create()
        .table("requests")
        .col(ColumnDef::new("principal").text().not_null())
        .col(ColumnDef::new("request_id").text().not_null())
        .col(ColumnDef::new("method").text().not_null())
        .col(ColumnDef::new("fingerprint").blob().not_null())
        .col(ColumnDef::new("answer").text().not_null())
        .col(ColumnDef::new("lasting").boolean().not_null())
        .col(
            ColumnDef::new("created")
                .timestamp_with_time_zone()
                .not_null(),
        )
        .primary_key(Index::create().col("principal").col("request_id"))
        .to_owned()
}
