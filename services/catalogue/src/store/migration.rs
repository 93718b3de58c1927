//! The tables. A product is one row: what is only shown stands in it as JSON, what is looked for has a table.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All migrations of the catalogue's store.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit_migrations();
        migrations.push(tables("catalogue_0001_products", PRODUCTS));
        migrations.push(tables("catalogue_0002_collections", COLLECTIONS));
        migrations
    }
}

// Times are microseconds. The long columns stand last: SQLite reads a row only as far as it must.
// `listed`, `title_key` and `created` carry the state in their index, so that a list for everybody
// never opens the row of a draft.
const PRODUCTS: &str = r#"
    CREATE TABLE categories (
        id uuid NOT NULL PRIMARY KEY,
        parent uuid REFERENCES categories (id),
        slug text NOT NULL,
        name text NOT NULL,
        position integer NOT NULL,
        path text COLLATE "C" NOT NULL UNIQUE,
        CHECK (length(slug) > 0)
    );
    CREATE TABLE products (
        id uuid NOT NULL PRIMARY KEY,
        handle text COLLATE "C" NOT NULL UNIQUE,
        state text NOT NULL CHECK (state IN ('draft', 'active', 'archived')),
        listed bigint NOT NULL,
        created bigint NOT NULL,
        updated bigint NOT NULL,
        published bigint,
        version bigint NOT NULL CHECK (version > 0),
        category uuid REFERENCES categories (id),
        title text NOT NULL,
        title_key text COLLATE "C" NOT NULL,
        vendor text NOT NULL,
        product_type text NOT NULL,
        seo_title text NOT NULL,
        seo_description text NOT NULL,
        tags text NOT NULL,
        options text NOT NULL,
        media text NOT NULL,
        variants text NOT NULL,
        description text NOT NULL,
        CHECK ((state = 'active') = (published IS NOT NULL))
    );
    CREATE INDEX products_listed ON products (listed, id, state);
    CREATE INDEX products_title ON products (title_key, id, state);
    CREATE INDEX products_created ON products (created, id, state);
    CREATE INDEX products_category ON products (category, state, listed, id);
    CREATE INDEX products_vendor ON products (vendor, state, listed, id);
    CREATE INDEX products_type ON products (product_type, state, listed, id);
    CREATE TABLE variants (
        id uuid NOT NULL PRIMARY KEY,
        product uuid NOT NULL REFERENCES products (id),
        sku text COLLATE "C" NOT NULL UNIQUE
    );
    CREATE TABLE product_prices (
        product uuid NOT NULL REFERENCES products (id),
        currency text NOT NULL,
        lowest bigint NOT NULL CHECK (lowest >= 0),
        PRIMARY KEY (product, currency)
    );
    CREATE INDEX product_prices_lowest ON product_prices (currency, lowest, product);
    CREATE TABLE product_tags (
        product uuid NOT NULL REFERENCES products (id),
        tag text COLLATE "C" NOT NULL,
        PRIMARY KEY (product, tag)
    );
    CREATE INDEX product_tags_tag ON product_tags (tag, product);
    CREATE TABLE product_words (
        product uuid NOT NULL PRIMARY KEY REFERENCES products (id),
        words text NOT NULL
    );
"#;

const COLLECTIONS: &str = r#"
    CREATE TABLE collections (
        id uuid NOT NULL PRIMARY KEY,
        handle text COLLATE "C" NOT NULL UNIQUE,
        title text NOT NULL,
        title_key text COLLATE "C" NOT NULL,
        description text NOT NULL,
        updated bigint NOT NULL,
        version bigint NOT NULL CHECK (version > 0)
    );
    CREATE INDEX collections_title ON collections (title_key, id);
    CREATE TABLE collection_products (
        collection uuid NOT NULL REFERENCES collections (id),
        position integer NOT NULL,
        product uuid NOT NULL REFERENCES products (id),
        PRIMARY KEY (collection, position),
        UNIQUE (collection, product)
    );
    CREATE INDEX collection_products_product ON collection_products (product);
"#;
