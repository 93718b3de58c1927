//! How long an answer is kept: a purchase and a refund for as long as the order, any other for a day.

use std::time::Duration;

use kit::Clock;
use proto::orders as pb;

use super::life::refunding;
use crate::support::payments::units;
use crate::support::pricing::pence;
use crate::support::{Shop, reason, request_id, shops};

/// Longer than any answer is kept that is not about money.
const DAY_AND_MORE: Duration = Duration::from_secs(25 * 60 * 60);

async fn day_passes(shop: &Shop) {
    kit::forget(&shop.database, Clock::system().now() + DAY_AND_MORE).await.unwrap();
}

#[tokio::test]
async fn a_purchase_that_is_asked_for_again_days_later_is_the_same_purchase() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = begun.completing("test_approve");
        let first = shop.guest().complete_checkout(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.checkout.as_ref().unwrap().state(), pb::CheckoutState::Completed);

        day_passes(&shop).await;

        let again = shop.guest().complete_checkout(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        let other = pb::CompleteCheckoutRequest { payment_method_token: "test_pending".into(), ..request };
        let refused = shop.guest().complete_checkout(other).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(shop.payments.faults.calls("AuthorizePayment"), 1);
    }
}

#[tokio::test]
async fn a_refund_that_is_asked_for_again_days_later_is_given_once() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        let (mut clerk, request) = (shop.staff(), refunding(&order.id, Some(700)));
        let first = clerk.refund_order(request.clone()).await.unwrap().into_inner();

        day_passes(&shop).await;

        assert_eq!(clerk.refund_order(request.clone()).await.unwrap().into_inner(), first);
        let other = pb::RefundOrderRequest { amount: pence(1), ..request };
        let refused = clerk.refund_order(other).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(units(&shop.read(&order.id).await.refunded), 700);
        assert_eq!(shop.payments.faults.calls("RefundPayment"), 1);
    }
}

#[tokio::test]
async fn a_shipment_is_known_by_its_request_for_a_day() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        let mut clerk = shop.staff();
        let shipping = |carrier: &str, line: usize, request_id: &str| pb::ShipOrderRequest {
            order_id: order.id.clone(),
            lines: vec![pb::LineCount { line_id: order.lines[line].id.clone(), quantity: 1 }],
            carrier: carrier.into(),
            tracking_number: "T1".into(),
            request_id: request_id.into(),
        };
        let key = request_id();
        clerk.ship_order(shipping("Post", 0, &key)).await.unwrap();
        let refused = clerk.ship_order(shipping("Cart", 1, &key)).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");

        day_passes(&shop).await;

        let sent = clerk.ship_order(shipping("Cart", 1, &key)).await.unwrap().into_inner().order.unwrap();
        assert_eq!(sent.shipments.len(), 2);
    }
}
