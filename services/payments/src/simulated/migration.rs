//! The provider's own tables, in a database that payments never sees.

use kit::tables;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![tables("simulated_0001_provider", PROVIDER)]
    }
}

// A payment that was voided before it was heard of has no amount: nothing can be authorised under its key any more.
const PROVIDER: &str = "
    CREATE TABLE simulated_payments (
        reference text NOT NULL PRIMARY KEY,
        key text NOT NULL UNIQUE,
        status text NOT NULL,
        minor_units bigint NOT NULL CHECK (minor_units >= 0),
        currency text NOT NULL,
        method text NOT NULL,
        return_url text NOT NULL,
        decline text,
        captured bigint NOT NULL CHECK (captured >= 0),
        refunded bigint NOT NULL CHECK (refunded >= 0),
        ready timestamptz,
        CHECK (captured <= minor_units),
        CHECK (refunded <= captured)
    );
    CREATE INDEX simulated_payments_ready ON simulated_payments (ready) WHERE status = 'processing';
    CREATE TABLE simulated_changes (
        key text NOT NULL PRIMARY KEY,
        payment text NOT NULL,
        action text NOT NULL,
        minor_units bigint NOT NULL,
        answer text NOT NULL
    );
    CREATE TABLE simulated_silences (
        key text NOT NULL PRIMARY KEY
    );
    CREATE TABLE simulated_webhooks (
        id uuid NOT NULL PRIMARY KEY,
        body text NOT NULL,
        attempts integer NOT NULL,
        due timestamptz
    );
    CREATE INDEX simulated_webhooks_due ON simulated_webhooks (due) WHERE due IS NOT NULL;";
