//! The outbox: what is carried, in which order, and what is never lost.

use chrono::DateTime;
use kit::outbox::{self, Event, MalformedEvent};
use kit::{Database, Timestamp};
use proto::common as pb;

use crate::support::databases;

fn noon() -> Timestamp {
    DateTime::from_timestamp(1_763_640_000, 123_456_000).unwrap()
}

fn event(subject: &str, version: i64) -> Event {
    let payload = pb::Money { currency_code: "GBP".to_owned(), minor_units: version };
    Event::new("order.placed", subject, version, noon(), &payload).caused_by("00-trace")
}

async fn append(database: &Database, events: &[Event]) {
    let tx = database.begin().await.unwrap();
    for event in events {
        outbox::append(&tx, event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn unsent(database: &Database) -> Vec<(String, i64)> {
    let events = kit::testing::unsent(database, 100).await.unwrap();
    events.into_iter().map(|event| (event.subject, event.subject_version)).collect()
}

#[tokio::test]
async fn an_event_comes_out_as_it_went_in() {
    for database in databases().await {
        let event = event("o-1", 1);
        append(&database, std::slice::from_ref(&event)).await;

        let read = kit::testing::unsent(&database, 10).await.unwrap();

        assert_eq!(read, [event]);
        assert_eq!(read[0].decode::<pb::Money>().unwrap().minor_units, 1);
    }
}

#[tokio::test]
async fn an_event_of_a_rolled_back_transaction_never_was() {
    for database in databases().await {
        let tx = database.begin().await.unwrap();
        outbox::append(&tx, &event("o-1", 1)).await.unwrap();
        drop(tx);

        assert_eq!(unsent(&database).await, []);
        append(&database, &[event("o-1", 1)]).await;
    }
}

#[tokio::test]
async fn a_subject_has_each_version_once() {
    for database in databases().await {
        append(&database, &[event("o-1", 1)]).await;

        let tx = database.begin().await.unwrap();
        let again = outbox::append(&tx, &event("o-1", 1)).await.unwrap_err();

        assert!(matches!(again.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))), "{again:?}");
    }
}

#[test]
fn the_envelope_carries_all_of_an_event() {
    let event = event("o-1", 1);

    let envelope = pb::Event::from(&event);

    assert_eq!(envelope.r#type, "order.placed");
    assert_eq!(Event::try_from(envelope).unwrap(), event);
}

#[test]
fn a_malformed_envelope_is_refused() {
    let whole = pb::Event::from(&event("o-1", 1));
    let wrong = [
        pb::Event { id: "1".to_owned(), ..whole.clone() },
        pb::Event { subject_version: 0, ..whole.clone() },
        pb::Event { occur_time: None, ..whole.clone() },
        pb::Event::default(),
    ];
    for envelope in wrong {
        assert_eq!(Event::try_from(envelope), Err(MalformedEvent));
    }
}
