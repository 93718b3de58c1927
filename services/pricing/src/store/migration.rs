//! The tables of pricing.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::seeds::Seeds;

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = [
            tables("pricing_0001_discounts", DISCOUNTS),
            tables("pricing_0002_taxes_and_shipping", TAXES_AND_SHIPPING),
            Box::new(Seeds),
        ];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// No use is ever counted above its limit, whoever writes: the checks hold what the conditional updates promise.
// A hold that is closed stays for a while, so that a late request finds it closed.
const DISCOUNTS: &str = "
    CREATE TABLE discounts (
        id uuid NOT NULL PRIMARY KEY,
        code text NOT NULL UNIQUE,
        percent_ppm bigint CHECK (percent_ppm BETWEEN 1 AND 1000000),
        amount bigint CHECK (amount > 0),
        amount_currency text,
        minimum bigint CHECK (minimum >= 0),
        minimum_currency text,
        limit_total bigint CHECK (limit_total > 0),
        limit_per_customer bigint CHECK (limit_per_customer > 0),
        starts timestamptz,
        ends timestamptz,
        combinable boolean NOT NULL,
        disabled boolean NOT NULL,
        use_count bigint NOT NULL CHECK (use_count >= 0),
        created timestamptz NOT NULL,
        version bigint NOT NULL,
        CHECK (limit_total IS NULL OR use_count <= limit_total),
        CHECK ((amount IS NULL) = (amount_currency IS NULL)),
        CHECK ((minimum IS NULL) = (minimum_currency IS NULL)),
        CHECK (percent_ppm IS NULL OR amount IS NULL)
    );
    CREATE INDEX discounts_newest ON discounts (created DESC, id DESC);
    CREATE TABLE customer_uses (
        discount_id uuid NOT NULL REFERENCES discounts (id),
        customer text NOT NULL,
        use_count bigint NOT NULL CHECK (use_count >= 0),
        PRIMARY KEY (discount_id, customer)
    );
    CREATE TABLE holds (
        checkout_id uuid NOT NULL PRIMARY KEY,
        customer text NOT NULL,
        state text NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired')),
        expires timestamptz NOT NULL,
        changed timestamptz NOT NULL
    );
    CREATE INDEX holds_overdue ON holds (expires) WHERE state = 'held';
    CREATE INDEX holds_closed ON holds (changed) WHERE state IN ('released', 'expired');
    CREATE TABLE held_codes (
        checkout_id uuid NOT NULL REFERENCES holds (checkout_id) ON DELETE CASCADE,
        discount_id uuid NOT NULL REFERENCES discounts (id),
        code text NOT NULL,
        PRIMARY KEY (checkout_id, discount_id)
    );";

// Whether prices include tax belongs to the country, so its classes cannot disagree.
const TAXES_AND_SHIPPING: &str = "
    CREATE TABLE tax_countries (
        country text NOT NULL COLLATE \"C\" PRIMARY KEY,
        included boolean NOT NULL
    );
    CREATE TABLE tax_rules (
        country text NOT NULL COLLATE \"C\" REFERENCES tax_countries (country),
        class text NOT NULL COLLATE \"C\",
        rate_ppm bigint NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
        PRIMARY KEY (country, class)
    );
    CREATE TABLE shipping_methods (
        id uuid NOT NULL PRIMARY KEY,
        display_name text NOT NULL,
        description text NOT NULL,
        countries text NOT NULL,
        tiers text NOT NULL,
        free_from bigint CHECK (free_from >= 0),
        free_from_currency text,
        days_min integer NOT NULL,
        days_max integer NOT NULL,
        disabled boolean NOT NULL,
        version bigint NOT NULL,
        CHECK (days_min BETWEEN 0 AND days_max),
        CHECK ((free_from IS NULL) = (free_from_currency IS NULL))
    );";
