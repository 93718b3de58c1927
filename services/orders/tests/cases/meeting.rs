//! Several at the same checkout or order at the same moment.

use audit::meeting;
use mesh::testing::customer;

use crate::support::{details, shops_with_many_writers, starting};

#[tokio::test]
async fn of_two_tabs_with_two_versions_of_a_cart_one_has_an_open_checkout() {
    for shop in shops_with_many_writers().await {
        let ada = customer();
        let cart = shop.cart(Some(&ada), &[("a", 1)]);
        let tab = || {
            let (mut client, request) = (shop.user(&ada), starting("", details(&[])));
            Box::pin(
                async move { client.start_checkout(request).await.unwrap().into_inner().checkout.unwrap() },
            )
        };
        let (older, newer) = (tab(), tab());
        let (carts, mut grown) = (shop.carts.clone(), shop.carts.get(&cart));
        grown.version = 2;
        let newer = async move {
            carts.put(grown);
            newer.await
        };

        // Checkouts are read, but none is written until both have looked for earlier ones.
        let locked = "LOCK TABLE checkouts IN EXCLUSIVE MODE";
        let (older, newer) = meeting(&shop.database, locked, older, newer).await;

        assert_ne!(older.id, newer.id);
        let sql = "SELECT cart_version FROM checkouts WHERE state = 'Ready'";
        let open = kit::query(shop.database.read(), sql, []).await.unwrap();
        let open = open.iter().map(|row| row.try_get::<i64>("", "cart_version").unwrap());
        assert_eq!(open.collect::<Vec<_>>(), [2]);
    }
}
