//! The tables of analytics.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![tables("analytics_0001_figures", FIGURES)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// `orders`, `payments`, `cart_days` and `skus` hold what is known of each subject; `sale_days` and `sku_days` the sums of what
// the orders add, moved in the transaction of what moves them. A day is a number of days since 1970, an amount minor units.
// The goods of an order are kept with it, so that they can be taken out of the sums when it is cancelled.
const FIGURES: &str = "
    CREATE TABLE orders (
        id uuid NOT NULL PRIMARY KEY,
        day integer,
        currency text,
        country text,
        total bigint NOT NULL,
        shipping bigint NOT NULL,
        tax bigint NOT NULL,
        discounts bigint NOT NULL,
        goods text NOT NULL,
        cancelled boolean NOT NULL,
        refunded bigint NOT NULL
    );
    CREATE TABLE sale_days (
        currency text NOT NULL,
        day integer NOT NULL,
        country text COLLATE \"C\" NOT NULL,
        orders bigint NOT NULL,
        units bigint NOT NULL,
        revenue bigint NOT NULL,
        refunded bigint NOT NULL,
        cancelled_orders bigint NOT NULL,
        shipping bigint NOT NULL,
        tax bigint NOT NULL,
        discounts bigint NOT NULL,
        PRIMARY KEY (currency, day, country)
    );
    CREATE INDEX sale_days_day ON sale_days (day, currency);
    CREATE TABLE sku_days (
        currency text NOT NULL,
        day integer NOT NULL,
        sku text COLLATE \"C\" NOT NULL,
        units bigint NOT NULL,
        revenue bigint NOT NULL,
        PRIMARY KEY (currency, day, sku)
    );
    CREATE TABLE skus (
        sku text COLLATE \"C\" NOT NULL PRIMARY KEY,
        product_id uuid NOT NULL,
        told_micros bigint NOT NULL
    );
    CREATE TABLE view_days (
        day integer NOT NULL,
        product_id uuid NOT NULL,
        country text NOT NULL,
        views bigint NOT NULL,
        PRIMARY KEY (day, product_id, country)
    );
    CREATE INDEX view_days_product ON view_days (product_id, day);
    CREATE TABLE cart_days (
        cart_id uuid NOT NULL,
        day integer NOT NULL,
        added boolean NOT NULL,
        started boolean NOT NULL,
        paid boolean NOT NULL,
        PRIMARY KEY (cart_id, day)
    );
    CREATE INDEX cart_days_day ON cart_days (day);
    CREATE TABLE merges (
        guest_id uuid NOT NULL PRIMARY KEY,
        cart_id uuid NOT NULL
    );
    CREATE TABLE payments (
        id uuid NOT NULL PRIMARY KEY,
        day integer NOT NULL,
        currency text,
        authorized boolean NOT NULL,
        declined boolean NOT NULL,
        captured bigint NOT NULL,
        refunded bigint NOT NULL
    );
    CREATE INDEX payments_day ON payments (currency, day);";
