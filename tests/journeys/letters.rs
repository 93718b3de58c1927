//! `shop events` on the data folder of a shop that is not running.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::news::{Settings, Source, Subscription, Transport};
use kit::outbox::{self, Event};
use kit::{Clock, Database, Id, Reader, execute};
use proto::orders::OrderDelivered;
use tokio_util::sync::CancellationToken;

use crate::harness::command;
use crate::servers::amqp;

fn shop(folder: &Path, arguments: &[&str]) -> Output {
    let mut shop = command();
    shop.args(arguments).arg("--data").arg(folder).env_remove("AMQP_URL").output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The store of a service in a folder.
fn store(folder: &Path, service: &str) -> String {
    format!("sqlite:{}", folder.join(format!("{service}.db")).display())
}

/// A delivery that nobody was told of, in the folder of a shop.
async fn untold(folder: &Path) -> (Database, Event) {
    said(&shop(folder, &["migrate"]));
    let orders = Database::open(&store(folder, "orders")).await.unwrap();
    let delivered = OrderDelivered { account_id: "nobody-to-be-shown".to_owned(), ..Default::default() };
    let event = Event::new("order.delivered", Id::<()>::new(), 1, Clock::system().now(), &delivered);
    let tx = orders.begin().await.unwrap();
    outbox::append(&tx, &event).await.unwrap();
    tx.commit().await.unwrap();
    (orders, event)
}

/// One that `reviews` was told of and could not note.
async fn delivery(folder: &Path) -> Event {
    let (orders, event) = untold(folder).await;
    let now = Clock::system().now();
    execute(orders.write(), "UPDATE outbox SET sent = $1", [now.into()]).await.unwrap();
    let aside = "INSERT INTO undelivered (reader, event_id, subject, subject_version, dead, strikes, until) \
                 SELECT 'reviews', id, subject, subject_version, TRUE, 0, sent FROM outbox";
    execute(orders.write(), aside, []).await.unwrap();
    event
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_shown_without_its_contents_and_brought_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let event = delivery(folder).await;
    let id = event.id.to_string();

    let list = said(&shop(folder, &["events", "list", "reviews"]));
    let show = said(&shop(folder, &["events", "show", "reviews", &id]));
    let others = said(&shop(folder, &["events", "list", "orders.payments"]));
    let one = said(&shop(folder, &["events", "retry", "reviews", &id]));
    let again = refused(&shop(folder, &["events", "retry", "reviews", &id]));

    for text in [&list, &show] {
        assert!(text.contains(&id) && text.contains("order.delivered"), "{text}");
        assert!(!text.contains("nobody-to-be-shown"), "{text}");
    }
    assert!(!others.contains(&id), "{others}");
    assert_eq!(one, "1 brought back for reviews\n");
    assert!(again.contains("is not among the dead letters of reviews"), "{again}");
}

#[tokio::test]
async fn a_reader_is_handed_again_what_happened_since_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    delivery(folder).await;

    let since = |time: &str| shop(folder, &["events", "replay", "reviews", "--since", time]);

    assert_eq!(said(&since("2000-01-01T00:00:00Z")), "1 handed to reviews again\n");
    assert_eq!(said(&since("2999-01-01T00:00:00Z")), "0 handed to reviews again\n");
    assert!(refused(&since("yesterday")).contains("invalid value 'yesterday'"));
}

#[tokio::test]
async fn nobody_is_handed_anything_by_a_wrong_name_or_in_a_wrong_place() {
    let folder = tempfile::tempdir().unwrap();

    let nobody = refused(&shop(folder.path(), &["events", "list", "nobody"]));
    let nowhere = refused(&shop(&folder.path().join("not-there"), &["events", "list", "reviews"]));

    assert!(nobody.contains("there is no reader nobody; the readers are"), "{nobody}");
    assert!(nowhere.contains("does not exist"), "{nowhere}");
    assert!(!folder.path().join("not-there").exists());
}

/// A reader that fails while it is told to, and counts what it applied.
fn reviews(poison: &Arc<AtomicBool>, applied: &Arc<AtomicUsize>) -> Reader {
    let (poison, applied) = (poison.clone(), applied.clone());
    Reader::new("reviews", &["order.delivered"], move |_| {
        let failed = poison.load(Ordering::SeqCst);
        applied.fetch_add(usize::from(!failed), Ordering::SeqCst);
        async move { if failed { Err("a poison".into()) } else { Ok(()) } }
    })
}

#[tokio::test]
async fn a_dead_letter_of_a_broker_is_brought_back_and_a_replay_leaves_no_outbox_out() {
    let Some(url) = amqp() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (orders, event) = untold(folder).await;
    let id = event.id.to_string();
    let (poison, applied) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let known = Subscription { reader: "reviews", kinds: &["order.delivered"] };
    let transport = Transport::RabbitMq(Settings::new(&url, vec![known]).unwrap());
    let (stop, sources) = (CancellationToken::new(), vec![Source { service: "orders", database: orders }]);
    let readers = vec![reviews(&poison, &applied)];
    let carrying = tokio::spawn(::news::run(sources, readers, transport, stop.clone().cancelled_owned()));
    let events = |stores: &[&str], arguments: &[&str]| {
        let mut shop = command();
        shop.arg("events").args(arguments).args(["--amqp-url", &url]);
        for service in stores {
            shop.env(format!("SHOP_{}_DATABASE_URL", service.to_uppercase()), store(folder, service));
        }
        shop.output().unwrap()
    };

    while !said(&events(&[], &["list", "reviews"])).contains(&id) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let show = said(&events(&[], &["show", "reviews", &id]));
    poison.store(false, Ordering::SeqCst);
    let one = said(&events(&[], &["retry", "reviews", &id]));
    while applied.load(Ordering::SeqCst) < 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = ["replay", "reviews", "--since", "2000-01-01T00:00:00Z"];
    let gap = refused(&events(&["orders"], &again));
    let replayed = said(&events(&["orders", "identity"], &again));
    while applied.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    carrying.await.unwrap();

    assert!(show.contains("order.delivered") && !show.contains("nobody-to-be-shown"), "{show}");
    assert_eq!(one, "1 brought back for reviews\n");
    assert!(gap.contains("SHOP_IDENTITY_DATABASE_URL is not set"), "{gap}");
    assert_eq!(replayed, "1 handed to reviews again\n");
}
