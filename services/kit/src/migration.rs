//! The tables that every service has beside its own: outbox, inbox, requests, erased.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// What a service's migrator starts with, before its own migrations.
pub fn kit_migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(NEWS), Box::new(REQUESTS), Box::new(CARRYING), Box::new(ERASED)]
}

/// A migration of a service: a name that sorts after the earlier ones, and statements in the words of PostgreSQL,
/// which run on SQLite, too. Types that both know by these words: uuid, text, bigint, integer, boolean, bytea,
/// timestamptz; JSON is kept as text. Text that a list is sorted by says `COLLATE "C"`: the order of its bytes,
/// which is SQLite's own.
pub fn tables(name: &'static str, sql: &'static str) -> Box<dyn MigrationTrait> {
    Box::new(Tables { name, sql })
}

struct Tables {
    name: &'static str,
    /// In the words of PostgreSQL; see [`in_words_of`].
    sql: &'static str,
}

// Only what is unsent is looked for, and that is nearly nothing however long the outbox grows.
const NEWS: Tables = Tables {
    name: "kit_0001_news",
    sql: "
        CREATE TABLE outbox (
            id uuid NOT NULL PRIMARY KEY,
            kind text NOT NULL,
            subject text NOT NULL,
            subject_version bigint NOT NULL CHECK (subject_version > 0),
            occurred timestamptz NOT NULL,
            traceparent text NOT NULL,
            schema_version integer NOT NULL,
            payload bytea NOT NULL,
            sent timestamptz,
            UNIQUE (subject, subject_version)
        );
        CREATE INDEX outbox_unsent ON outbox (id) WHERE sent IS NULL;
        CREATE INDEX outbox_sent ON outbox (sent) WHERE sent IS NOT NULL;
        CREATE TABLE inbox (
            reader text NOT NULL,
            event_id uuid NOT NULL,
            applied timestamptz NOT NULL,
            PRIMARY KEY (reader, event_id)
        );
        CREATE INDEX inbox_applied ON inbox (applied);",
};

const REQUESTS: Tables = Tables {
    name: "kit_0002_requests",
    sql: "
        CREATE TABLE requests (
            principal text NOT NULL,
            request_id text NOT NULL,
            method text NOT NULL,
            fingerprint bytea NOT NULL,
            answer text NOT NULL,
            lasting boolean NOT NULL,
            created timestamptz NOT NULL,
            PRIMARY KEY (principal, request_id)
        );
        CREATE INDEX requests_created ON requests (created) WHERE NOT lasting;",
};

// `outbox_claims` says who carries a subject and until when, or how long a subject waits whose reader failed. A row of
// `undelivered` is an event that one reader has yet to apply although it counts as sent: put aside when `dead`, to be
// handed to it again otherwise.
const CARRYING: Tables = Tables {
    name: "kit_0003_carrying",
    sql: "
        CREATE INDEX outbox_unsent_subject ON outbox (subject, subject_version) WHERE sent IS NULL;
        CREATE TABLE outbox_claims (
            subject text NOT NULL PRIMARY KEY,
            owner uuid,
            until timestamptz NOT NULL,
            failures integer NOT NULL,
            strikes integer NOT NULL
        );
        CREATE INDEX outbox_claims_failing ON outbox_claims (until) WHERE failures > 0;
        CREATE TABLE undelivered (
            reader text NOT NULL,
            event_id uuid NOT NULL REFERENCES outbox,
            subject text NOT NULL,
            subject_version bigint NOT NULL,
            dead boolean NOT NULL,
            strikes integer NOT NULL,
            until timestamptz NOT NULL,
            PRIMARY KEY (reader, event_id)
        );",
};

// An opaque id is all that is left of a person.
const ERASED: Tables =
    Tables { name: "kit_0004_erased", sql: "CREATE TABLE erased (account_id uuid NOT NULL PRIMARY KEY);" };

impl MigrationName for Tables {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = in_words_of(manager.get_database_backend(), self.sql);
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }
}

/// SQLite keeps ids as bytes and times as text, and by any other name it would take them for numbers.
fn in_words_of(backend: DbBackend, sql: &str) -> String {
    match backend {
        DbBackend::Sqlite => sql
            .replace(" uuid", " blob")
            .replace(" bytea", " blob")
            .replace(" timestamptz", " text")
            .replace(" COLLATE \"C\"", ""),
        _ => sql.to_owned(),
    }
}
