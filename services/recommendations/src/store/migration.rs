//! The tables of recommendations.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![tables("recommendations_0001_items", ITEMS)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// An item is a product, or a SKU that an order named before anybody knew whose it is; `skus` says so afterwards. Lists of
// neighbours are read rarely and are long, so they lie apart from the figures. The indexes are the orders in which
// products are offered for want of something better.
const ITEMS: &str = "
    CREATE TABLE items (
        id uuid NOT NULL PRIMARY KEY,
        category_id uuid,
        offered boolean NOT NULL,
        version bigint NOT NULL,
        order_count bigint NOT NULL CHECK (order_count >= 0),
        demand double precision NOT NULL
    );
    CREATE INDEX items_popular ON items (demand DESC, id) WHERE offered;
    CREATE INDEX items_popular_in_category ON items (category_id, demand DESC, id) WHERE offered;
    CREATE TABLE neighbours (
        item_id uuid NOT NULL PRIMARY KEY,
        list bytea NOT NULL
    );
    CREATE TABLE skus (
        item_id uuid NOT NULL PRIMARY KEY,
        product_id uuid NOT NULL,
        occurred timestamptz NOT NULL
    );
    CREATE INDEX skus_product ON skus (product_id);
    CREATE TABLE purchases (
        customer_id uuid NOT NULL,
        item_id uuid NOT NULL,
        order_count bigint NOT NULL CHECK (order_count > 0),
        last timestamptz NOT NULL,
        PRIMARY KEY (customer_id, item_id)
    );";
