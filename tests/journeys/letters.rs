//! `shop events` on the data folder of a shop that is not running.

use std::path::Path;
use std::process::Output;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Id, execute};
use proto::orders::OrderDelivered;

use crate::harness::command;

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

/// A delivery that `reviews` was told of and could not note, in the folder of a shop.
async fn delivery(folder: &Path) -> Event {
    said(&shop(folder, &["migrate"]));
    let url = format!("sqlite:{}", folder.join("orders.db").display());
    let orders = Database::open(&url).await.unwrap();
    let delivered = OrderDelivered { account_id: "nobody-to-be-shown".to_owned(), ..Default::default() };
    let event = Event::new("order.delivered", Id::<()>::new(), 1, Clock::system().now(), &delivered);
    let tx = orders.begin().await.unwrap();
    outbox::append(&tx, &event).await.unwrap();
    tx.commit().await.unwrap();
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
