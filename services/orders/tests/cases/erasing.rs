//! What stays of an order when its buyer is erased.

use audit::meeting;
use kit::outbox::Event;
use mesh::User;
use mesh::testing::customer;
use proto::identity as identity_pb;
use proto::orders as pb;
use proto::orders::{CheckoutState, OrderPaymentState, OrderState};

use crate::support::inventory::Figures;
use crate::support::{
    Begun, Shop, by_id, details, reason, request_id, shops, shops_with_many_writers, starting,
};

async fn checkout_of(shop: &Shop, user: &User) -> Begun {
    let cart = shop.cart(Some(user), &[("a", 1), ("b", 2)]);
    let started = shop.user(user).start_checkout(starting(&cart, details(&[]))).await.unwrap().into_inner();
    Begun { checkout: started.checkout.unwrap(), token: started.token, cart }
}

async fn order_of(shop: &Shop, user: &User) -> pb::Order {
    let begun = checkout_of(shop, user).await;
    let bought = shop.user(user).complete_checkout(begun.completing("test_approve")).await.unwrap();
    shop.read(&bought.into_inner().checkout.unwrap().order_id).await
}

/// Tells the service, twice as a queue may, that an account is erased.
async fn erase(shop: &Shop, user: &User) {
    let erased = identity_pb::AccountErased { account_id: user.account.to_string() };
    let event = Event::new("account.erased", user.account, 1, shop.clock.now(), &erased);
    shop.tell(event.clone()).await;
    shop.tell(event).await;
}

/// Fails if any table still holds something of the buyer of these tests.
async fn nothing_names_the_buyer(shop: &Shop, user: &User) {
    let named = ["ada@example.org", "Lovelace", "St James", "SW1Y", &user.account.to_string()];
    for (table, columns) in [("orders", "body"), ("checkouts", "body || quote"), ("requests", "answer")] {
        for name in named {
            let sql = format!("SELECT 1 FROM {table} WHERE {columns} LIKE $1");
            let found = kit::query(shop.database.read(), &sql, [format!("%{name}%").into()]).await.unwrap();
            assert!(found.is_empty(), "{name} is in {table}");
        }
    }
}

#[tokio::test]
async fn a_delivered_order_keeps_its_figures_and_country_and_loses_its_buyer() {
    for shop in shops().await {
        let ada = customer();
        let order = order_of(&shop, &ada).await;
        let parcel = pb::ShipOrderRequest {
            order_id: order.id.clone(),
            carrier: "Post".into(),
            tracking_number: "P1".into(),
            request_id: request_id(),
            ..Default::default()
        };
        let sent = shop.staff().ship_order(parcel).await.unwrap().into_inner().order.unwrap();
        let arrived = pb::DeliverShipmentRequest {
            order_id: order.id.clone(),
            shipment_id: sent.shipments[0].id.clone(),
            request_id: request_id(),
        };
        let before = shop.staff().deliver_shipment(arrived).await.unwrap().into_inner().order.unwrap();

        erase(&shop, &ada).await;

        let after = shop.read(&order.id).await;
        assert_eq!((after.email.as_str(), after.account_id.as_str()), ("", ""));
        let country = proto::common::Address { country_code: "GB".into(), ..Default::default() };
        assert_eq!(
            (after.shipping_address.as_ref(), after.billing_address.as_ref()),
            (Some(&country), Some(&country))
        );
        assert_eq!((&after.totals, &after.lines, &after.paid), (&before.totals, &before.lines, &before.paid));
        assert_eq!((after.number.as_str(), after.state()), (before.number.as_str(), OrderState::Closed));
        let refused = shop
            .user(&ada)
            .get_order(pb::GetOrderRequest { key: Some(by_id(&order.id, "")), ..Default::default() })
            .await;
        assert_eq!(reason(&refused.unwrap_err()), "ORDER_NOT_FOUND");
        nothing_names_the_buyer(&shop, &ada).await;
    }
}

#[tokio::test]
async fn what_has_not_been_sent_is_cancelled_and_paid_back_without_a_word_to_anybody() {
    for shop in shops().await {
        let ada = customer();
        let order = order_of(&shop, &ada).await;
        let carried = kit::testing::unsent(&shop.database, 100).await.unwrap().len();

        erase(&shop, &ada).await;
        shop.later(60).await;

        let after = shop.read(&order.id).await;
        assert_eq!(
            (after.state(), after.payment_state()),
            (OrderState::Cancelled, OrderPaymentState::Refunded)
        );
        assert_eq!(shop.inventory.figures("A"), Figures { available: 10, reserved: 0, sold: 0 });
        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();
        assert!(news.len() > carried);
        for event in &news[carried..] {
            match event.kind.as_str() {
                "order.cancelled" => assert!(event.decode::<pb::OrderCancelled>().unwrap().contact.is_none()),
                "order.refunded" => assert!(event.decode::<pb::OrderRefunded>().unwrap().contact.is_none()),
                _ => {}
            }
        }
        nothing_names_the_buyer(&shop, &ada).await;
    }
}

#[tokio::test]
async fn a_checkout_of_whoever_is_erased_ends_and_none_begins_any_more() {
    for shop in shops().await {
        let ada = customer();
        let begun = checkout_of(&shop, &ada).await;

        erase(&shop, &ada).await;

        let late = shop.user(&ada).complete_checkout(begun.completing("test_approve")).await.unwrap_err();
        assert_eq!(reason(&late), "CHECKOUT_NOT_FOUND");
        let cart = shop.cart(Some(&ada), &[("a", 1)]);
        let new = shop.user(&ada).start_checkout(starting(&cart, details(&[]))).await.unwrap_err();
        assert_eq!(reason(&new), "SIGN_IN_REQUIRED");
        let sql = "SELECT state, account FROM checkouts";
        let rows = kit::query(shop.database.read(), sql, []).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].try_get::<String>("", "state").unwrap(), format!("{:?}", CheckoutState::Failed));
        assert_eq!(rows[0].try_get::<Option<uuid::Uuid>>("", "account").unwrap(), None);
        nothing_names_the_buyer(&shop, &ada).await;
    }
}

#[tokio::test]
async fn what_a_buyer_is_answered_while_he_is_erased_is_forgotten_too() {
    for shop in shops_with_many_writers().await {
        let shop = std::sync::Arc::new(shop);
        let ada = customer();
        checkout_of(&shop, &ada).await;
        let (erasing, whom) = (shop.clone(), ada.clone());
        let erase = async move { erase(&erasing, &whom).await };
        // The cart has its checkout: he is answered with that one.
        let (mut client, request) = (shop.user(&ada), starting("", details(&[])));
        let again = async move { client.start_checkout(request).await };

        // His checkouts are forgotten, and his orders are about to be.
        let locked = "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE";
        let ((), answered) = meeting(&shop.database, locked, erase, again).await;

        assert_eq!(reason(&answered.unwrap_err()), "SIGN_IN_REQUIRED");
        nothing_names_the_buyer(&shop, &ada).await;
    }
}
