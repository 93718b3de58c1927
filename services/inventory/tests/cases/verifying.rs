//! Whoever looks for broken promises finds them, and finds none where nothing is broken.

use std::time::Duration;

use audit::broken;
use audit::damage;

use crate::support::{Shop, id, shops};

/// Some of A is held, some of B sold and some of that returned.
async fn busy(shop: &Shop) {
    shop.count("A", 5).await;
    shop.count("B", 5).await;
    shop.reserve(&id(), &[("A", 2)]).await.unwrap();
    let (sold, released) = (id(), id());
    shop.reserve(&sold, &[("B", 3)]).await.unwrap();
    shop.confirm(&sold).await.unwrap();
    shop.take_back(&sold, "B", 1, true).await.unwrap();
    shop.reserve(&released, &[("A", 1), ("B", 1)]).await.unwrap();
    shop.release(&released).await.unwrap();
}

#[tokio::test]
async fn a_row_that_breaks_a_promise_is_found_and_named() {
    let damages = [
        ("INV-1", "A", "stock", "UPDATE stock SET available = available + 1 WHERE sku = 'A'"),
        (
            "INV-2",
            "A",
            "reservation_lines",
            "UPDATE reservation_lines SET quantity = 4 WHERE sku = 'A' AND quantity = 2",
        ),
        ("INV-2", "B", "reservation_lines", "UPDATE reservation_lines SET returned = 0 WHERE sku = 'B'"),
        ("INV-2", "A", "stock", "UPDATE stock SET version = version + 1 WHERE sku = 'A'"),
    ];
    for (invariant, sku, table, sql) in damages {
        for shop in shops().await {
            busy(&shop).await;
            let now = shop.clock.now();
            let whole = inventory::verify(&shop.database, now).await.unwrap();
            assert!(whole.iter().all(|check| check.broken.is_empty()), "{whole:?}");

            damage(&shop.database, table, sql).await;

            let checks = inventory::verify(&shop.database, now).await.unwrap();
            assert!(broken(&checks, invariant).contains(&sku.to_owned()), "{sql}: {checks:?}");
        }
    }
}

#[tokio::test]
async fn a_reservation_that_outlives_its_time_is_named() {
    for shop in shops().await {
        let held = id();
        shop.count("A", 1).await;
        shop.reserve(&held, &[("A", 1)]).await.unwrap();

        let later = shop.clock.now() + Duration::from_secs(640);
        let checks = inventory::verify(&shop.database, later).await.unwrap();

        assert_eq!(broken(&checks, "INV-9"), [held]);
        assert_eq!(inventory::sold(&shop.database).await.unwrap(), Default::default());
    }
}

#[tokio::test]
async fn a_gap_in_the_news_of_a_subject_is_found() {
    for shop in shops().await {
        busy(&shop).await;
        let now = shop.clock.now();
        assert_eq!(audit::NEWS.check(&shop.database, now).await.unwrap().broken, Vec::<String>::new());

        damage(&shop.database, "outbox", "DELETE FROM outbox WHERE subject = 'B' AND subject_version = 2")
            .await;

        assert_eq!(audit::NEWS.check(&shop.database, now).await.unwrap().broken, ["B"]);
    }
}
