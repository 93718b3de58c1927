//! Several at the same checkout or order at the same moment.

use std::time::Duration;

use audit::meeting;
use kit::outbox;
use mesh::testing::customer;
use proto::orders::{CheckoutState, FulfilmentState, OrderPaymentState};
use proto::payments as pay;

use crate::life::ship;
use crate::support::faults::Fault;
use crate::support::{Begun, Shop, details, request_id, shops, shops_with_many_writers, starting};

const MOMENT: Duration = Duration::from_millis(10);

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

#[tokio::test]
async fn a_step_is_taken_again_when_staff_change_the_order_meanwhile() {
    for shop in shops_with_many_writers().await {
        let shop = std::sync::Arc::new(shop);
        let begun = shop.checkout().await;
        shop.carts.faults.plan("ClearCart", [Fault::Late(Duration::from_secs(2))]);
        let (mut client, request) = (shop.guest(), begun.completing("test_approve"));
        let bought = tokio::spawn(async move { client.complete_checkout(request).await.unwrap() });
        while shop.carts.faults.calls("ClearCart") == 0 {
            tokio::time::sleep(MOMENT).await;
        }
        let order = shop.now(&begun).await.order_id;

        let locked = format!("SELECT 1 FROM orders WHERE id = '{order}' FOR UPDATE");
        let (staff, id) = (shop.clone(), order.clone());
        let sent = async move { ship(&staff, &id, Vec::new()).await };
        let (sent, _) = meeting(&shop.database, &locked, sent, bought).await;
        shop.later(5).await;

        sent.unwrap();
        assert_eq!(shop.read(&order).await.fulfilment_state(), FulfilmentState::Shipped);
        // Nobody had to take over, and call again.
        assert_eq!(shop.carts.faults.calls("ClearCart"), 1);
    }
}

#[tokio::test]
async fn news_that_comes_while_the_provider_is_asked_is_not_lost() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let waiting = shop.complete(&begun, "test_pending").await.unwrap();
        assert_eq!(waiting.state(), CheckoutState::PaymentPending);
        // It still says that it knows nothing, while it tells the shop what it knows.
        shop.payments.faults.plan("SyncPayment", [Fault::Late(Duration::from_millis(500))]);
        shop.later(31).await;
        while shop.payments.faults.calls("SyncPayment") == 0 {
            tokio::time::sleep(MOMENT).await;
        }
        shop.payments.decide(pay::PaymentState::Authorized);
        let payload = pay::PaymentAuthorized { checkout_id: begun.checkout.id.clone(), ..Default::default() };
        let event = outbox::Event::new("payment.authorized", request_id(), 1, shop.clock.now(), &payload);

        shop.tell(event).await;

        assert_eq!(settled(&shop, &begun).await, OrderPaymentState::Paid);
    }
}

/// The payment of the order once it is paid, without any time having passed by the shop's clock.
async fn settled(shop: &Shop, begun: &Begun) -> OrderPaymentState {
    let mut state = OrderPaymentState::Unspecified;
    for _ in 0..300 {
        let order = shop.now(begun).await.order_id;
        if !order.is_empty() {
            state = shop.read(&order).await.payment_state();
        }
        if state == OrderPaymentState::Paid {
            break;
        }
        tokio::time::sleep(MOMENT).await;
    }
    state
}
