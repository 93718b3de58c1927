//! The same by way of RabbitMQ, where `SHOP_TEST_AMQP_URL` names one. Tests share it and keep apart by names.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Later, Reader};
use lapin::options::{BasicPublishOptions, QueueDeleteOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use news::{Letters, Outbox, PutAside, Settings, Source, Subscription, Transport, run};
use prost::Message;
use proto::common::{Event as Envelope, Money};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{Heard, Migrator, eventually, happen, happen_as, sent, watched};

pub(crate) const KNOWN: [Subscription; 2] = [
    Subscription { reader: "one", kinds: &["stock.changed"] },
    Subscription { reader: "other", kinds: &["stock.changed", "stock.counted"] },
];

/// Nothing without a broker, which is said; a full run of the project's tests starts one.
pub(crate) fn url() -> Option<String> {
    let url = std::env::var("SHOP_TEST_AMQP_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        eprintln!("not run: SHOP_TEST_AMQP_URL names no broker; `cargo xtask test` starts one");
    }
    url
}

pub(crate) fn shop() -> Option<(String, Settings)> {
    watched();
    let (url, name) = (url()?, format!("test-{}", Uuid::now_v7().simple()));
    Some((name.clone(), Settings::new(&url, KNOWN.to_vec()).unwrap().named(&name)))
}

/// One process of several: with outboxes, readers, or both.
pub(crate) fn process(
    outboxes: &[&Database],
    readers: Vec<Reader>,
    settings: &Settings,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let source = |database: &&Database| Source { service: "inventory", database: (*database).clone() };
    let sources = outboxes.iter().map(source).collect();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run(sources, readers, Transport::RabbitMq(settings.clone()), async {
        drop(stopped.await);
    }));
    (stop, running)
}

pub(crate) async fn end(processes: Vec<(oneshot::Sender<()>, JoinHandle<()>)>) {
    for (stop, running) in processes {
        stop.send(()).unwrap();
        running.await.unwrap();
    }
}

pub(crate) async fn store() -> Database {
    kit::testing::sqlite::<Migrator>().await
}

#[tokio::test]
async fn each_reader_hears_each_event_once_in_order_and_in_its_trace() {
    let Some((_, settings)) = shop() else { return };
    let never = Arc::new(AtomicBool::new(false));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (outbox, at_one, at_other) = (store().await, store().await, store().await);
    let (one, other) = (Heard::default(), Heard::default());
    for version in 1..=30 {
        happen_as(&outbox, "stock.changed", "a", version, trace).await;
        happen(&outbox, "b", version).await;
    }

    // Nobody has ever read there, and yet nothing is lost.
    let publishing = process(&[&outbox], vec![], &settings);
    while !sent(&outbox).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reading = vec![
        process(&[], vec![one.reader("one", &at_one, &never)], &settings),
        process(&[], vec![other.reader("other", &at_other, &never)], &settings),
        // A second replica of the same service.
        process(&[], vec![one.reader("one", &at_one, &never)], &settings),
    ];
    eventually(|| one.all().len() == 60 && other.all().len() == 60).await;
    end(reading.into_iter().chain([publishing]).collect()).await;

    for heard in [one, other] {
        assert_eq!(heard.of("a"), (1..=30).collect::<Vec<_>>());
        assert_eq!(heard.of("b"), (1..=30).collect::<Vec<_>>());
        let traces = heard.traces.lock().unwrap().clone();
        let of_the_cause = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
        assert_eq!(traces.iter().filter(|trace| **trace == of_the_cause).count(), 30);
    }
}

#[tokio::test]
async fn an_event_that_fills_many_frames_arrives_whole_and_in_its_place() {
    let Some((_, settings)) = shop() else { return };
    let outbox = store().await;
    let lengths = Arc::new(Mutex::new(Vec::new()));
    let tx = outbox.begin().await.unwrap();
    for (version, length) in (1..).zip([10, 2 << 20, 10]) {
        let payload = Money { currency_code: "x".repeat(length), minor_units: 0 };
        let event = Event::new("stock.changed", "a", version, Clock::system().now(), &payload);
        outbox::append(&tx, &event).await.unwrap();
    }
    tx.commit().await.unwrap();

    let heard = lengths.clone();
    let one = Reader::new("one", KNOWN[0].kinds, move |event| {
        heard.lock().unwrap().push(event.decode::<Money>().unwrap().currency_code.len());
        async { Ok(()) }
    });
    let shop = process(&[&outbox], vec![one], &settings);
    eventually(|| lengths.lock().unwrap().len() == 3).await;
    end(vec![shop]).await;

    assert_eq!(*lengths.lock().unwrap(), [10, 2 << 20, 10]);
}

#[tokio::test]
async fn an_event_that_nobody_reads_does_not_stay() {
    let Some((_, settings)) = shop() else { return };
    let outbox = store().await;
    happen_as(&outbox, "stock.forgotten", "a", 1, "").await;

    let publishing = process(&[&outbox], vec![], &settings);
    while !sent(&outbox).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    end(vec![publishing]).await;
}

#[tokio::test]
async fn a_queue_that_somebody_deleted_is_declared_again_before_the_next_event_is_lost() {
    let Some((name, settings)) = shop() else { return };
    let never = Arc::new(AtomicBool::new(false));
    let (outbox, at_other, heard) = (store().await, store().await, Heard::default());
    happen_as(&outbox, "stock.counted", "a", 1, "").await;
    let publishing = process(&[&outbox], vec![], &settings);
    while !sent(&outbox).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let connection = Connection::connect(&url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{name}.other");
    channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();

    happen_as(&outbox, "stock.counted", "a", 2, "").await;
    while !sent(&outbox).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let inner = heard.reader("other", &at_other, &never);
    let other = Reader::new("other", KNOWN[1].kinds, move |event| (inner.apply)(event));
    let reading = process(&[], vec![other], &settings);
    eventually(|| heard.of("a") == [2]).await;
    end(vec![reading, publishing]).await;
}

#[tokio::test]
async fn a_poison_ends_among_the_dead_letters_while_others_go_on_and_is_brought_back_once() {
    let Some((_, settings)) = shop() else { return };
    let poison = Arc::new(AtomicBool::new(true));
    let (outbox, at_one, heard) = (store().await, store().await, Heard::default());
    let never = Arc::new(AtomicBool::new(false));
    let (inner, poisonous) = (heard.reader("one", &at_one, &never), poison.clone());
    let reader = Reader::new("one", &["stock.changed"], move |event| {
        let (inner, poison) = (inner.clone(), poisonous.clone());
        async move {
            let harmless = event.subject != "s-7" || event.subject_version != 10;
            assert!(harmless || !poison.load(Ordering::SeqCst), "on purpose");
            (inner.apply)(event).await
        }
    });
    let tx = outbox.begin().await.unwrap();
    for subject in 0..50 {
        for version in 1..=20 {
            let event = Event { subject_version: version, ..new_event(&format!("s-{subject}")) };
            outbox::append(&tx, &event).await.unwrap();
        }
    }
    tx.commit().await.unwrap();

    let shop = vec![process(&[&outbox], vec![], &settings), process(&[], vec![reader], &settings)];
    eventually(|| heard.all().len() == 999).await;
    let letters = Letters::RabbitMq(settings.clone(), vec![]);
    let mut dead = letters.list("one").await.unwrap().events;
    while dead.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        dead = letters.list("one").await.unwrap().events;
    }
    // Looking changes nothing.
    assert_eq!(letters.list("one").await.unwrap().events.len(), 1);
    assert_eq!((dead[0].subject.as_str(), dead[0].subject_version), ("s-7", 10));
    assert_eq!(letters.retry("one", Some(kit::Id::new())).await.unwrap().events, 0);

    poison.store(false, Ordering::SeqCst);
    assert_eq!(letters.retry("one", Some(dead[0].id)).await.unwrap().events, 1);
    eventually(|| heard.all().len() == 1_000).await;
    assert_eq!(letters.retry("one", None).await.unwrap().events, 0);
    end(shop).await;
    assert_eq!(heard.of("s-7").last(), Some(&10));
}

#[tokio::test]
async fn what_waits_for_something_else_outlives_many_restarts_of_its_reader() {
    let Some((_, settings)) = shop() else { return };
    let (outbox, at_one, heard) = (store().await, store().await, Heard::default());
    let (away, never) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let reader = || {
        let (inner, away) = (heard.reader("one", &at_one, &never), away.clone());
        let heard = heard.clone();
        Reader::new("one", &["stock.changed"], move |event| {
            let (inner, away, heard) = (inner.clone(), away.clone(), heard.clone());
            async move {
                if away.load(Ordering::SeqCst) {
                    heard.attempts.fetch_add(1, Ordering::SeqCst);
                    return Err(Later("a store is away".into()).into());
                }
                (inner.apply)(event).await
            }
        })
    };
    for subject in 0..10 {
        happen(&outbox, &format!("s-{subject}"), 1).await;
    }
    let publishing = process(&[&outbox], vec![], &settings);

    for _ in 0..8 {
        let before = heard.attempts.load(Ordering::SeqCst);
        let reading = process(&[], vec![reader()], &settings);
        eventually(|| heard.attempts.load(Ordering::SeqCst) >= before + 10).await;
        end(vec![reading]).await;
    }
    away.store(false, Ordering::SeqCst);
    let reading = process(&[], vec![reader()], &settings);
    eventually(|| heard.all().len() == 10).await;
    let dead = Letters::RabbitMq(settings.clone(), vec![]).list("one").await.unwrap();
    end(vec![reading, publishing]).await;

    assert_eq!(dead, PutAside::default());
}

pub(crate) fn new_event(subject: &str) -> Event {
    Event::new("stock.changed", subject, 1, Clock::system().now(), &Money::default())
}

#[tokio::test]
async fn duplicates_and_shuffled_events_have_their_effect_once() {
    let Some((name, settings)) = shop() else { return };
    let never = Arc::new(AtomicBool::new(false));
    let (at_one, heard) = (store().await, Heard::default());
    let events: Vec<Event> =
        (1..=1_000).map(|version| Event { subject_version: version, ..new_event("a") }).collect();
    let reading = process(&[], vec![heard.reader("one", &at_one, &never)], &settings);
    let connection = Connection::connect(&url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let exchange = format!("{name}.events");
    let queue = format!("{name}.one");
    let passive = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    // A passive declaration of what is not there yet closes the channel, so each try has its own.
    loop {
        let looking = connection.create_channel().await.unwrap();
        if looking.queue_declare(queue.as_str().into(), passive, Default::default()).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;

    for window in events.chunks(50) {
        let shuffled = window.iter().rev().chain(window.iter().step_by(5));
        for event in shuffled {
            let body = Envelope::from(event).encode_to_vec();
            let options = BasicPublishOptions::default();
            let properties = BasicProperties::default();
            channel
                .basic_publish(exchange.as_str().into(), "stock.changed".into(), options, &body, properties)
                .await
                .unwrap();
        }
    }
    eventually(|| heard.attempts.load(Ordering::SeqCst) == 1_200).await;
    end(vec![reading]).await;

    let mut versions = heard.of("a");
    assert_ne!(versions, (1..=1_000).collect::<Vec<_>>());
    versions.sort_unstable();
    assert_eq!(versions, (1..=1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_lives_everywhere_hears_every_event_in_every_process() {
    let Some((_, settings)) = shop() else { return };
    let outbox = store().await;
    let (one, other) = (Heard::default(), Heard::default());
    // Each is told so once it is there to hear.
    let there = Arc::new(AtomicUsize::new(0));
    let everywhere = |heard: &Heard| {
        let (heard, there) = (heard.clone(), there.clone());
        Reader::everywhere("index", &["stock.changed"], move |event| {
            heard.events.lock().unwrap().push((event.subject, event.subject_version));
            async { Ok(()) }
        })
        .when_missed(move || {
            let there = there.clone();
            async move {
                there.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let reading = [
        process(&[], vec![everywhere(&one)], &settings),
        process(&[&outbox], vec![everywhere(&other)], &settings),
    ];
    eventually(|| there.load(Ordering::SeqCst) >= 2).await;

    for version in 1..=5 {
        happen(&outbox, "a", version).await;
    }
    eventually(|| one.of("a").last() == Some(&5) && other.of("a").last() == Some(&5)).await;
    end(reading.into()).await;
}

#[tokio::test]
async fn a_replay_goes_to_one_reader_alone() {
    let Some((_, settings)) = shop() else { return };
    let never = Arc::new(AtomicBool::new(false));
    let (outbox, at_one, at_other) = (store().await, store().await, store().await);
    let (one, other) = (Heard::default(), Heard::default());
    let began = Clock::system().now();
    for version in 1..=20 {
        happen(&outbox, "a", version).await;
    }
    let shop = vec![
        process(&[&outbox], vec![one.reader("one", &at_one, &never)], &settings),
        process(&[], vec![other.reader("other", &at_other, &never)], &settings),
    ];
    eventually(|| one.all().len() == 20 && other.all().len() == 20).await;
    kit::execute(at_one.write(), "DELETE FROM inbox", []).await.unwrap();

    let outboxes = vec![Outbox::Table(Source { service: "inventory", database: outbox.clone() })];
    let letters = Letters::RabbitMq(settings.clone(), outboxes);
    assert_eq!(letters.replay(&KNOWN[0], began).await.unwrap(), 20);
    eventually(|| one.all().len() == 40).await;
    end(shop).await;

    assert_eq!(one.of("a"), (1..=20).chain(1..=20).collect::<Vec<_>>());
    assert_eq!(other.attempts.load(Ordering::SeqCst), 20);
}
