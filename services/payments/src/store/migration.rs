//! The tables of payments.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![tables("payments_0001_payments", PAYMENTS)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// `entries` numbers the list of events of a payment, `event_version` those of them that others hear of.
// The two sums are what no crash and no race may ever break.
const PAYMENTS: &str = "
    CREATE TABLE payments (
        id uuid NOT NULL PRIMARY KEY,
        checkout_id uuid NOT NULL,
        attempt integer NOT NULL CHECK (attempt > 0),
        state text NOT NULL CHECK (state IN ('pending', 'action_required', 'authorized', 'captured', 'declined', 'voided')),
        currency text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        authorized bigint NOT NULL CHECK (authorized >= 0),
        captured bigint NOT NULL CHECK (captured >= 0),
        refunded bigint NOT NULL CHECK (refunded >= 0),
        capturing bigint NOT NULL CHECK (capturing >= 0),
        refunding bigint NOT NULL CHECK (refunding >= 0),
        voiding boolean NOT NULL,
        provider text NOT NULL,
        reference text,
        action_url text,
        decline text,
        version bigint NOT NULL,
        entries bigint NOT NULL,
        event_version bigint NOT NULL,
        created timestamptz NOT NULL,
        updated timestamptz NOT NULL,
        UNIQUE (checkout_id, attempt),
        CHECK (authorized <= amount),
        CHECK (captured + capturing <= authorized),
        CHECK (refunded + refunding <= captured)
    );
    CREATE INDEX payments_newest ON payments (created DESC, id DESC);
    CREATE INDEX payments_state ON payments (state, created DESC, id DESC);
    CREATE TABLE operations (
        id uuid NOT NULL PRIMARY KEY,
        payment_id uuid NOT NULL REFERENCES payments (id),
        kind text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
        minor_units bigint NOT NULL CHECK (minor_units >= 0),
        key text NOT NULL UNIQUE,
        method text,
        method_digest bytea,
        return_url text NOT NULL,
        reason text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('asked', 'done', 'refused')),
        refusal text,
        answer text,
        attempts integer NOT NULL,
        due timestamptz NOT NULL
    );
    CREATE INDEX operations_due ON operations (due) WHERE outcome = 'asked';
    CREATE INDEX operations_payment ON operations (payment_id);
    CREATE TABLE payment_events (
        id uuid NOT NULL PRIMARY KEY,
        payment_id uuid NOT NULL REFERENCES payments (id),
        position bigint NOT NULL,
        kind text NOT NULL,
        minor_units bigint NOT NULL,
        reference text,
        occurred timestamptz NOT NULL,
        UNIQUE (payment_id, position)
    );";
