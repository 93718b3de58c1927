//! The inbox: each reader applies each event once.

use sea_orm::DbErr;

use crate::database::{Tx, execute};
use crate::id::Id;
use crate::outbox::Event;
use crate::time::Clock;

/// Whether this reader has not applied this event before. The note of it commits with the effect, so call it in
/// the transaction of the effect, and do nothing when it answers false.
pub async fn first_time(tx: &Tx, reader: &str, event_id: Id<Event>) -> Result<bool, DbErr> {
    let sql = "INSERT INTO inbox (reader, event_id, applied) VALUES ($1, $2, $3) \
               ON CONFLICT (reader, event_id) DO NOTHING";
    let values = [reader.into(), event_id.as_uuid().into(), Clock::system().now().into()];
    Ok(execute(tx, sql, values).await? == 1)
}
