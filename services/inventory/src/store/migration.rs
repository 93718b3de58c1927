//! The tables of inventory.

use kit::{kit_migrations, tables};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own: Vec<Box<dyn MigrationTrait>> =
            vec![tables("inventory_0001_stock", STOCK), Box::new(AppendOnly)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// The checks hold the promises of this service even against a wrong statement of its own.
const STOCK: &str = "
    CREATE TABLE locations (
        id uuid NOT NULL PRIMARY KEY,
        display_name text NOT NULL,
        is_default boolean NOT NULL
    );
    CREATE UNIQUE INDEX locations_default ON locations (is_default) WHERE is_default;
    CREATE TABLE stock (
        sku text NOT NULL,
        location_id uuid NOT NULL REFERENCES locations (id),
        received bigint NOT NULL CHECK (received >= 0),
        available bigint NOT NULL CHECK (available >= 0),
        reserved bigint NOT NULL CHECK (reserved >= 0),
        sold bigint NOT NULL CHECK (sold >= 0),
        version bigint NOT NULL,
        updated timestamptz NOT NULL,
        PRIMARY KEY (sku, location_id),
        CHECK (available + reserved + sold = received)
    );
    CREATE INDEX stock_available ON stock (available);
    CREATE TABLE reservations (
        id uuid NOT NULL PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('held', 'confirmed', 'released', 'expired')),
        expires timestamptz NOT NULL
    );
    CREATE INDEX reservations_held ON reservations (expires) WHERE state = 'held';
    CREATE TABLE reservation_lines (
        reservation_id uuid NOT NULL REFERENCES reservations (id),
        sku text NOT NULL,
        quantity bigint NOT NULL CHECK (quantity > 0),
        returned bigint NOT NULL CHECK (returned >= 0 AND returned <= quantity),
        PRIMARY KEY (reservation_id, sku)
    );
    CREATE TABLE movements (
        id uuid NOT NULL PRIMARY KEY,
        sku text NOT NULL,
        location_id uuid NOT NULL,
        kind text NOT NULL,
        received_delta bigint NOT NULL,
        available_delta bigint NOT NULL,
        reserved_delta bigint NOT NULL,
        sold_delta bigint NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        occurred timestamptz NOT NULL,
        stock_version bigint NOT NULL,
        UNIQUE (sku, location_id, stock_version)
    );
    CREATE INDEX movements_sku ON movements (sku, id DESC);";

/// The ledger only grows: both stores refuse to change or remove a line, each in its own words.
struct AppendOnly;

impl MigrationName for AppendOnly {
    fn name(&self) -> &str {
        "inventory_0002_append_only"
    }
}

#[async_trait]
impl MigrationTrait for AppendOnly {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (location, triggers) = match manager.get_database_backend() {
            DbBackend::Sqlite => ("x'00000000000070008000000000000001'", SQLITE),
            _ => ("'00000000-0000-7000-8000-000000000001'", POSTGRES),
        };
        let connection = manager.get_connection();
        let sql = format!("INSERT INTO locations VALUES ({location}, 'Main warehouse', TRUE)");
        connection.execute_unprepared(&sql).await?;
        connection.execute_unprepared(triggers).await.map(drop)
    }
}

const SQLITE: &str = "
    CREATE TRIGGER movements_update BEFORE UPDATE ON movements
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
    CREATE TRIGGER movements_delete BEFORE DELETE ON movements
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;";

const POSTGRES: &str = "
    CREATE FUNCTION movements_only_grow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$;
    CREATE TRIGGER movements_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
        FOR EACH STATEMENT EXECUTE FUNCTION movements_only_grow();";
