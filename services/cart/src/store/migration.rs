//! The tables of cart.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![tables("cart_0001_carts", CARTS), tables("cart_0002_merged", MERGED)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// A cart has one holder: an account, which has one cart, or whoever shows the token. The place of a line is the order
// in which lines were added.
const CARTS: &str = "
    CREATE TABLE carts (
        id uuid NOT NULL PRIMARY KEY,
        account_id uuid UNIQUE,
        token_hash bytea,
        currency text NOT NULL,
        country text NOT NULL,
        codes text NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        created timestamptz NOT NULL,
        updated timestamptz NOT NULL,
        CHECK ((account_id IS NULL) <> (token_hash IS NULL))
    );
    CREATE INDEX carts_updated ON carts (updated);
    CREATE TABLE lines (
        cart_id uuid NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
        line_id uuid NOT NULL,
        place bigint NOT NULL,
        variant_id uuid NOT NULL,
        product_id uuid NOT NULL,
        sku text NOT NULL,
        quantity bigint NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
        seen_price bigint NOT NULL,
        PRIMARY KEY (cart_id, line_id),
        UNIQUE (cart_id, variant_id)
    );";

// Where a guest's cart went. A checkout that began before the merge still knows it by its old id.
const MERGED: &str = "
    CREATE TABLE merged (
        guest_id uuid NOT NULL PRIMARY KEY,
        cart_id uuid NOT NULL REFERENCES carts (id) ON DELETE CASCADE
    );
    CREATE INDEX merged_cart ON merged (cart_id);";
