//! The tables of notifications.

use kit::{kit_migrations, tables};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Makes the tables, step by step.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let own = vec![
            tables("notifications_0001_waiting_mails", WAITING_MAILS),
            tables("notifications_0002_owners", OWNERS),
        ];
        kit_migrations().into_iter().chain(own).collect()
    }
}

// Beside the inbox, which knows every event that was taken, stands the part of it whose mails have not gone yet, with
// the state of their attempts. A row goes when its mail is taken or given up.
const WAITING_MAILS: &str = "
    CREATE TABLE waiting_mails (
        event_id uuid NOT NULL PRIMARY KEY,
        kind text NOT NULL,
        subject text NOT NULL,
        subject_version bigint NOT NULL,
        occurred timestamptz NOT NULL,
        traceparent text NOT NULL,
        schema_version integer NOT NULL,
        payload bytea NOT NULL,
        attempts bigint NOT NULL CHECK (attempts >= 0),
        due timestamptz NOT NULL
    );
    CREATE INDEX waiting_mails_due ON waiting_mails (due);
    CREATE INDEX waiting_mails_subject ON waiting_mails (subject);";

// To which account a mail goes: the subject of an order's is the order. Empty for guests, and where the event does not say.
const OWNERS: &str = "
    ALTER TABLE waiting_mails ADD COLUMN account_id uuid;
    CREATE INDEX waiting_mails_account ON waiting_mails (account_id) WHERE account_id IS NOT NULL;";
