//! Events that a reader cannot apply, where one process carries all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Later, Reader};
use news::{Letters, Source, Subscription};

use crate::support::{Heard, Migrator, eventually, happen, sent, start, watched};

fn letters(database: &Database) -> Letters {
    Letters::Stores(vec![Source { service: "inventory", database: database.clone() }])
}

/// The same reader, for which the second version of `bad` is a poison as long as it is told so.
fn poisoned(heard: &Heard, database: &Database, poison: &Arc<AtomicBool>) -> Reader {
    let (never, poison) = (Arc::new(AtomicBool::new(false)), poison.clone());
    let inner = heard.reader("one", database, &never);
    Reader::new("one", &["stock.changed"], move |event| {
        let (inner, poison) = (inner.clone(), poison.clone());
        async move {
            if event.subject == "bad" && event.subject_version == 2 && poison.load(Ordering::SeqCst) {
                panic!("on purpose");
            }
            (inner.apply)(event).await
        }
    })
}

#[tokio::test]
async fn a_poison_is_put_aside_after_five_attempts_and_brought_back_once() {
    watched();
    for database in kit::testing::databases::<Migrator>().await {
        let (heard, poison) = (Heard::default(), Arc::new(AtomicBool::new(true)));
        for version in 1..=3 {
            happen(&database, "bad", version).await;
            happen(&database, "good", version).await;
        }

        let (stop, running) = start(&database, vec![poisoned(&heard, &database, &poison)]);
        eventually(|| heard.of("good") == [1, 2, 3] && heard.of("bad") == [1]).await;
        eventually(|| heard.of("bad") == [1, 3]).await;

        let letters = letters(&database);
        let dead = letters.list("one").await.unwrap().events;
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].subject.as_str(), dead[0].subject_version), ("bad", 2));
        assert!(letters.list("other").await.unwrap().events.is_empty());

        poison.store(false, Ordering::SeqCst);
        assert_eq!(letters.retry("one", Some(dead[0].id)).await.unwrap().events, 1);
        assert_eq!(letters.retry("one", None).await.unwrap().events, 0);
        eventually(|| heard.of("bad") == [1, 3, 2]).await;
        stop.send(()).unwrap();
        running.await.unwrap();
        assert!(letters.list("one").await.unwrap().events.is_empty() && sent(&database).await);
    }
}

#[tokio::test]
async fn a_long_backlog_of_another_subject_forgives_no_failure() {
    watched();
    for database in kit::testing::databases::<Migrator>().await {
        let poisoned = Arc::new(AtomicUsize::new(0));
        let attempts = poisoned.clone();
        let reader = Reader::new("one", &["stock.changed"], move |event| {
            let attempts = attempts.clone();
            async move {
                match event.subject.as_str() {
                    "bad" => attempts.fetch_add(1, Ordering::SeqCst),
                    _ => return Err(Later("a store is away".into()).into()),
                };
                Err("it is a poison".into())
            }
        });
        let now = Clock::system().now();
        let event = |subject, version| {
            Event::new("stock.changed", subject, version, now, &proto::common::Money::default())
        };
        let mut events: Vec<Event> = (1..=600).map(|version| event("long", version)).collect();
        events.push(event("bad", 1));
        let tx = database.begin().await.unwrap();
        outbox::append_all(&tx, &events).await.unwrap();
        tx.commit().await.unwrap();

        let (stop, running) = start(&database, vec![reader]);
        let letters = letters(&database);
        // Both are due together, each time.
        let hurry = "UPDATE outbox_claims SET until = $1 WHERE failures > 0 AND owner IS NULL \
                     AND 2 = (SELECT COUNT(*) FROM outbox_claims WHERE owner IS NULL AND failures > 0)";
        while letters.list("one").await.unwrap().events.is_empty() {
            kit::execute(database.write(), hurry, [Clock::system().now().into()]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.send(()).unwrap();
        running.await.unwrap();

        assert_eq!(poisoned.load(Ordering::SeqCst), 5);
    }
}

#[tokio::test]
async fn an_event_whose_reader_waits_for_something_else_is_never_put_aside() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let heard = Heard::default();
    let hearing = heard.clone();
    let reader = Reader::new("one", &["stock.changed"], move |event| {
        let heard = hearing.clone();
        async move {
            let before = heard.attempts.fetch_add(1, Ordering::SeqCst);
            if before < 5 {
                return Err(Later("the mail server is away".into()).into());
            }
            heard.events.lock().unwrap().push((event.subject, event.subject_version));
            Ok(())
        }
    });
    happen(&database, "a", 1).await;

    let (stop, running) = start(&database, vec![reader]);
    let hurry = "UPDATE outbox_claims SET until = $1 WHERE failures > 0";
    while heard.all().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        kit::execute(database.write(), hurry, [Clock::system().now().into()]).await.unwrap();
    }
    stop.send(()).unwrap();
    running.await.unwrap();

    assert_eq!(heard.attempts.load(Ordering::SeqCst), 6);
    assert!(letters(&database).list("one").await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_replay_brings_what_a_store_that_was_set_back_has_lost() {
    watched();
    for database in kit::testing::databases::<Migrator>().await {
        let never = Arc::new(AtomicBool::new(false));
        let heard = Heard::default();
        let began = Clock::system().now();
        for version in 1..=4 {
            happen(&database, "a", version).await;
        }
        let (stop, running) = start(&database, vec![heard.reader("one", &database, &never)]);
        eventually(|| heard.all().len() == 4).await;
        stop.send(()).unwrap();
        running.await.unwrap();
        // The reader's store is set back to when it had applied two of the four.
        let last = "DELETE FROM inbox WHERE event_id IN (SELECT id FROM outbox WHERE subject_version > 2)";
        kit::execute(database.write(), last, []).await.unwrap();

        let to = Subscription { reader: "one", kinds: &["stock.changed"] };
        let count = letters(&database).replay(&to, began).await.unwrap();
        let later = letters(&database).replay(&to, Clock::system().now()).await.unwrap();
        let (stop, running) = start(&database, vec![heard.reader("one", &database, &never)]);
        eventually(|| heard.all().len() == 6).await;
        stop.send(()).unwrap();
        running.await.unwrap();

        assert_eq!((count, later), (4, 0));
        assert_eq!(heard.of("a"), [1, 2, 3, 4, 3, 4]);
    }
}
