//! The tables of reviews.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![tables("reviews_0001_reviews", REVIEWS)];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// `event_version` numbers the events of a review without gaps; `version` counts changes, and some have two events.
// The indexes are the orders in which a product's approved reviews are read, and the moderators' queue.
const REVIEWS: &str = "
    CREATE TABLE reviews (
        id uuid NOT NULL PRIMARY KEY,
        product_id uuid NOT NULL,
        account_id uuid,
        external_id text UNIQUE,
        author_name text NOT NULL,
        rating integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
        title text NOT NULL,
        body text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'approved', 'rejected')),
        verified boolean NOT NULL,
        helpful bigint NOT NULL CHECK (helpful >= 0),
        unhelpful bigint NOT NULL CHECK (unhelpful >= 0),
        reports bigint NOT NULL CHECK (reports >= 0),
        rejection text,
        created timestamptz NOT NULL,
        updated timestamptz NOT NULL,
        version bigint NOT NULL,
        event_version bigint NOT NULL,
        UNIQUE (account_id, product_id)
    );
    CREATE INDEX reviews_helpful ON reviews (product_id, helpful DESC, created DESC, id DESC) WHERE state = 'approved';
    CREATE INDEX reviews_newest ON reviews (product_id, created DESC, id DESC) WHERE state = 'approved';
    CREATE INDEX reviews_rating ON reviews (product_id, rating, created DESC, id DESC) WHERE state = 'approved';
    CREATE INDEX reviews_queue ON reviews (state, created DESC, id DESC);
    CREATE INDEX reviews_author ON reviews (account_id, created DESC, id DESC);
    CREATE TABLE votes (
        review_id uuid NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
        account_id uuid NOT NULL,
        helpful boolean NOT NULL,
        PRIMARY KEY (review_id, account_id)
    );
    CREATE TABLE reports (
        review_id uuid NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
        account_id uuid NOT NULL,
        complaint text NOT NULL,
        reported timestamptz NOT NULL,
        PRIMARY KEY (review_id, account_id)
    );
    CREATE TABLE purchases (
        account_id uuid NOT NULL,
        product_id uuid NOT NULL,
        PRIMARY KEY (account_id, product_id)
    );
    CREATE TABLE summaries (
        product_id uuid NOT NULL PRIMARY KEY,
        stars1 bigint NOT NULL CHECK (stars1 >= 0),
        stars2 bigint NOT NULL CHECK (stars2 >= 0),
        stars3 bigint NOT NULL CHECK (stars3 >= 0),
        stars4 bigint NOT NULL CHECK (stars4 >= 0),
        stars5 bigint NOT NULL CHECK (stars5 >= 0)
    );";
