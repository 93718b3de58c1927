//! What every store forgets in time, and what it never does.

use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Id, Once, RequestKey, Timestamp, inbox};
use proto::common as pb;
use tokio_util::sync::CancellationToken;

use crate::support::{Migrator, count, databases};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MOMENT: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    Clock::system().now()
}

async fn answer(database: &Database, id: &str, lasting: bool) {
    let key =
        RequestKey::new("account:1", "/shop.test.v1.TestService/Pay", id, &pb::Money::default()).unwrap();
    let Once::First(tx) = database.begin_once(&if lasting { key.lasting() } else { key }).await.unwrap()
    else {
        panic!("{id} was asked before");
    };
    tx.commit().await.unwrap();
}

async fn emit(database: &Database, subject: &str, sent: Option<Timestamp>) {
    emit_version(database, subject, 1, sent).await;
}

async fn emit_version(database: &Database, subject: &str, version: i64, sent: Option<Timestamp>) {
    let event = Event::new("order.placed", subject, version, now(), &pb::Money::default());
    let tx = database.begin().await.unwrap();
    outbox::append(&tx, &event).await.unwrap();
    tx.commit().await.unwrap();
    if let Some(sent) = sent {
        let sql = "UPDATE outbox SET sent = $1 WHERE id = $2";
        kit::execute(database.write(), sql, [sent.into(), event.id.as_uuid().into()]).await.unwrap();
    }
}

async fn note(database: &Database) {
    let tx = database.begin().await.unwrap();
    inbox::first_time(&tx, "reviews", Id::new()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn news_is_forgotten_a_month_after_it_was_carried_and_never_before_it_was() {
    for database in databases().await {
        emit(&database, "carried", Some(now())).await;
        emit(&database, "waiting", None).await;

        assert_eq!(kit::forget(&database, now() + DAY * 30 - MOMENT).await.unwrap(), 0);
        assert_eq!(kit::forget(&database, now() + DAY * 30 + MOMENT).await.unwrap(), 1);

        assert_eq!(kit::forget(&database, now() + DAY * 3_650).await.unwrap(), 0);
        assert_eq!(kit::testing::unsent(&database, 10).await.unwrap()[0].subject, "waiting");
    }
}

#[tokio::test]
async fn news_that_a_reader_has_yet_to_apply_stays_with_the_others_of_its_subject() {
    for database in databases().await {
        for version in 1..=4 {
            emit_version(&database, "cart-1", version, Some(now())).await;
            emit_version(&database, "cart-2", version, Some(now())).await;
        }
        let sql = "INSERT INTO undelivered (reader, event_id, subject, subject_version, dead, strikes, until)
                   SELECT 'analytics', id, subject, subject_version, TRUE, 0, $1 FROM outbox
                   WHERE subject = 'cart-1' AND subject_version = 2";
        kit::execute(database.write(), sql, [now().into()]).await.unwrap();

        assert_eq!(kit::forget(&database, now() + DAY * 31).await.unwrap(), 4);

        let sql = "SELECT subject_version FROM outbox WHERE subject = 'cart-1' ORDER BY subject_version";
        let left = kit::query(database.read(), sql, []).await.unwrap();
        let left = left.iter().map(|row| row.try_get::<i64>("", "subject_version").unwrap());
        assert_eq!(left.collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn notes_of_what_was_read_outlive_the_news_by_a_month() {
    for database in databases().await {
        note(&database).await;

        assert_eq!(kit::forget(&database, now() + DAY * 60 - MOMENT).await.unwrap(), 0);
        assert_eq!(kit::forget(&database, now() + DAY * 60 + MOMENT).await.unwrap(), 1);

        assert_eq!(count(&database, "inbox").await, 0);
    }
}

#[tokio::test]
async fn answers_are_forgotten_after_a_day_unless_they_last() {
    for database in databases().await {
        answer(&database, "request-1", false).await;
        answer(&database, "checkout-1", true).await;

        assert_eq!(kit::forget(&database, now() + DAY - MOMENT).await.unwrap(), 0);
        assert_eq!(kit::forget(&database, now() + DAY + MOMENT).await.unwrap(), 1);

        assert_eq!(kit::forget(&database, now() + DAY * 3_650).await.unwrap(), 0);
        assert_eq!(count(&database, "requests").await, 1);
    }
}

#[tokio::test]
async fn more_than_one_statement_removes_is_forgotten_all_the_same() {
    for database in databases().await {
        let tx = database.begin().await.unwrap();
        for _ in 0..2_001 {
            inbox::first_time(&tx, "reviews", Id::new()).await.unwrap();
        }
        tx.commit().await.unwrap();

        assert_eq!(kit::forget(&database, now() + DAY * 61).await.unwrap(), 2_001);
    }
}

#[tokio::test]
async fn upkeep_begins_at_once_and_ends_when_it_is_told_to() {
    for database in databases().await {
        emit(&database, "old", Some(now() - DAY * 31)).await;
        let shutdown = CancellationToken::new();

        let ended = async {
            while count(&database, "outbox").await > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            shutdown.cancel();
        };

        tokio::join!(kit::upkeep(&database, shutdown.clone()), ended);
    }
}

#[tokio::test]
async fn what_is_deleted_is_in_no_file_of_sqlite_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let database = Database::open(&url).await.unwrap();
    database.migrate::<Migrator>().await.unwrap();
    let holds = |name: &str| {
        let mut files = std::fs::read_dir(folder.path()).unwrap();
        files.any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(name.len()).any(|window| window == name.as_bytes())
        })
    };

    for (sql, held) in [
        ("INSERT INTO effects (name) VALUES ('somebody'), ('Wilhelmina Quagmire'), ('somebody else')", true),
        ("DELETE FROM effects WHERE name LIKE 'Wilhelmina%'", false),
    ] {
        kit::execute(database.write(), sql, []).await.unwrap();
        kit::forget(&database, now()).await.unwrap();

        assert_eq!(holds("Wilhelmina Quagmire"), held, "{sql}");
        assert!(holds("somebody else"));
    }
}
