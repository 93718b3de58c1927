//! The tables of orders.

use kit::{kit_migrations, tables};
use sea_orm_migration::prelude::*;

/// The tables of orders, after those that every service has.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit_migrations();
        migrations.push(tables("orders_0001_checkouts", CHECKOUTS));
        migrations.push(tables("orders_0002_orders", ORDERS));
        migrations
    }
}

// One checkout per cart and version, unless it failed: two tabs that buy the same cart buy it once.
// The body is the checkout as it stands; the columns beside it are those that statements look for.
const CHECKOUTS: &str = "
    CREATE TABLE checkouts (
        id uuid NOT NULL PRIMARY KEY,
        account uuid,
        token_hash text,
        cart text NOT NULL,
        cart_version bigint NOT NULL,
        state text NOT NULL,
        body text NOT NULL,
        quote text NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        due timestamptz,
        lease_owner uuid,
        lease_until timestamptz
    );
    CREATE UNIQUE INDEX checkouts_cart ON checkouts (cart, cart_version) WHERE state <> 'Failed';
    CREATE INDEX checkouts_due ON checkouts (due) WHERE due IS NOT NULL;";

// The sums that must hold whatever the program does: nothing is given back that was not paid,
// and nothing returned that was not delivered.
const ORDERS: &str = "
    CREATE TABLE orders (
        id uuid NOT NULL PRIMARY KEY,
        number text NOT NULL UNIQUE,
        checkout uuid UNIQUE,
        account uuid,
        token_hash text,
        external_id text UNIQUE,
        origin text NOT NULL,
        state text NOT NULL,
        payment_state text NOT NULL,
        fulfilment_state text NOT NULL,
        currency text NOT NULL,
        total bigint NOT NULL CHECK (total >= 0),
        paid bigint NOT NULL,
        refunded bigint NOT NULL CHECK (refunded >= 0),
        refunding bigint NOT NULL CHECK (refunding >= 0),
        placed timestamptz NOT NULL,
        body text NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        due timestamptz,
        lease_owner uuid,
        lease_until timestamptz,
        CHECK (paid >= 0 AND paid <= total),
        CHECK (refunded + refunding <= paid)
    );
    CREATE INDEX orders_placed ON orders (placed, id);
    CREATE INDEX orders_account ON orders (account, placed, id) WHERE account IS NOT NULL;
    CREATE INDEX orders_state ON orders (state, placed, id);
    CREATE INDEX orders_due ON orders (due) WHERE due IS NOT NULL;
    CREATE TABLE order_lines (
        order_id uuid NOT NULL REFERENCES orders (id),
        position integer NOT NULL,
        sku text NOT NULL,
        variant text NOT NULL DEFAULT '',
        product text NOT NULL DEFAULT '',
        product_title text NOT NULL DEFAULT '',
        variant_title text NOT NULL DEFAULT '',
        quantity bigint NOT NULL CHECK (quantity > 0),
        unit_price bigint NOT NULL CHECK (unit_price >= 0),
        discount bigint NOT NULL DEFAULT 0 CHECK (discount >= 0),
        net bigint NOT NULL,
        tax bigint NOT NULL DEFAULT 0,
        total bigint NOT NULL,
        tax_rate_ppm bigint NOT NULL DEFAULT 0,
        shipped bigint NOT NULL DEFAULT 0,
        delivered bigint NOT NULL DEFAULT 0,
        returned bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (order_id, position),
        CHECK (total = net + tax),
        CHECK (returned >= 0 AND returned <= delivered AND delivered <= shipped AND shipped <= quantity)
    );";
