//! An outbox in Redis, where `SHOP_TEST_REDIS_URL` names one and there is a broker. Tests share both and keep apart by names.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use kit::Clock;
use kit::outbox::Event;
use news::{Letters, Outbox, Settings, Stream, run_stream};
use prost::Message;
use proto::common::{Event as Envelope, Money};
use redis::AsyncCommands;
use redis::aio::ConnectionManagerConfig;
use redis::streams::StreamRangeReply;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::broker::{KNOWN, end, process, shop};
use crate::support::{Heard, Migrator, eventually, eventually_so};

const FIELD: &str = "event";
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// An outbox of this test alone, and the broker; nothing without the servers, which is said.
async fn outbox() -> Option<(Stream, Settings)> {
    let Some(url) = std::env::var("SHOP_TEST_REDIS_URL").ok().filter(|url| !url.is_empty()) else {
        eprintln!("not run: SHOP_TEST_REDIS_URL names no Redis; `cargo xtask test` starts one");
        return None;
    };
    let (name, settings) = shop()?;
    let client = redis::Client::open(url).unwrap();
    // A busy machine may take its time.
    let patient = ConnectionManagerConfig::new().set_response_timeout(Some(ANSWER_TIME_MAX));
    let connection = client.get_connection_manager_with_config(patient).await.unwrap();
    let stream = Stream { service: "cart", connection, key: format!("{name}:outbox"), field: FIELD };
    Some((stream, settings))
}

async fn append(stream: &Stream, subject: &str, version: i64) {
    let event = Event::new("stock.changed", subject, version, Clock::system().now(), &Money::default());
    enter(stream, FIELD, &Envelope::from(&event).encode_to_vec()).await;
}

async fn enter(stream: &Stream, field: &str, value: &[u8]) {
    stream.connection.clone().xadd::<_, _, _, _, ()>(&stream.key, "*", &[(field, value)]).await.unwrap();
}

async fn all(stream: &Stream, key: &str) -> StreamRangeReply {
    stream.connection.clone().xrange_all(key).await.unwrap()
}

fn relay(stream: &Stream, settings: &Settings) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run_stream(stream.clone(), settings.clone(), async {
        drop(stopped.await);
    }));
    (stop, running)
}

async fn reader(heard: &Heard, settings: &Settings) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (store, never) = (kit::testing::sqlite::<Migrator>().await, Arc::new(AtomicBool::new(false)));
    process(&[], vec![heard.reader("one", &store, &never)], settings)
}

#[tokio::test]
async fn two_relays_of_a_stream_keep_the_order_within_each_subject() {
    let Some((stream, settings)) = outbox().await else { return };
    let heard = Heard::default();
    let shop = vec![reader(&heard, &settings).await, relay(&stream, &settings), relay(&stream, &settings)];

    for version in 1..=60 {
        for subject in ["a", "b", "c", "d", "e"] {
            append(&stream, subject, version).await;
        }
    }
    eventually(|| heard.all().len() == 300).await;
    while !all(&stream, &stream.key).await.ids.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    end(shop).await;

    for subject in ["a", "b", "c", "d", "e"] {
        assert_eq!(heard.of(subject), (1..=60).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_entry_that_is_no_event_is_put_aside_and_others_pass() {
    let Some((stream, settings)) = outbox().await else { return };
    let heard = Heard::default();
    append(&stream, "a", 1).await;
    enter(&stream, FIELD, b"no event").await;
    enter(&stream, "other", b"no event either").await;
    append(&stream, "a", 2).await;

    let shop = vec![reader(&heard, &settings).await, relay(&stream, &settings)];
    eventually(|| heard.of("a") == [1, 2]).await;
    end(shop).await;

    let broken = all(&stream, &format!("{}:broken", stream.key)).await.ids;
    let broken: Vec<(Option<String>, Option<String>)> =
        broken.iter().map(|entry| (entry.get(FIELD), entry.get("other"))).collect();
    let (one, other) = (Some("no event".to_owned()), Some("no event either".to_owned()));
    assert_eq!(broken, [(one, None), (None, other)]);
    assert!(all(&stream, &stream.key).await.ids.is_empty());
}

#[tokio::test]
async fn a_relay_waits_for_the_lease_of_another_and_follows_when_that_died() {
    let Some((stream, settings)) = outbox().await else { return };
    let (heard, lease) = (Heard::default(), format!("{}:relay", stream.key));
    let mut connection = stream.connection.clone();
    connection.set::<_, _, ()>(&lease, "another").await.unwrap();
    append(&stream, "a", 1).await;

    let shop = vec![reader(&heard, &settings).await, relay(&stream, &settings)];
    tokio::time::sleep(Duration::from_millis(500)).await;
    let waiting = all(&stream, &stream.key).await.ids.len();
    connection.pexpire::<_, ()>(&lease, 1).await.unwrap();
    eventually(|| heard.of("a") == [1]).await;
    let left: i64 = connection.pttl(&lease).await.unwrap();
    end(shop).await;

    assert_eq!(waiting, 1);
    assert!((1..=10_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_reader_has_again_what_a_stream_carried_since_a_time() {
    let Some((stream, settings)) = outbox().await else { return };
    let (heard, again) = (Heard::default(), Heard::default());
    append(&stream, "a", 1).await;
    let since = Clock::system().now();
    for version in 2..=600 {
        append(&stream, "a", version).await;
        append(&stream, "b", version).await;
    }
    let shop = vec![reader(&heard, &settings).await, relay(&stream, &settings)];
    eventually(|| heard.all().len() == 1_199).await;
    while !all(&stream, &stream.key).await.ids.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    end(shop).await;

    let letters = Letters::RabbitMq(settings.clone(), vec![Outbox::Stream(stream)]);
    assert_eq!(letters.replay(&KNOWN[0], since).await.unwrap(), 1_198);
    let reading = reader(&again, &settings).await;
    eventually(|| again.all().len() == 1_198).await;
    end(vec![reading]).await;

    for subject in ["a", "b"] {
        assert_eq!(again.of(subject), (2..=600).collect::<Vec<_>>());
    }
}

/// Carries one event, and says what is kept of this and of what was carried before.
async fn kept_when_one_more_is_carried(stream: &Stream, settings: &Settings) -> usize {
    append(stream, "a", 1).await;
    let relay = relay(stream, settings);
    eventually_so(async || all(stream, &stream.key).await.ids.is_empty()).await;
    end(vec![relay]).await;
    stream.connection.clone().xlen(format!("{}:carried", stream.key)).await.unwrap()
}

#[tokio::test]
async fn what_was_carried_more_than_thirty_days_ago_is_forgotten() {
    let Some((stream, settings)) = outbox().await else { return };
    let (carried, now) = (format!("{}:carried", stream.key), Clock::system().now());
    let mut connection = stream.connection.clone();
    for (days, count) in [(31, 500), (29, 50)] {
        let time = (now - Duration::from_secs(days * 24 * 60 * 60)).timestamp_millis();
        for number in 0..count {
            let id = format!("{time}-{number}");
            connection.xadd::<_, _, _, _, ()>(&carried, id, &[(FIELD, "")]).await.unwrap();
        }
    }

    let kept = kept_when_one_more_is_carried(&stream, &settings).await;

    // Redis forgets them by blocks of a hundred, and keeps one that holds a younger entry.
    let young = 51;
    assert!((young..young + 100).contains(&kept), "{kept}");
    let time = (now - Duration::from_secs(29 * 24 * 60 * 60)).timestamp_millis();
    let left: StreamRangeReply = connection.xrange(&carried, time, "+").await.unwrap();
    assert_eq!(left.ids.len(), young);
}

#[tokio::test]
async fn no_more_of_what_was_carried_is_kept_than_there_is_room_for() {
    let Some((stream, _)) = outbox().await else { return };
    let (carried, mut connection) = (format!("{}:carried", stream.key), stream.connection.clone());
    // A relay has room for a million, which would take a test too long; this is what it moves each entry with.
    let (moving, room) = (redis::Script::new(include_str!("../../src/stream/move.lua")), 200);
    let month_ms = 30_u64 * 24 * 60 * 60 * 1_000;
    for version in 1..=500 {
        append(&stream, "a", version).await;
    }
    let entries = all(&stream, &stream.key).await.ids;

    for entry in &entries {
        let mut call = moving.key(&stream.key);
        call.key(&carried).arg(&entry.id).arg(room).arg(month_ms);
        call.invoke_async::<()>(&mut connection).await.unwrap();
    }

    let kept = all(&stream, &carried).await.ids;
    assert!((room..room + 100).contains(&kept.len()), "{}", kept.len());
    let bytes = |entry: &redis::streams::StreamId| entry.get::<Vec<u8>>(FIELD).unwrap();
    let youngest: Vec<Vec<u8>> = entries[entries.len() - kept.len()..].iter().map(bytes).collect();
    assert_eq!(kept.iter().map(bytes).collect::<Vec<_>>(), youngest);
}
