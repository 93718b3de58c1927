//! What calls cost the store: statements, not seconds, and what is kept of them.

use std::time::Duration;

use futures::StreamExt;
use kit::{execute, query};
use proto::orders as pb;

use super::life::{deliver, refunding, ship};
use crate::support::payments::units;
use crate::support::{Begun, by_id, details, shops, starting};

#[tokio::test]
async fn an_order_of_twelve_hundred_lines_takes_few_statements_at_every_stage() {
    // For each hundred lines one to read, one to write; and what a call needs besides, or the eight steps of a purchase.
    const CALL_STATEMENTS_MAX: u64 = 12 + 12 + 16;
    const PURCHASE_STATEMENTS_MAX: u64 = 12 + 12 + 100;
    for shop in shops().await {
        let variants: Vec<String> = (0..1_200).map(|number| format!("v{number}")).collect();
        for variant in &variants {
            shop.pricing.set(variant, 100);
            shop.inventory.set(&variant.to_uppercase(), 1);
        }
        let lines: Vec<(&str, i64)> = variants.iter().map(|variant| (variant.as_str(), 1)).collect();
        let cart = shop.cart(None, &lines);
        let started = shop.guest().start_checkout(starting(&cart, details(&[]))).await.unwrap().into_inner();
        let begun = Begun { checkout: started.checkout.unwrap(), token: started.token, cart };

        let before = shop.database.statements();
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        let purchase = shop.database.statements() - before;
        assert_eq!(bought.state(), pb::CheckoutState::Completed);
        assert!(purchase <= PURCHASE_STATEMENTS_MAX, "{purchase}");

        let before = shop.database.statements();
        let sent = ship(&shop, &bought.order_id, Vec::new()).await.unwrap();
        let shipped = shop.database.statements() - before;
        let delivered = deliver(&shop, &bought.order_id, &sent.shipments[0].id).await.unwrap();
        let both = shop.database.statements() - before;
        assert_eq!(delivered.lines.iter().filter(|line| line.delivered_quantity == 1).count(), 1_200);
        assert!(shipped <= CALL_STATEMENTS_MAX, "{shipped}");
        assert!(both - shipped <= CALL_STATEMENTS_MAX, "{}", both - shipped);
    }
}

#[tokio::test]
async fn a_refund_asked_for_again_is_the_same_and_keeps_no_copy_of_the_order() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        let (mut clerk, request) = (shop.staff(), refunding(&order.id, Some(700)));
        let first = clerk.refund_order(request.clone()).await.unwrap().into_inner();
        let other = clerk.refund_order(refunding(&order.id, Some(100))).await.unwrap().into_inner();

        let again = clerk.refund_order(request).await.unwrap().into_inner();

        assert_eq!(again.refund_id, first.refund_id);
        assert_ne!(again.refund_id, other.refund_id);
        let (then, now) = (first.order.unwrap(), again.order.unwrap());
        assert_eq!((&now.id, &now.number, &now.totals), (&then.id, &then.number, &then.totals));
        assert_eq!((units(&then.refunded), units(&now.refunded)), (700, 800), "as the order stands now");
        let sql =
            "SELECT MAX(LENGTH(answer)) AS longest FROM requests WHERE method = 'RefundOrder' AND lasting";
        let rows = query(shop.database.read(), sql, []).await.unwrap();
        let longest: Option<i32> = rows[0].try_get("", "longest").unwrap();
        assert!(longest.is_some_and(|length| length < 50), "an id, not an order: {longest:?}");
    }
}

#[tokio::test]
async fn a_watcher_reads_the_whole_only_when_it_has_changed() {
    for shop in shops().await {
        let (begun, order) = shop.order().await;
        let key = Some(by_id(&order.id, &begun.token));
        let mut watching =
            shop.guest().watch_order(pb::WatchOrderRequest { key }).await.unwrap().into_inner();
        assert_eq!(watching.next().await.unwrap().unwrap().order.unwrap().version, order.version);
        let next = tokio::spawn(async move { watching.next().await });
        // Somebody else's commits wake it.
        let before = shop.database.statements();
        let others: u64 = 5;
        for _ in 0..others {
            let tx = shop.database.begin().await.unwrap();
            execute(&*tx, "UPDATE orders SET due = due", []).await.unwrap();
            tx.commit().await.unwrap();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        let looked = shop.database.statements() - before - others;

        ship(&shop, &order.id, Vec::new()).await.unwrap();
        let sent = next.await.unwrap().unwrap().unwrap().order.unwrap();

        assert!((1..=others + 2).contains(&looked), "one statement for a look, and no line read: {looked}");
        assert_eq!(sent.fulfilment_state(), pb::FulfilmentState::Shipped);
    }
}
