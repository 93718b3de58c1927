//! An order after it was placed: sent, delivered, cancelled, returned, refunded.

use std::time::Duration;

use futures::StreamExt;
use kit::outbox;
use proto::orders as pb;
use proto::orders::{FulfilmentState, OrderAction, OrderPaymentState, OrderState, ReturnState};
use proto::payments as pay;
use tonic::Status;

use crate::support::faults::Fault;
use crate::support::inventory::Figures;
use crate::support::payments::units;
use crate::support::pricing::{Use, pence};
use crate::support::{Shop, by_id, reason, request_id, shops};

#[tokio::test]
async fn an_order_goes_out_in_two_parcels_and_is_closed_when_both_arrived() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        let first = vec![count(&order.lines[1], 1)];

        let sent = ship(&shop, &order.id, first).await.unwrap();
        assert_eq!(sent.fulfilment_state(), FulfilmentState::PartiallyShipped);
        let too_many = ship(&shop, &order.id, vec![count(&order.lines[1], 2)]).await.unwrap_err();
        assert_eq!(reason(&too_many), "QUANTITY_EXCEEDS_OPEN");
        assert_eq!(mesh::status::metadata_of(&too_many)["open"], "1");
        let sent = ship(&shop, &order.id, Vec::new()).await.unwrap();
        assert_eq!((sent.fulfilment_state(), sent.shipments.len()), (FulfilmentState::Shipped, 2));

        let half = deliver(&shop, &order.id, &sent.shipments[0].id).await.unwrap();
        assert_eq!(half.fulfilment_state(), FulfilmentState::PartiallyDelivered);
        let whole = deliver(&shop, &order.id, &sent.shipments[1].id).await.unwrap();
        let again = deliver(&shop, &order.id, &sent.shipments[1].id).await.unwrap();

        assert_eq!(whole, again);
        assert_eq!(
            (whole.state(), whole.fulfilment_state()),
            (OrderState::Closed, FulfilmentState::Delivered)
        );
        let news = kinds(&shop).await;
        assert_eq!(
            news[4..],
            ["order.shipped", "order.shipped", "order.delivered", "order.delivered"].map(str::to_owned)
        );
        let other = deliver(&shop, &order.id, &request_id()).await.unwrap_err();
        assert_eq!(reason(&other), "SHIPMENT_NOT_FOUND");
        let empty = ship(&shop, &order.id, Vec::new()).await.unwrap_err();
        assert_eq!(reason(&empty), "QUANTITY_EXCEEDS_OPEN");
        let unknown = pb::LineCount { line_id: request_id(), quantity: 1 };
        assert_eq!(reason(&ship(&shop, &order.id, vec![unknown]).await.unwrap_err()), "LINE_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_cancelled_order_gives_everything_back() {
    for shop in shops().await {
        let begun = shop.checkout_with(&["TEN"]).await;
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        let request = pb::CancelOrderRequest {
            key: Some(by_id(&bought.order_id, &begun.token)),
            reason: "changed my mind".into(),
            request_id: request_id(),
        };

        let cancelled = shop.guest().cancel_order(request).await.unwrap().into_inner().order.unwrap();

        assert_eq!(
            (cancelled.state(), cancelled.payment_state()),
            (OrderState::Cancelled, OrderPaymentState::Refunded)
        );
        assert_eq!(
            (units(&cancelled.refunded), cancelled.cancel_reason.as_str()),
            (1_790, "changed my mind")
        );
        assert_eq!(shop.inventory.figures("B"), Figures { available: 10, ..Figures::default() });
        assert!(shop.payments.live().is_empty());
        assert_eq!(shop.pricing.uses(Use::Released), 1);
        assert!(cancelled.allowed_actions.is_empty());

        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();
        let told = news.iter().find(|event| event.kind == "order.cancelled").unwrap();
        let told: pb::OrderCancelled = told.decode().unwrap();
        let contact: pb::OrderContact = shop.opener.open(&told.contact.unwrap()).unwrap();
        assert_eq!((told.number, contact.email.as_str()), (cancelled.number.clone(), "ada@example.org"));

        let again = cancel(&shop, &bought.order_id).await.unwrap();
        assert_eq!(again, cancelled);
        let refused = ship(&shop, &bought.order_id, Vec::new()).await.unwrap_err();
        assert_eq!(reason(&refused), "ORDER_CANCELLED");
    }
}

#[tokio::test]
async fn an_order_cancelled_before_the_money_was_taken_is_voided() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.payments.faults.plan("CapturePayment", vec![Fault::NotDone; 3]);
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        let refused = ship(&shop, &bought.order_id, Vec::new()).await.unwrap_err();
        assert_eq!(reason(&refused), "ORDER_NOT_PAID");
        let refused = refund(&shop, &bought.order_id, None).await.unwrap_err();
        assert_eq!(reason(&refused), "ORDER_NOT_PAID");

        cancel(&shop, &bought.order_id).await.unwrap();
        for _ in 0..3 {
            shop.later(31).await;
        }

        let order = shop.read(&bought.order_id).await;
        assert_eq!(order.state(), OrderState::Cancelled);
        assert!(matches!(order.payment_state(), OrderPaymentState::Voided | OrderPaymentState::Refunded));
        assert!(shop.payments.live().is_empty());
        assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
    }
}

#[tokio::test]
async fn what_has_been_sent_is_not_cancelled() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        ship(&shop, &order.id, vec![count(&order.lines[0], 1)]).await.unwrap();

        let refused = cancel(&shop, &order.id).await.unwrap_err();

        assert_eq!(reason(&refused), "ORDER_SHIPPED");
        assert_eq!(shop.read(&order.id).await.state(), OrderState::Open);
    }
}

#[tokio::test]
async fn a_cancellation_survives_every_lost_call() {
    for shop in shops().await {
        let calls = ["RefundPayment", "ReleaseCodes", "ReturnStock"];
        for (index, method) in (1..).zip(calls) {
            let begun = shop.checkout_with(&["TEN"]).await;
            let bought = shop.complete(&begun, "test_approve").await.unwrap();
            for faults in [&shop.payments.faults, &shop.pricing.faults, &shop.inventory.faults] {
                faults.plan(method, [Fault::AnswerLost, Fault::NotDone]);
            }

            cancel(&shop, &bought.order_id).await.unwrap();
            for _ in 0..3 {
                shop.later(31).await;
            }

            let order = shop.read(&bought.order_id).await;
            assert_eq!(units(&order.refunded), 1_790, "{method}");
            assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
            assert_eq!((shop.pricing.uses(Use::Released), shop.payments.live().len()), (index, 0));
        }
    }
}

#[tokio::test]
async fn goods_come_back_and_the_money_with_them() {
    for shop in shops().await {
        let (begun, order) = delivered(&shop).await;
        let lines = vec![count(&order.lines[1], 2)];

        let asked = ask_return(&shop, &order.id, &begun.token, lines.clone()).await.unwrap();
        let returned = asked.order.unwrap();
        assert_eq!(
            (returned.state(), returned.returns[0].state()),
            (OrderState::Open, ReturnState::Requested)
        );
        let twice = ask_return(&shop, &order.id, &begun.token, lines).await.unwrap_err();
        assert_eq!(reason(&twice), "QUANTITY_EXCEEDS_OPEN");
        let early = receive(&shop, &order.id, &asked.return_id).await.unwrap_err();
        assert_eq!(mesh::status::metadata_of(&early)["state"], "REQUESTED");
        approve(&shop, &order.id, &asked.return_id).await.unwrap();
        let done = receive(&shop, &order.id, &asked.return_id).await.unwrap();
        let paid_back = refund(&shop, &order.id, Some(500)).await.unwrap();

        assert_eq!(done.fulfilment_state(), FulfilmentState::PartiallyReturned);
        assert_eq!(shop.inventory.figures("B"), Figures { available: 10, reserved: 0, sold: 0 });
        assert_eq!(paid_back.payment_state(), OrderPaymentState::PartiallyRefunded);
        assert_eq!(paid_back.state(), OrderState::Closed);
        assert_eq!(reason(&approve(&shop, &order.id, &request_id()).await.unwrap_err()), "RETURN_NOT_FOUND");
        let closed = approve(&shop, &order.id, &asked.return_id).await.unwrap_err();
        assert_eq!(reason(&closed), "RETURN_NOT_OPEN");
    }
}

#[tokio::test]
async fn a_rejected_return_is_as_if_nobody_had_asked() {
    for shop in shops().await {
        let (begun, order) = delivered(&shop).await;
        let lines = vec![count(&order.lines[0], 1)];
        let asked = ask_return(&shop, &order.id, &begun.token, lines.clone()).await.unwrap();
        let request = pb::RejectReturnRequest {
            order_id: order.id.clone(),
            return_id: asked.return_id,
            rejection: "used".into(),
            request_id: request_id(),
        };

        let rejected = shop.staff().reject_return(request).await.unwrap().into_inner().order.unwrap();

        assert_eq!((rejected.state(), rejected.lines[0].returned_quantity), (OrderState::Closed, 0));
        assert_eq!(rejected.returns[0].rejection, "used");
        assert!(ask_return(&shop, &order.id, &begun.token, lines).await.is_ok());
    }
}

#[tokio::test]
async fn after_thirty_days_nothing_is_returned() {
    for shop in shops().await {
        let (begun, order) = delivered(&shop).await;
        assert!(order.allowed_actions().any(|action| action == OrderAction::RequestReturn));
        shop.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 + 1));

        let late = ask_return(&shop, &order.id, &begun.token, vec![count(&order.lines[0], 1)]).await;

        assert_eq!(reason(&late.unwrap_err()), "RETURN_TOO_LATE");
        let actions: Vec<OrderAction> = shop.read(&order.id).await.allowed_actions().collect();
        assert_eq!(actions, [OrderAction::Refund]);
    }
}

#[tokio::test]
async fn refunds_at_once_never_give_back_more_than_was_paid() {
    for shop in shops().await {
        let (_, order) = shop.order().await;

        let refunds = (0..20).map(|_| async { refund(&shop, &order.id, Some(500)).await });
        let answers = futures::future::join_all(refunds).await;

        let given = answers.iter().filter(|answer| answer.is_ok()).count();
        // A loser may also be told to look again, never that it was paid.
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        for status in refused {
            assert!(
                ["AMOUNT_EXCEEDS_PAID", "ETAG_MISMATCH"].contains(&reason(status).as_str()),
                "{status:?}"
            );
        }
        for _ in 0..2 {
            shop.later(31).await;
        }
        let order = shop.read(&order.id).await;
        assert!(given <= 3 && units(&order.refunded) == 500 * given as i64);
        assert_eq!(units(&shop.payments.all()[0].refunded), units(&order.refunded));

        let rest = refund(&shop, &order.id, None).await.unwrap();
        assert_eq!((rest.payment_state(), units(&rest.refunded)), (OrderPaymentState::Refunded, 1_800));
        let refused = refund(&shop, &order.id, Some(1)).await.unwrap_err();
        assert_eq!(mesh::status::metadata_of(&refused)["refundable_minor_units"], "0");
    }
}

#[tokio::test]
async fn each_refund_is_told_with_its_own_amount_and_the_sum_so_far() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        refund(&shop, &order.id, Some(500)).await.unwrap();
        refund(&shop, &order.id, Some(300)).await.unwrap();

        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();

        let refunds = news.iter().filter(|event| event.kind == "order.refunded");
        let refunds: Vec<pb::OrderRefunded> = refunds.map(|event| event.decode().unwrap()).collect();
        let told: Vec<(i64, i64)> =
            refunds.iter().map(|told| (units(&told.amount), units(&told.refunded))).collect();
        assert_eq!(told, [(500, 500), (300, 800)]);
        for told in refunds {
            let contact: pb::OrderContact = shop.opener.open(&told.contact.unwrap()).unwrap();
            assert_eq!((contact.email.as_str(), told.number), ("ada@example.org", order.number.clone()));
        }
    }
}

#[tokio::test]
async fn a_refund_survives_a_lost_answer_and_is_given_once() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        shop.payments.faults.plan("RefundPayment", [Fault::AnswerLost, Fault::NotDone]);
        let request = refunding(&order.id, Some(700));

        let pending = shop.staff().refund_order(request.clone()).await.unwrap().into_inner().order.unwrap();
        assert_eq!(units(&pending.refunded), 0);
        for _ in 0..3 {
            shop.later(31).await;
        }

        assert_eq!(units(&shop.read(&order.id).await.refunded), 700);
        assert_eq!(units(&shop.payments.all()[0].refunded), 700);
        shop.payments.faults.plan("RefundPayment", [Fault::Refused]);
        let refused = refund(&shop, &order.id, Some(100)).await.unwrap_err();
        assert_eq!(reason(&refused), "AMOUNT_EXCEEDS_PAID");
        assert_eq!(mesh::status::metadata_of(&refused)["refundable_minor_units"], "1100");
    }
}

#[tokio::test]
async fn news_of_a_refund_wakes_the_order_that_waits_for_it() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        shop.payments.faults.plan("RefundPayment", [Fault::AnswerLost]);
        refund(&shop, &order.id, Some(700)).await.unwrap();
        let payload = pay::PaymentRefunded { checkout_id: order.checkout_id.clone(), ..Default::default() };

        shop.tell(outbox::Event::new("payment.refunded", request_id(), 1, shop.clock.now(), &payload)).await;

        for _ in 0..100 {
            if units(&shop.read(&order.id).await.refunded) == 700 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(units(&shop.read(&order.id).await.refunded), 700);
    }
}

#[tokio::test]
async fn a_watcher_of_an_order_sees_each_change() {
    for shop in shops().await {
        let (begun, order) = shop.order().await;
        let request = pb::WatchOrderRequest { key: Some(by_id(&order.id, &begun.token)) };
        let mut states = shop.guest().watch_order(request).await.unwrap().into_inner();
        assert_eq!(states.next().await.unwrap().unwrap().order.unwrap(), order);

        ship(&shop, &order.id, Vec::new()).await.unwrap();

        let next = states.next().await.unwrap().unwrap().order.unwrap();
        assert_eq!(next.fulfilment_state(), FulfilmentState::Shipped);
    }
}

fn count(line: &pb::OrderLine, quantity: i64) -> pb::LineCount {
    pb::LineCount { line_id: line.id.clone(), quantity }
}

pub async fn ship(shop: &Shop, id: &str, lines: Vec<pb::LineCount>) -> Result<pb::Order, Status> {
    let request = pb::ShipOrderRequest {
        order_id: id.into(),
        lines,
        carrier: "Post".into(),
        tracking_number: "T1".into(),
        request_id: request_id(),
    };
    Ok(shop.staff().ship_order(request).await?.into_inner().order.unwrap())
}

pub async fn deliver(shop: &Shop, id: &str, shipment: &str) -> Result<pb::Order, Status> {
    let request = pb::DeliverShipmentRequest {
        order_id: id.into(),
        shipment_id: shipment.into(),
        request_id: request_id(),
    };
    Ok(shop.staff().deliver_shipment(request).await?.into_inner().order.unwrap())
}

async fn delivered(shop: &Shop) -> (crate::support::Begun, pb::Order) {
    let (begun, order) = shop.order().await;
    let sent = ship(shop, &order.id, Vec::new()).await.unwrap();
    let order = deliver(shop, &order.id, &sent.shipments[0].id).await.unwrap();
    (begun, order)
}

async fn cancel(shop: &Shop, id: &str) -> Result<pb::Order, Status> {
    let request = pb::CancelOrderRequest {
        key: Some(by_id(id, "")),
        reason: "out of print".into(),
        request_id: request_id(),
    };
    Ok(shop.staff().cancel_order(request).await?.into_inner().order.unwrap())
}

pub fn refunding(id: &str, amount: Option<i64>) -> pb::RefundOrderRequest {
    pb::RefundOrderRequest {
        order_id: id.into(),
        amount: amount.and_then(pence),
        reason: "goodwill".into(),
        request_id: request_id(),
    }
}

async fn refund(shop: &Shop, id: &str, amount: Option<i64>) -> Result<pb::Order, Status> {
    Ok(shop.staff().refund_order(refunding(id, amount)).await?.into_inner().order.unwrap())
}

async fn ask_return(
    shop: &Shop,
    id: &str,
    token: &str,
    lines: Vec<pb::LineCount>,
) -> Result<pb::RequestReturnResponse, Status> {
    let request = pb::RequestReturnRequest {
        key: Some(by_id(id, token)),
        lines,
        reason: "too big".into(),
        request_id: request_id(),
    };
    Ok(shop.guest().request_return(request).await?.into_inner())
}

async fn approve(shop: &Shop, id: &str, returned: &str) -> Result<pb::Order, Status> {
    let request = pb::ApproveReturnRequest {
        order_id: id.into(),
        return_id: returned.into(),
        request_id: request_id(),
    };
    Ok(shop.staff().approve_return(request).await?.into_inner().order.unwrap())
}

async fn receive(shop: &Shop, id: &str, returned: &str) -> Result<pb::Order, Status> {
    let request = pb::ReceiveReturnRequest {
        order_id: id.into(),
        return_id: returned.into(),
        restock: true,
        request_id: request_id(),
    };
    Ok(shop.staff().receive_return(request).await?.into_inner().order.unwrap())
}

async fn kinds(shop: &Shop) -> Vec<String> {
    let news = kit::testing::unsent(&shop.database, 100).await.unwrap();
    news.into_iter().map(|event| event.kind).collect()
}
