//! The rows of notifications.

use kit::Timestamp;
use kit::outbox::Event;
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

/// An event whose mail is still to be sent. What it says of a person stays sealed until that moment.
pub struct Waiting {
    pub event: Event,
    /// How often it was tried, the attempt for which it was claimed included.
    pub attempts: i64,
    /// Until then it is its claimer's; then it is due again.
    pub due: Timestamp,
}

impl Waiting {
    pub fn of(row: &QueryResult) -> Result<Waiting, DbErr> {
        Ok(Waiting {
            event: Event {
                id: kit::Id::from_uuid(row.try_get::<Uuid>("", "event_id")?),
                kind: row.try_get("", "kind")?,
                subject: row.try_get("", "subject")?,
                subject_version: row.try_get("", "subject_version")?,
                occurred: row.try_get("", "occurred")?,
                traceparent: row.try_get("", "traceparent")?,
                schema_version: row.try_get("", "schema_version")?,
                payload: row.try_get("", "payload")?,
            },
            attempts: row.try_get("", "attempts")?,
            due: row.try_get("", "due")?,
        })
    }
}
