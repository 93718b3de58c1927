//! What gets among the dead letters without its reader's word: what is no event, and what its reader does not survive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use kit::Id;
use kit::outbox::Event;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use news::{Broken, Letters, PutAside, Retried};
use prost::Message;
use proto::common::Event as Envelope;

use crate::broker::{end, new_event, process, shop, store, url};
use crate::line::Line;
use crate::support::{Heard, eventually, eventually_so};

async fn channel() -> Channel {
    let connection = Connection::connect(&url().unwrap(), ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

/// Puts a message into a queue, as any program of the broker can.
async fn put(channel: &Channel, queue: &str, body: &[u8], properties: BasicProperties) {
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), queue.into(), options, body, properties).await.unwrap();
}

async fn put_event(channel: &Channel, queue: &str, event: &Event) {
    put(channel, queue, &Envelope::from(event).encode_to_vec(), BasicProperties::default()).await;
}

fn versions(subject: &str, count: i64) -> impl Iterator<Item = Event> {
    (1..=count).map(move |version| Event { subject_version: version, ..new_event(subject) })
}

#[tokio::test]
async fn what_is_no_event_holds_up_nobody_and_is_listed_until_it_is_purged() {
    let Some((name, settings)) = shop() else { return };
    settings.admitted().await.unwrap();
    let (queue, dead) = (format!("{name}.one"), format!("{name}.one.dead"));
    let (at_one, heard, never) = (store().await, Heard::default(), Arc::new(AtomicBool::new(false)));
    let (letters, channel) = (Letters::RabbitMq(settings.clone(), vec![]), channel().await);
    let (id, aside) = (Id::<Event>::new(), new_event("aside"));
    let named = BasicProperties::default()
        .with_message_id(id.to_string().into())
        .with_type("letter".into())
        .with_content_type("text/plain".into())
        .with_app_id("another shop".into())
        .with_timestamp(1_000_000_000);
    put(&channel, &queue, b"no event", BasicProperties::default()).await;
    put(&channel, &queue, b"", named).await;
    for event in versions("a", 3) {
        put_event(&channel, &queue, &event).await;
    }

    let reading = process(&[], vec![heard.reader("one", &at_one, &never)], &settings);
    eventually(|| heard.of("a") == [1, 2, 3]).await;
    put_event(&channel, &dead, &aside).await;

    // What is looked at is back in its place a moment later, so each look may be too early.
    let properties = [
        ("message-id", id.to_string()),
        ("type", "letter".to_owned()),
        ("content-type", "text/plain".to_owned()),
        ("app-id", "another shop".to_owned()),
        ("timestamp", "2001-09-09T01:46:40+00:00".to_owned()),
    ];
    let nameless = Broken { properties: vec![], bytes: 8 };
    let named = Broken { properties: properties.to_vec(), bytes: 0 };
    assert_eq!((nameless.id(), named.id()), (None, Some(id.as_uuid())));
    let broken = vec![nameless, named];
    let all = PutAside { events: vec![aside], broken: broken.clone() };
    eventually_so(async || letters.list("one").await.unwrap() == all).await;
    let none = Retried { events: 0, broken: 1 };
    eventually_so(async || letters.retry("one", Some(id)).await.unwrap() == none).await;
    eventually_so(async || letters.retry("one", None).await.unwrap().events == 1).await;
    eventually(|| heard.of("aside") == [1]).await;
    let left = PutAside { events: vec![], broken };
    eventually_so(async || letters.list("one").await.unwrap() == left).await;
    let two = Retried { events: 0, broken: 2 };
    eventually_so(async || letters.retry("one", None).await.unwrap() == two).await;
    end(vec![reading]).await;

    let mut purged = 0;
    eventually_so(async || {
        let options = QueuePurgeOptions::default();
        purged += channel.queue_purge(dead.as_str().into(), options).await.unwrap();
        purged == 2
    })
    .await;
    assert_eq!(letters.list("one").await.unwrap(), PutAside::default());
}

/// Who is given the first message of a queue, and whose connection ends before he has said a word about it.
async fn dies_of(queue: &str) -> Event {
    let (line, around) = Line::to(&url().unwrap()).await;
    let connection = Connection::connect(&around, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.basic_qos(1, BasicQosOptions::default()).await.unwrap();
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut messages = channel.basic_consume(queue.into(), "".into(), options, none).await.unwrap();
    let given = tokio::time::timeout(Duration::from_secs(60), messages.next()).await;
    drop(line);
    let message = given.unwrap().unwrap().unwrap();
    Envelope::decode(message.data.as_slice()).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn what_fifty_times_came_back_from_the_dead_is_put_aside_and_the_next_one_gets_through() {
    let Some((name, settings)) = shop() else { return };
    settings.admitted().await.unwrap();
    let (queue, channel) = (format!("{name}.one"), channel().await);
    let (deadly, behind) = (new_event("deadly"), new_event("behind"));
    let (at_one, heard, never) = (store().await, Heard::default(), Arc::new(AtomicBool::new(false)));
    put_event(&channel, &queue, &deadly).await;
    put_event(&channel, &queue, &behind).await;

    let mut deaths = 0;
    while dies_of(&queue).await == deadly {
        deaths += 1;
    }
    let reading = process(&[], vec![heard.reader("one", &at_one, &never)], &settings);
    eventually(|| heard.of("behind") == [1]).await;
    let letters = Letters::RabbitMq(settings, vec![]);
    let aside = PutAside { events: vec![deadly], broken: vec![] };
    eventually_so(async || letters.list("one").await.unwrap() == aside).await;
    end(vec![reading]).await;

    // It came once, and fifty times again.
    assert_eq!(deaths, 51);
    assert_eq!(heard.attempts.load(Ordering::SeqCst), 1);
}
