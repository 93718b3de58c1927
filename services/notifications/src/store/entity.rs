//! The rows of notifications.

use kit::Timestamp;
use kit::outbox::{self, Event};
use sea_orm::{DbErr, QueryResult};

/// An event whose mail is still to be sent. What it says of a person stays sealed until that moment.
pub struct Waiting {
    pub event: Event,
    /// How often it was tried, the attempt for which it was claimed included.
    pub attempts: i64,
    /// Until then it is its claimer's; then it is due again.
    pub due: Timestamp,
}

impl Waiting {
    /// A row whose `event_id` was asked for as `id`.
    pub fn of(row: &QueryResult) -> Result<Waiting, DbErr> {
        Ok(Waiting {
            event: outbox::read(row)?,
            attempts: row.try_get("", "attempts")?,
            due: row.try_get("", "due")?,
        })
    }
}
