//! What is carried, in which order, and what is never lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use kit::kit_migrations;
use proptest::prelude::*;
use proto::common::Money;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::*;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit_migrations()
    }
}

fn noon() -> Timestamp {
    "2025-11-20T12:00:00.123456Z".parse().unwrap()
}

fn event(subject: &str, version: i64) -> Event {
    Event::new("order.placed", subject, version, noon(), &Money::default())
}

async fn append(database: &Database, events: &[Event]) {
    let tx = database.begin().await.unwrap();
    for event in events {
        outbox::append(&tx, event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn unsent(database: &Database) -> Vec<(String, i64)> {
    let events = unsent_of(database, 100, &all(&["o-1", "o-2"]), false).await.unwrap();
    events.into_iter().map(|event| (event.subject, event.subject_version)).collect()
}

fn all(subjects: &[&str]) -> Vec<String> {
    subjects.iter().map(ToString::to_string).collect()
}

fn names(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(subject, version)| ((*subject).to_owned(), *version)).collect()
}

#[tokio::test]
async fn what_is_sent_is_not_carried_again_and_sending_wakes_nobody() {
    for database in kit::testing::databases::<Migrator>().await {
        let events: Vec<Event> = (1..=1_200).map(|version| event("o-1", version)).collect();
        append(&database, &events).await;
        let mut changes = database.changes();
        changes.mark_unchanged();

        let ids: Vec<Id<Event>> = events[..1_199].iter().map(|event| event.id).collect();
        mark_sent(&database, &ids, noon()).await.unwrap();

        assert_eq!(unsent(&database).await, names(&[("o-1", 1_200)]));
        assert!(!changes.has_changed().unwrap());
        mark_sent(&database, &[], noon()).await.unwrap();
    }
}

#[tokio::test]
async fn the_oldest_events_are_carried_first() {
    for database in kit::testing::databases::<Migrator>().await {
        let events: Vec<Event> =
            ["d", "b", "e", "a", "c"].into_iter().map(|subject| event(subject, 1)).collect();
        let shuffled: Vec<Event> = [3, 1, 4, 0, 2].map(|index| events[index].clone()).into();
        append(&database, &shuffled).await;

        let read = unsent_of(&database, 4, &all(&["a", "b", "c", "d", "e"]), false).await.unwrap();

        assert_eq!(read, events[..4]);
    }
}

#[tokio::test]
async fn versions_come_in_order_although_their_ids_do_not() {
    for database in kit::testing::databases::<Migrator>().await {
        // The second version was written by a process whose clock is behind.
        let (behind, ahead) = (event("o-1", 2), event("o-1", 1));
        let (third, other) = (event("o-1", 3), event("o-2", 1));
        append(&database, &[ahead.clone(), behind.clone(), third.clone(), other.clone()]).await;

        assert_eq!(unsent(&database).await, names(&[("o-1", 1), ("o-2", 1)]));
        let first = unsent_of(&database, 100, &all(&["o-1"]), true).await.unwrap();
        assert_eq!((first.len(), first[0].subject_version), (1, 1));
        mark_sent(&database, &[ahead.id, other.id], noon()).await.unwrap();
        assert_eq!(unsent(&database).await, names(&[("o-1", 2), ("o-1", 3)]));
    }
}

#[tokio::test]
async fn only_the_subjects_that_are_named_are_read() {
    for database in kit::testing::databases::<Migrator>().await {
        append(&database, &[event("stuck", 1), event("stuck", 2), event("fine", 1)]).await;

        let others = unsent_of(&database, 1, &all(&["fine"]), false).await.unwrap();
        let none = unsent_of(&database, 1, &[], false).await.unwrap();

        assert_eq!(others[0].subject, "fine");
        assert!(none.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever order the ids have: carried batch by batch, each subject's versions come 1, 2, 3 … and all of them.
    #[test]
    fn every_event_is_carried_once_and_in_its_subjects_order(
        order in Just((0..24_usize).collect::<Vec<_>>()).prop_shuffle(),
        limit in 1_u64..8,
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let database = kit::testing::sqlite::<Migrator>().await;
            let mut ids: Vec<Id<Event>> = order.iter().map(|_| Id::new()).collect();
            let mut events = vec![];
            for (position, number) in order.iter().enumerate() {
                let (subject, version) = (format!("s-{}", number % 3), (number / 3 + 1) as i64);
                events.push(Event { id: ids[position], ..event(&subject, version) });
            }
            append(&database, &events).await;

            let mut next: HashMap<String, i64> = HashMap::new();
            let mut carried = 0;
            loop {
                let batch = unsent_of(&database, limit, &all(&["s-0", "s-1", "s-2"]), false).await.unwrap();
                if batch.is_empty() { break }
                ids.clear();
                for event in batch {
                    let next = next.entry(event.subject).or_insert(1);
                    assert_eq!(event.subject_version, *next);
                    *next += 1;
                    carried += 1;
                    ids.push(event.id);
                }
                mark_sent(&database, &ids, noon()).await.unwrap();
            }
            assert_eq!(carried, 24);
        });
    }
}
