//! Baskets that meet on the shelf.

use futures::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend};

use crate::support::{id, shops};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn baskets_never_wait_for_one_another_whatever_order_the_database_has() {
    for shop in shops().await.into_iter().filter(|shop| shop.database.backend() == DbBackend::Postgres) {
        // By its bytes "B" comes before "a"; here, as on many servers, it does not.
        let order = "ALTER TABLE stock ALTER COLUMN sku TYPE text COLLATE \"und-x-icu\"";
        shop.database.write().execute_unprepared(order).await.unwrap();
        let fillers: Vec<String> = (0..99).map(|number| format!("A{number:02}")).collect();
        let short = vec![("B", 1), ("a", 1)];
        // One line more than a statement takes, and the last one is "a".
        let long: Vec<_> = fillers.iter().map(|sku| (sku.as_str(), 1)).chain(short.clone()).collect();
        for (sku, _) in &long {
            shop.count(sku, 1_000).await;
        }

        for _ in 0..10 {
            let baskets = (0..12).map(|number| {
                let lines = if number % 2 == 0 { &long } else { &short };
                let (id, shop) = (id(), &shop);
                async move { shop.reserve(&id, lines).await }
            });
            for answer in join_all(baskets).await {
                answer.unwrap();
            }
        }
    }
}
