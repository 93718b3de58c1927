//! The outbox: a change and its event commit together, and a relay carries the event to its readers.

use prost::Message;
use proto::common as pb;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::database::{ROWS_PER_STATEMENT_MAX, Tx, execute, tuples};
use crate::id::Id;
use crate::time::{self, Timestamp};

const COLUMN_TYPES: [&str; 8] = ["uuid", "text", "text", "bigint", "timestamptz", "text", "integer", "bytea"];

/// What happened to one subject. The payload is a message of its owner's contract, a person's data in it sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Each reader applies an id once.
    pub id: Id<Event>,
    /// Owner and what happened: "order.placed".
    pub kind: String,
    /// The id of what changed.
    pub subject: String,
    /// 1, 2, 3 … per subject, without gaps.
    pub subject_version: i64,
    /// When it happened.
    pub occurred: Timestamp,
    /// W3C trace context of the cause; empty when there was none.
    pub traceparent: String,
    /// Version of the payload's package: 1 for `v1`.
    pub schema_version: i32,
    /// The encoded message.
    pub payload: Vec<u8>,
}

/// The envelope is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event: its id, version or time is malformed")]
pub struct MalformedEvent;

impl Event {
    /// A new event with a payload of the first schema version and no trace context.
    pub fn new<M: Message>(
        kind: &str,
        subject: impl ToString,
        subject_version: i64,
        occurred: Timestamp,
        payload: &M,
    ) -> Self {
        Self {
            id: Id::new(),
            kind: kind.to_owned(),
            subject: subject.to_string(),
            subject_version,
            occurred: time::truncate(occurred),
            traceparent: String::new(),
            schema_version: 1,
            payload: payload.encode_to_vec(),
        }
    }

    /// The same event, with the trace context of its cause.
    pub fn caused_by(self, traceparent: impl Into<String>) -> Self {
        Self { traceparent: traceparent.into(), ..self }
    }

    /// The payload as the message that `kind` names.
    pub fn decode<M: Message + Default>(&self) -> Result<M, prost::DecodeError> {
        M::decode(self.payload.as_slice())
    }
}

/// Writes an event in the transaction of its cause. Fails when the subject has an event of this version already.
pub async fn append(tx: &Tx, event: &Event) -> Result<(), DbErr> {
    append_all(tx, std::slice::from_ref(event)).await
}

/// Writes events in the transaction of their cause, with few statements: whoever writes keeps others from writing.
pub async fn append_all(tx: &Tx, events: &[Event]) -> Result<(), DbErr> {
    for events in events.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "INSERT INTO outbox \
             (id, kind, subject, subject_version, occurred, traceparent, schema_version, payload) VALUES {}",
            tuples(tx.get_database_backend(), events.len(), &COLUMN_TYPES)
        );
        execute(tx, &sql, events.iter().flat_map(values)).await?;
    }
    Ok(())
}

fn values(event: &Event) -> [Value; 8] {
    [
        event.id.as_uuid().into(),
        event.kind.clone().into(),
        event.subject.clone().into(),
        event.subject_version.into(),
        event.occurred.into(),
        event.traceparent.clone().into(),
        event.schema_version.into(),
        event.payload.clone().into(),
    ]
}

/// An event from a row of the outbox.
pub fn read(row: &QueryResult) -> Result<Event, DbErr> {
    Ok(Event {
        id: Id::from_uuid(row.try_get::<Uuid>("", "id")?),
        kind: row.try_get("", "kind")?,
        subject: row.try_get("", "subject")?,
        subject_version: row.try_get("", "subject_version")?,
        occurred: row.try_get("", "occurred")?,
        traceparent: row.try_get("", "traceparent")?,
        schema_version: row.try_get("", "schema_version")?,
        payload: row.try_get("", "payload")?,
    })
}

impl From<&Event> for pb::Event {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            r#type: event.kind.clone(),
            subject: event.subject.clone(),
            subject_version: event.subject_version,
            occur_time: Some(time::to_proto(event.occurred)),
            traceparent: event.traceparent.clone(),
            schema_version: event.schema_version,
            payload: event.payload.clone(),
        }
    }
}

impl TryFrom<pb::Event> for Event {
    type Error = MalformedEvent;

    fn try_from(event: pb::Event) -> Result<Self, MalformedEvent> {
        let version = Some(event.subject_version).filter(|version| *version > 0).ok_or(MalformedEvent)?;
        Ok(Self {
            id: event.id.parse().map_err(|_| MalformedEvent)?,
            kind: event.r#type,
            subject: event.subject,
            subject_version: version,
            occurred: event.occur_time.as_ref().and_then(time::from_proto).ok_or(MalformedEvent)?,
            traceparent: event.traceparent,
            schema_version: event.schema_version,
            payload: event.payload,
        })
    }
}
