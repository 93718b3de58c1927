//! The inbox: each reader has each effect once.

use kit::{Id, inbox};

use crate::support::{databases, effect, effects};

#[tokio::test]
async fn each_reader_applies_an_event_once() {
    for database in databases().await {
        let event = Id::new();
        for (reader, expected) in
            [("reviews", true), ("reviews", false), ("analytics", true), ("reviews", false)]
        {
            let tx = database.begin().await.unwrap();
            assert_eq!(inbox::first_time(&tx, reader, event).await.unwrap(), expected, "{reader}");
            tx.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_effect_that_failed_may_be_had_again() {
    for database in databases().await {
        let event = Id::new();
        let tx = database.begin().await.unwrap();
        assert!(inbox::first_time(&tx, "reviews", event).await.unwrap());
        effect(&tx, "half-done").await;
        drop(tx);

        let tx = database.begin().await.unwrap();
        assert!(inbox::first_time(&tx, "reviews", event).await.unwrap());
        effect(&tx, "done").await;
        tx.commit().await.unwrap();

        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_many_times_at_once_has_one_effect() {
    for database in databases().await {
        let event = Id::new();
        let deliveries: Vec<_> = (0..20)
            .map(|_| {
                let database = database.clone();
                tokio::spawn(async move {
                    let tx = database.begin().await.unwrap();
                    if inbox::first_time(&tx, "reviews", event).await.unwrap() {
                        effect(&tx, "done").await;
                    }
                    tx.commit().await.unwrap();
                })
            })
            .collect();
        for delivery in deliveries {
            delivery.await.unwrap();
        }

        assert_eq!(effects(&database).await, 1);
    }
}
