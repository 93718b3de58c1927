//! Whoever looks for broken promises finds them, and finds none where nothing is broken.

use audit::broken;
use audit::damage;
use orders::Sale;

use crate::support::shops;

#[tokio::test]
async fn a_row_that_breaks_a_promise_is_found_and_named() {
    let damages = [
        ("INV-4", "cart", "DROP INDEX checkouts_cart; UPDATE checkouts SET cart = 'twice'"),
        ("INV-4", "checkout", "DELETE FROM order_lines; DELETE FROM orders"),
        ("INV-5", "order", "UPDATE order_lines SET unit_price = unit_price + 1 WHERE position = 0"),
        ("INV-9", "checkout", "UPDATE checkouts SET state = 'Processing', due = NULL"),
        ("INV-9", "order", "UPDATE orders SET due = placed, placed = placed"),
    ];
    for (invariant, what, sql) in damages {
        for shop in shops().await {
            let (begun, order) = shop.order().await;
            let (other, _) = shop.order().await;
            let now = shop.clock.now() + std::time::Duration::from_secs(300);
            let whole = orders::verify(&shop.database, now).await.unwrap();
            assert!(whole.iter().all(|check| check.broken.is_empty()), "{whole:?}");

            damage(&shop.database, "orders", sql).await;

            let checks = orders::verify(&shop.database, now).await.unwrap();
            let found = broken(&checks, invariant);
            let wanted = match what {
                "cart" => vec!["twice".to_owned()],
                "checkout" => vec![begun.checkout.id.clone(), other.checkout.id.clone()],
                _ => vec![order.id.clone()],
            };
            assert!(wanted.iter().all(|id| found.contains(id)), "{sql}: {checks:?}");
        }
    }
}

#[tokio::test]
async fn what_was_sold_is_told_order_by_order_and_sku_by_sku() {
    for shop in shops().await {
        let (begun, order) = shop.order().await;

        let sales = orders::sales(&shop.database).await.unwrap();

        let [Sale { order: id, checkout, cancelled, total, paid, refunded }] = &sales.sales[..] else {
            panic!("{sales:?}");
        };
        assert_eq!((id, checkout, *cancelled), (&order.id, &begun.checkout.id, false));
        let units = [total, paid, refunded].map(kit::Money::minor_units);
        assert_eq!(units, [1_800, 1_800, 0]);
        let sold: Vec<(&str, i64)> = sales.sold.iter().map(|(sku, count)| (sku.as_str(), *count)).collect();
        assert_eq!(sold, [("A", 1), ("B", 2)]);
    }
}
