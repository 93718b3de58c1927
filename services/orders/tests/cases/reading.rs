//! Who sees which orders, one by one and in lists.

use mesh::User;
use mesh::testing::{customer, staff};
use proto::orders as pb;
use tonic::Code;

use crate::support::{Shop, by_id, details, reason, request_id, shops, starting};

#[tokio::test]
async fn an_order_is_read_by_id_and_by_number_by_those_who_may() {
    for shop in shops().await {
        let (begun, order) = shop.order().await;
        let by_number = |token: &str| {
            let key = pb::order_key::Key::Number(order.number.to_lowercase());
            let key = pb::OrderKey { key: Some(key), token: token.into() };
            pb::GetOrderRequest { key: Some(key), ..Default::default() }
        };
        let get =
            |token: &str| pb::GetOrderRequest { key: Some(by_id(&order.id, token)), ..Default::default() };

        let by_buyer = shop.guest().get_order(by_number(&begun.token)).await.unwrap().into_inner();

        assert_eq!(by_buyer.order.unwrap(), order);
        assert!(shop.staff().get_order(get("")).await.is_ok());
        for refused in [
            shop.guest().get_order(get("")).await,
            shop.guest().get_order(by_number("")).await,
            shop.user(&customer()).get_order(get("x")).await,
            shop.user(&staff(&["stock.read"])).get_order(get("")).await,
        ] {
            assert_eq!(reason(&refused.unwrap_err()), "ORDER_NOT_FOUND");
        }
        let malformed =
            pb::GetOrderRequest { key: Some(by_id("1; DROP TABLE orders", "")), ..Default::default() };
        let refused = shop.staff().get_order(malformed).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "key.order_id");
    }
}

#[tokio::test]
async fn only_staff_change_orders_and_refund_them() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        let ship = pb::ShipOrderRequest {
            order_id: order.id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let refund = pb::RefundOrderRequest {
            order_id: order.id.clone(),
            reason: "x".into(),
            request_id: request_id(),
            ..Default::default()
        };

        let by_customer = shop.user(&customer()).ship_order(ship.clone()).await.unwrap_err();
        let by_guest = shop.guest().ship_order(ship).await.unwrap_err();
        let by_clerk = shop.user(&staff(&["orders.write"])).refund_order(refund).await.unwrap_err();

        assert_eq!(by_customer.code(), Code::PermissionDenied);
        assert_eq!(by_guest.code(), Code::Unauthenticated);
        assert_eq!(by_clerk.code(), Code::PermissionDenied);
        assert_eq!(shop.read(&order.id).await, order);
    }
}

#[tokio::test]
async fn a_customer_lists_his_own_orders_to_the_end() {
    for shop in shops().await {
        let (ada, eve) = (customer(), customer());
        let mut bought = Vec::new();
        for _ in 0..5 {
            bought.push(buy(&shop, &ada).await);
            shop.clock.advance(std::time::Duration::from_secs(1));
        }
        let eves = buy(&shop, &eve).await;
        bought.reverse();

        let mut seen = Vec::new();
        let mut request = pb::ListOrdersRequest { page_size: 2, ..Default::default() };
        loop {
            let page = shop.user(&ada).list_orders(request.clone()).await.unwrap().into_inner();
            assert!(page.orders.len() <= 2 && page.total_size.is_none());
            seen.extend(page.orders.into_iter().map(|order| order.id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }

        assert_eq!(seen, bought);
        // What is told beside a page does not bind its token; which orders are listed does.
        let (one, staff) =
            (pb::ListOrdersRequest { page_size: 2, all_accounts: true, ..Default::default() }, shop.staff());
        let asked = pb::ListOrdersRequest { with_totals: true, ..one.clone() };
        let first = staff.clone().list_orders(asked).await.unwrap().into_inner();
        let next = pb::ListOrdersRequest { page_token: first.next_page_token, ..one };
        let second = staff.clone().list_orders(next).await.unwrap().into_inner();
        assert_eq!((first.total_size, second.total_size, second.orders.len()), (Some(6), None, 2));
        let changed = pb::ListOrdersRequest { state: pb::OrderState::Cancelled.into(), ..request };
        let refused = shop.user(&ada).list_orders(changed).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
        let all = pb::ListOrdersRequest { all_accounts: true, ..Default::default() };
        let refused = shop.user(&ada).list_orders(all).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_MISSING");

        let ids = vec![bought[1].clone(), eves.clone(), bought[0].clone(), bought[1].clone()];
        let request = pb::BatchGetOrdersRequest { order_ids: ids, ..Default::default() };
        let batch = shop.user(&ada).batch_get_orders(request).await.unwrap().into_inner();
        let found: Vec<&str> = batch.orders.iter().map(|order| order.id.as_str()).collect();
        assert_eq!(found, [bought[1].as_str(), bought[0].as_str()]);
        assert_eq!(batch.missing, [eves]);
        let many = |count| pb::BatchGetOrdersRequest {
            order_ids: (0..count).map(|_| request_id()).collect(),
            ..Default::default()
        };
        let answer = shop.user(&ada).batch_get_orders(many(1_500)).await.unwrap().into_inner();
        assert_eq!(answer.missing.len(), 1_500);
        let refused = shop.user(&ada).batch_get_orders(many(1_501)).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn what_a_mask_leaves_out_is_not_there_and_lines_are_not_even_read() {
    for shop in shops().await {
        let (_, whole) = shop.order().await;
        let masked = async |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            let read_mask = Some(prost_types::FieldMask { paths });
            let get = pb::GetOrderRequest { key: Some(by_id(&whole.id, "")), read_mask: read_mask.clone() };
            let batch =
                pb::BatchGetOrdersRequest { order_ids: vec![whole.id.clone()], read_mask: read_mask.clone() };
            let list = pb::ListOrdersRequest { all_accounts: true, read_mask, ..Default::default() };
            let before = shop.database.statements();
            let got = shop.staff().get_order(get).await?.into_inner().order.unwrap();
            let batch = shop.staff().batch_get_orders(batch).await?.into_inner().orders;
            let listed = shop.staff().list_orders(list).await?.into_inner().orders;
            assert!([batch, listed].iter().all(|orders| *orders == [got.clone()]));
            Ok::<_, tonic::Status>((got, shop.database.statements() - before))
        };

        let (all, with_lines) = masked(&[]).await.unwrap();
        assert_eq!(all, whole);
        let (id_alone, without) = masked(&["id"]).await.unwrap();
        assert_eq!(id_alone, pb::Order { id: whole.id.clone(), ..Default::default() });
        assert_eq!(without, with_lines - 3);
        let (states, without) = masked(&["state", "payment_state", "fulfilment_state"]).await.unwrap();
        let (state, payment_state) = (whole.state, whole.payment_state);
        let id = whole.id.clone();
        let fulfilment_state = whole.fulfilment_state;
        assert_eq!(states, pb::Order { id, state, payment_state, fulfilment_state, ..Default::default() });
        assert_eq!(without, with_lines - 3);
        let (actions, _) = masked(&["allowed_actions"]).await.unwrap();
        assert_eq!((actions.allowed_actions, actions.lines.len()), (whole.allowed_actions.clone(), 0));
        assert_eq!(reason(&masked(&["lines.sku"]).await.unwrap_err()), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn staff_filter_and_add_up() {
    for shop in shops().await {
        let (ada, eve) = (customer(), customer());
        let (first, second) = (buy(&shop, &ada).await, buy(&shop, &eve).await);
        let cancel = pb::CancelOrderRequest {
            key: Some(by_id(&second, "")),
            reason: String::new(),
            request_id: request_id(),
        };
        shop.user(&eve).cancel_order(cancel).await.unwrap();
        let all = pb::ListOrdersRequest { all_accounts: true, with_totals: true, ..Default::default() };
        let now = kit::time::to_proto(shop.clock.now());
        let filters = [
            (pb::ListOrdersRequest { state: pb::OrderState::Open.into(), ..all.clone() }, vec![&first]),
            (pb::ListOrdersRequest { account_id: eve.account.to_string(), ..all.clone() }, vec![&second]),
            (
                pb::ListOrdersRequest { payment_state: pb::OrderPaymentState::Paid.into(), ..all.clone() },
                vec![&first],
            ),
            (
                pb::ListOrdersRequest {
                    fulfilment_state: pb::FulfilmentState::Unfulfilled.into(),
                    ..all.clone()
                },
                vec![&second, &first],
            ),
            (pb::ListOrdersRequest { origin: pb::OrderOrigin::Imported.into(), ..all.clone() }, vec![]),
            (pb::ListOrdersRequest { place_time_max: Some(now), ..all.clone() }, vec![]),
            (pb::ListOrdersRequest { place_time_min: Some(now), ..all }, vec![&second, &first]),
        ];

        for (filter, expected) in filters {
            let page = shop.staff().list_orders(filter).await.unwrap().into_inner();
            let ids: Vec<&String> = page.orders.iter().map(|order| &order.id).collect();
            assert_eq!(ids, expected);
            assert_eq!(page.total_size, Some(expected.len() as i64));
            let sum: i64 = page.total_amounts.iter().map(|amount| amount.minor_units).sum();
            assert_eq!(sum, 1_300 * expected.len() as i64);
        }
    }
}

/// One "a" and the postage: 1,300 pence.
async fn buy(shop: &Shop, user: &User) -> String {
    let cart = shop.cart(Some(user), &[("a", 1)]);
    let start = pb::StartCheckoutRequest { cart_token: String::new(), ..starting(&cart, details(&[])) };
    let started = shop.user(user).start_checkout(start).await.unwrap().into_inner();
    let checkout = started.checkout.unwrap();
    let begun = crate::support::Begun { checkout, token: started.token, cart };
    let answer = shop.user(user).complete_checkout(begun.completing("test_approve")).await.unwrap();
    answer.into_inner().checkout.unwrap().order_id
}
