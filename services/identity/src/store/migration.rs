//! The tables of identity.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![
            tables("identity_0001_accounts", ACCOUNTS),
            tables("identity_0002_sessions", SESSIONS),
            tables("identity_0003_books", BOOKS),
            tables("identity_0004_stock_alerts", STOCK_ALERTS),
        ];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// An erased account keeps its row, as a tombstone without an address. Password hashes stand apart, so that no row of
// an account that is kept, listed or exported can carry one. `last_admin` has one row: whoever changes rights locks it.
const ACCOUNTS: &str = "
    CREATE TABLE accounts (
        id uuid NOT NULL PRIMARY KEY,
        email text UNIQUE,
        email_verified boolean NOT NULL,
        given_name text NOT NULL,
        family_name text NOT NULL,
        role text NOT NULL CHECK (role IN ('customer', 'staff', 'admin')),
        permissions text NOT NULL CHECK (permissions = '' OR role = 'staff'),
        language text NOT NULL,
        currency_code text NOT NULL,
        country_code text NOT NULL,
        marketing_mail boolean NOT NULL,
        created timestamptz NOT NULL,
        updated timestamptz NOT NULL,
        version bigint NOT NULL,
        event_version bigint NOT NULL,
        erased timestamptz,
        CHECK (email IS NOT NULL OR erased IS NOT NULL)
    );
    CREATE INDEX accounts_role ON accounts (role, id DESC) WHERE erased IS NULL;
    CREATE TABLE credentials (
        account_id uuid NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
        password_hash text NOT NULL,
        last_login timestamptz
    );
    CREATE TABLE last_admin (
        id integer NOT NULL PRIMARY KEY CHECK (id = 1),
        changes bigint NOT NULL
    );
    INSERT INTO last_admin (id, changes) VALUES (1, 0);
    CREATE TABLE signing_keys (
        id text NOT NULL PRIMARY KEY,
        generation bigint NOT NULL UNIQUE CHECK (generation > 0),
        salt bytea NOT NULL,
        public_key bytea NOT NULL,
        active_from timestamptz NOT NULL,
        not_after timestamptz NOT NULL
    );";

// No table holds a secret that would work: refresh tokens and links are kept as hashes, and so are the names of what
// throttles count.
const SESSIONS: &str = "
    CREATE TABLE sessions (
        id uuid NOT NULL PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        created timestamptz NOT NULL,
        refreshed timestamptz NOT NULL,
        expires timestamptz NOT NULL,
        ended timestamptz,
        user_agent text NOT NULL,
        network text NOT NULL
    );
    CREATE INDEX sessions_account ON sessions (account_id, id DESC);
    CREATE INDEX sessions_network ON sessions (account_id, network);
    CREATE INDEX sessions_expires ON sessions (expires);
    CREATE TABLE refresh_tokens (
        hash bytea NOT NULL PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        created timestamptz NOT NULL,
        expires timestamptz NOT NULL,
        used timestamptz
    );
    CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
    CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);
    CREATE TABLE links (
        hash bytea NOT NULL PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
        expires timestamptz NOT NULL,
        used timestamptz
    );
    CREATE INDEX links_account ON links (account_id);
    CREATE INDEX links_expires ON links (expires);
    CREATE TABLE mail_requests (
        id uuid NOT NULL PRIMARY KEY,
        kind text NOT NULL,
        email text NOT NULL,
        asked timestamptz NOT NULL,
        UNIQUE (email, kind)
    );
    CREATE TABLE throttles (
        name bytea NOT NULL PRIMARY KEY,
        subject bytea NOT NULL,
        failures bigint NOT NULL CHECK (failures >= 0),
        started timestamptz NOT NULL
    );
    CREATE INDEX throttles_subject ON throttles (subject);
    CREATE INDEX throttles_started ON throttles (started);
    CREATE TABLE login_events (
        id uuid NOT NULL PRIMARY KEY,
        account_id uuid,
        incident text NOT NULL,
        occurred timestamptz NOT NULL,
        user_agent text NOT NULL,
        network text NOT NULL
    );
    CREATE INDEX login_events_account ON login_events (account_id, id DESC);
    CREATE INDEX login_events_occurred ON login_events (occurred);";

const BOOKS: &str = "
    CREATE TABLE addresses (
        id uuid NOT NULL PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        is_default boolean NOT NULL,
        given_name text NOT NULL,
        family_name text NOT NULL,
        company text NOT NULL,
        lines text NOT NULL,
        city text NOT NULL,
        region text NOT NULL,
        postal_code text NOT NULL,
        country_code text NOT NULL,
        phone text NOT NULL
    );
    CREATE INDEX addresses_account ON addresses (account_id, id DESC);
    CREATE UNIQUE INDEX addresses_default ON addresses (account_id) WHERE is_default;
    CREATE TABLE wishlist_items (
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        product_id uuid NOT NULL,
        added timestamptz NOT NULL,
        PRIMARY KEY (account_id, product_id)
    );
    CREATE INDEX wishlist_items_newest ON wishlist_items (account_id, added DESC, product_id DESC);";

// An alert goes with its wish. `told` is the return to stock that it was told of last.
const STOCK_ALERTS: &str = "
    CREATE TABLE stock_alerts (
        account_id uuid NOT NULL,
        variant_id uuid NOT NULL,
        product_id uuid NOT NULL,
        sku text NOT NULL,
        product_title text NOT NULL,
        variant_title text NOT NULL,
        product_handle text NOT NULL,
        added timestamptz NOT NULL,
        told timestamptz,
        PRIMARY KEY (account_id, variant_id),
        FOREIGN KEY (account_id, product_id) REFERENCES wishlist_items (account_id, product_id) ON DELETE CASCADE
    );
    CREATE INDEX stock_alerts_product ON stock_alerts (account_id, product_id);
    CREATE INDEX stock_alerts_sku ON stock_alerts (sku, account_id, variant_id);";
