//! With what queues are declared: their promises rest on it, and no event tells whether it is so.

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Connection, ConnectionProperties};

use crate::broker::{shop, url};

fn text(words: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(words))
}

/// Declares a queue that is there already; what it is declared with otherwise is refused by name.
async fn declared(
    connection: &Connection,
    queue: &str,
    arguments: &[(&'static str, AMQPValue)],
) -> Result<(), lapin::Error> {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert((*name).into(), value.clone());
    }
    // A refusal closes the channel, so each try has its own.
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), durable, table).await.map(drop)
}

#[tokio::test]
async fn a_readers_queue_loses_nothing_and_serves_one_at_a_time() {
    let Some((name, settings)) = shop() else { return };
    settings.admitted().await.unwrap();
    let connection = Connection::connect(&url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let (queue, dead) = (format!("{name}.one"), format!("{name}.one.dead"));
    let arguments = [
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", AMQPValue::LongLongInt(50)),
        ("x-max-length", AMQPValue::LongLongInt(1_000_000)),
        ("x-overflow", text("reject-publish")),
        ("x-dead-letter-exchange", text(&format!("{name}.dead"))),
        ("x-dead-letter-routing-key", text("one")),
        ("x-dead-letter-strategy", text("at-least-once")),
    ];

    declared(&connection, &queue, &arguments).await.unwrap();
    for (place, (left_out, _)) in arguments.iter().enumerate() {
        let mut others = arguments.to_vec();
        others.remove(place);

        let refused = declared(&connection, &queue, &others).await.unwrap_err().to_string();

        assert!(refused.contains("PRECONDITION") && refused.contains(left_out), "{left_out}: {refused}");
    }
    // What was put aside waits for a person: it may be looked at for ever.
    let aside = [("x-queue-type", text("quorum")), ("x-delivery-limit", AMQPValue::LongLongInt(1_000_000))];
    declared(&connection, &dead, &aside).await.unwrap();
}
