//! The relay in one process: every event once per reader, in order within its subject.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kit::Reader;

use crate::support::{Heard, Migrator, eventually, happen, happen_as, sent, start, watched};

#[tokio::test]
async fn each_reader_hears_each_event_once_and_in_order() {
    watched();
    let never = Arc::new(AtomicBool::new(false));
    for database in kit::testing::databases::<Migrator>().await {
        let (one, other) = (Heard::default(), Heard::default());
        for version in 1..=20 {
            happen(&database, "a", version).await;
            happen(&database, "b", version).await;
        }

        let (stop, running) = start(
            &database,
            vec![one.reader("one", &database, &never), other.reader("other", &database, &never)],
        );
        eventually(|| one.all().len() == 40 && other.all().len() == 40).await;
        for version in 21..=25 {
            happen(&database, "a", version).await;
        }
        eventually(|| one.all().len() == 45 && other.all().len() == 45).await;
        stop.send(()).unwrap();
        running.await.unwrap();

        for heard in [one, other] {
            assert_eq!(heard.of("a"), (1..=25).collect::<Vec<_>>());
            assert_eq!(heard.of("b"), (1..=20).collect::<Vec<_>>());
        }
        assert!(sent(&database).await);
    }
}

#[tokio::test]
async fn a_failing_reader_holds_back_that_subject_and_no_other() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let failing = Arc::new(AtomicBool::new(true));
    let heard = Heard::default();
    for version in 1..=3 {
        happen(&database, "bad", version).await;
        happen(&database, "good", version).await;
    }

    let (stop, running) = start(&database, vec![heard.reader("one", &database, &failing)]);
    eventually(|| heard.of("good").len() == 3).await;
    let meanwhile = heard.of("bad");
    failing.store(false, Ordering::SeqCst);
    eventually(|| heard.of("bad").len() == 3).await;
    stop.send(()).unwrap();
    running.await.unwrap();

    assert_eq!(meanwhile, Vec::<i64>::new());
    assert_eq!(heard.of("bad"), [1, 2, 3]);
    assert!(sent(&database).await);
}

#[tokio::test]
async fn a_failing_reader_is_asked_ever_more_slowly() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let failing = Arc::new(AtomicBool::new(true));
    let heard = Heard::default();
    happen(&database, "bad", 1).await;

    let (stop, running) = start(&database, vec![heard.reader("one", &database, &failing)]);
    let began = Instant::now();
    eventually(|| heard.attempts.load(Ordering::SeqCst) == 3).await;
    let third = began.elapsed();
    eventually(|| heard.attempts.load(Ordering::SeqCst) == 4).await;
    let fourth = began.elapsed();
    stop.send(()).unwrap();
    running.await.unwrap();

    // At 0, 100, 500 and 2,100 milliseconds, or later on a slow machine.
    assert!(
        third >= Duration::from_millis(400) && fourth >= Duration::from_millis(2_000),
        "{third:?} {fourth:?}"
    );
    assert!(!sent(&database).await);
}

#[tokio::test]
async fn more_than_a_thousand_failing_subjects_do_not_hide_the_others() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let heard = Heard::default();
    let hearing = heard.clone();
    let reader = Reader::new("one", &["stock.changed"], move |event| {
        let heard = hearing.clone();
        async move {
            if event.subject.starts_with("bad") {
                return Err("no".into());
            }
            heard.events.lock().unwrap().push((event.subject, event.subject_version));
            Ok(())
        }
    });
    for number in 0..1_500 {
        happen(&database, &format!("bad{number}"), 1).await;
    }
    happen(&database, "good", 1).await;

    let (stop, running) = start(&database, vec![reader]);
    eventually(|| heard.of("good") == [1]).await;
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn an_event_that_nobody_wants_is_sent_and_one_with_a_cause_keeps_its_trace() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let never = Arc::new(AtomicBool::new(false));
    let heard = Heard::default();
    happen_as(&database, "stock.counted", "a", 1, "").await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    happen_as(&database, "stock.changed", "a", 2, trace).await;

    let (stop, running) = start(&database, vec![heard.reader("one", &database, &never)]);
    eventually(|| heard.of("a") == [2]).await;
    stop.send(()).unwrap();
    running.await.unwrap();

    let traces = heard.traces.lock().unwrap().clone();
    assert_eq!(traces, [Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned())]);
    assert!(sent(&database).await);
}

#[tokio::test]
async fn a_reader_that_fails_after_another_succeeded_makes_nobody_hear_twice() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let (never, failing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let (steady, shaky) = (Heard::default(), Heard::default());
    happen(&database, "bad", 1).await;

    let (stop, running) = start(
        &database,
        vec![steady.reader("steady", &database, &never), shaky.reader("shaky", &database, &failing)],
    );
    eventually(|| shaky.attempts.load(Ordering::SeqCst) >= 2).await;
    failing.store(false, Ordering::SeqCst);
    eventually(|| shaky.of("bad") == [1]).await;
    stop.send(()).unwrap();
    running.await.unwrap();

    assert!(steady.attempts.load(Ordering::SeqCst) >= 2);
    assert_eq!(steady.of("bad"), [1]);
}

#[tokio::test]
async fn a_reader_that_panics_has_failed_like_any_other() {
    watched();
    let database = kit::testing::sqlite::<Migrator>().await;
    let heard = Heard::default();
    let hearing = heard.clone();
    let reader = Reader::new("one", &["stock.changed"], move |event| {
        let heard = hearing.clone();
        async move {
            let before = heard.attempts.fetch_add(1, Ordering::SeqCst);
            assert!(before > 0, "on purpose");
            heard.events.lock().unwrap().push((event.subject, event.subject_version));
            Ok(())
        }
    });
    happen(&database, "a", 1).await;

    let (stop, running) = start(&database, vec![reader]);
    eventually(|| heard.of("a") == [1]).await;
    stop.send(()).unwrap();
    running.await.unwrap();
}
