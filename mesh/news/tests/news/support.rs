//! A service with nothing but an outbox and an inbox, and what tests of it share.

use std::sync::OnceLock;
use std::time::Duration;

use kit::kit_migrations;
use observability::{Guard, LogFormat, Settings};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit_migrations()
    }
}

pub(crate) async fn eventually(what: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within ten seconds");
}

/// Switches metrics and trace ids on, once for all tests of this binary.
pub(crate) fn watched() -> &'static Guard {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let guard = observability::init(&Settings {
            service: "test".to_owned(),
            log_format: LogFormat::Json,
            log_filter: "off".to_owned(),
            otlp_endpoint: None,
        })
        .unwrap();
        // A test that fails should say why.
        drop(std::panic::take_hook());
        guard
    })
}
