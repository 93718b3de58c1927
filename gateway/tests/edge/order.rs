//! Checkouts and orders.

use mesh::testing;
use proto::{orders as pb, payments, pricing};
use serde_json::json;
use tonic::Code;

use crate::cart::{quote, with_cart};
use crate::support::{Shop, money, refused, shop, uuid};

fn checkout(state: pb::CheckoutState) -> pb::Checkout {
    let request = pricing::QuoteRequest {
        lines: vec![pricing::QuoteLineRequest { variant_id: uuid(10_000), quantity: 2 }],
        currency_code: "GBP".to_owned(),
        ..Default::default()
    };
    let done = state == pb::CheckoutState::Completed;
    pb::Checkout {
        id: uuid(800),
        state: state.into(),
        cart_id: uuid(900),
        quote: Some(quote(&request)),
        details: Some(pb::CheckoutDetails { email: "ada@shop.example".to_owned(), ..Default::default() }),
        missing: if done { Vec::new() } else { vec!["shipping_address".to_owned()] },
        order_id: if done { uuid(700) } else { String::new() },
        order_number: if done { "S-ABCDEFGH".to_owned() } else { String::new() },
        version: 2,
        ..Default::default()
    }
}

pub fn order(number: usize) -> pb::Order {
    let line = |at: usize| pb::OrderLine {
        id: uuid(600 + at),
        variant_id: uuid(10_000 + at),
        product_id: uuid(at),
        sku: format!("SKU-{at}"),
        product_title: format!("Thing {at}"),
        quantity: 2,
        unit_price: money(1_999),
        net: money(3_332),
        tax: money(666),
        total: money(3_998),
        tax_rate_ppm: 200_000,
        ..Default::default()
    };
    pb::Order {
        id: uuid(number),
        number: "S-ABCDEFGH".to_owned(),
        origin: pb::OrderOrigin::Checkout.into(),
        state: pb::OrderState::Open.into(),
        payment_state: pb::OrderPaymentState::Paid.into(),
        fulfilment_state: pb::FulfilmentState::PartiallyShipped.into(),
        allowed_actions: vec![pb::OrderAction::Ship.into(), pb::OrderAction::Refund.into()],
        lines: (0..2).map(line).collect(),
        totals: Some(pb::OrderTotals {
            subtotal: money(7_996),
            total: money(7_996),
            tax: money(1_332),
            ..Default::default()
        }),
        payment_id: uuid(650),
        shipments: vec![pb::Shipment {
            id: uuid(640),
            lines: vec![pb::LineCount { line_id: uuid(601), quantity: 1 }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn ordering() -> Shop {
    let shop = with_cart(1);
    shop.orders.on("GetOrder", |request: pb::GetOrderRequest| {
        let key = request.key.unwrap();
        match key.token.as_str() {
            "wrong" => Err(refused(Code::NotFound, "orders", "REASON_ORDER_NOT_FOUND")),
            _ => Ok(pb::GetOrderResponse { order: Some(order(700)) }),
        }
    });
    shop.orders.on("ListOrders", |request: pb::ListOrdersRequest| {
        assert!(!request.all_accounts);
        let orders = (0..usize::try_from(request.page_size).unwrap()).map(|at| order(5_000 + at)).collect();
        Ok(pb::ListOrdersResponse { orders, ..Default::default() })
    });
    shop
}

#[tokio::test]
async fn a_guest_checks_out_with_what_the_browser_carries() {
    let shop = ordering();
    shop.orders.on("StartCheckout", |request: pb::StartCheckoutRequest| {
        assert_eq!((request.cart_id, request.cart_token.as_str()), (uuid(900), "secret"));
        assert_eq!(request.details.unwrap().email, "ada@shop.example");
        Ok(pb::StartCheckoutResponse {
            checkout: Some(checkout(pb::CheckoutState::Ready)),
            token: "pass".to_owned(),
        })
    });
    shop.orders.on("CompleteCheckout", |request: pb::CompleteCheckoutRequest| {
        let key = request.key.unwrap();
        assert_eq!((key.checkout_id, key.token.as_str()), (uuid(800), "pass"));
        assert_eq!(
            (request.quote_id.as_str(), request.payment_method_token.as_str()),
            ("digest", "test_approve")
        );
        Ok(pb::CompleteCheckoutResponse { checkout: Some(checkout(pb::CheckoutState::Completed)) })
    });

    let start = "mutation { checkoutStart(input: { email: \"ada@shop.example\" }, idempotencyKey: \"1\") {
        token checkout { id status missing cost { quoteId totalAmount { amount } } lines { quantity } }
        userErrors { code } warnings { code target } } }";
    let started =
        shop.ask(start, json!({})).with_cookie(&format!("cart={}.secret", uuid(900))).answer().await;
    let payload = &started.data()["checkoutStart"];
    assert_eq!(payload["checkout"]["status"], "READY");
    assert_eq!(payload["checkout"]["missing"], json!(["shippingAddress"]));
    assert_eq!(payload["warnings"], json!([{ "code": "DISCOUNT_CODE_NOT_APPLIED", "target": "WELCOME" }]));
    let cookie = started.cookies()[0].split(';').next().unwrap().to_owned();
    assert_eq!(cookie, format!("checkout={}.pass", uuid(800)));

    let complete = "mutation($id: ID!) { checkoutComplete(checkoutId: $id, quoteId: \"digest\",
        paymentMethodToken: \"test_approve\", idempotencyKey: \"2\") {
        checkout { status orderNumber order { number lines { title } } } userErrors { code } } }";
    shop.calls();
    let id = payload["checkout"]["id"].clone();
    let completed = shop.ask(complete, json!({ "id": id })).with_cookie(&cookie).answer().await;
    let bought = &completed.data()["checkoutComplete"]["checkout"];
    assert_eq!(bought["status"], "COMPLETED");
    assert_eq!(bought["order"]["lines"][1]["title"], "Thing 1");
    let wanted = ["CompleteCheckout", "GetOrder"];
    assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
}

#[tokio::test]
async fn after_a_changed_price_the_checkout_carries_the_new_quote() {
    let shop = ordering();
    shop.orders.on("CompleteCheckout", |_: pb::CompleteCheckoutRequest| {
        Err::<pb::CompleteCheckoutResponse, _>(refused(
            Code::FailedPrecondition,
            "orders",
            "REASON_QUOTE_CHANGED",
        ))
    });
    shop.orders.on("GetCheckout", |_: pb::GetCheckoutRequest| {
        Ok(pb::GetCheckoutResponse { checkout: Some(checkout(pb::CheckoutState::Ready)) })
    });

    let complete = "mutation { checkoutComplete(checkoutId: \"checkout_01934c2e7b6a7c3e9a51000000000800\", token: \"pass\",
        quoteId: \"old\", idempotencyKey: \"2\") { checkout { cost { quoteId } } userErrors { code } } }";
    let answer = shop.ask(complete, json!({})).answer().await;

    let payload = &answer.data()["checkoutComplete"];
    assert_eq!(payload["userErrors"], json!([{ "code": "QUOTE_CHANGED" }]));
    assert_eq!(payload["checkout"]["cost"]["quoteId"], "digest");
}

#[tokio::test]
async fn the_orders_of_a_customer_cost_the_same_for_one_and_a_hundred() {
    let query = "query($first: Int!) { customer { email orders(first: $first) { nodes { number status paymentStatus fulfilmentStatus
        allowedActions totals { totalAmount { amount } } lines { quantity merchandise { sku } }
        shipments { lines { quantity line { sku } } } } } } }";
    for first in [1, 100] {
        let shop = ordering();
        shop.identity.on("GetAccount", |_: proto::identity::GetAccountRequest| {
            let account =
                proto::identity::Account { email: "ada@shop.example".to_owned(), ..Default::default() };
            Ok(proto::identity::GetAccountResponse { account: Some(account) })
        });

        let answer = shop.ask(query, json!({ "first": first })).by(&testing::customer()).answer().await;

        let orders = answer.data()["customer"]["orders"]["nodes"].as_array().unwrap();
        assert_eq!(orders.len(), first);
        assert_eq!(orders[0]["allowedActions"], json!(["SHIP", "REFUND"]));
        assert_eq!(orders[0]["shipments"][0]["lines"][0]["line"]["sku"], "SKU-1");
        assert_eq!(orders[0]["lines"][1]["merchandise"]["sku"], "SKU-1");
        let wanted = ["BatchGetVariants", "GetAccount", "ListOrders"];
        assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
    }
}

#[tokio::test]
async fn another_customers_order_is_not_there() {
    let shop = ordering();
    let query = "query($token: String) { order(number: \"S-ABCDEFGH\", token: $token) { number } }";

    let right = shop.ask(query, json!({ "token": "pass" })).answer().await;
    let wrong = shop.ask(query, json!({ "token": "wrong" })).answer().await;
    let listed = shop.ask("{ orders { nodes { number } } }", json!({})).answer().await;

    assert_eq!(right.data()["order"]["number"], "S-ABCDEFGH");
    assert!(wrong.data()["order"].is_null());
    assert_eq!(listed.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_cancelled_order_says_where_its_money_is() {
    let shop = ordering();
    shop.orders.on("CancelOrder", |request: pb::CancelOrderRequest| {
        assert_eq!(request.reason, "changed my mind");
        let cancelled = pb::Order { state: pb::OrderState::Cancelled.into(), ..order(700) };
        Ok(pb::CancelOrderResponse { order: Some(cancelled) })
    });
    let query = "mutation { orderCancel(id: \"order_01934c2e7b6a7c3e9a51000000000700\", reason: \"changed my mind\", idempotencyKey: \"1\") {
        order { status } userErrors { code } warnings { code } } }";

    let answer = shop.ask(query, json!({})).by(&testing::customer()).answer().await;

    assert_eq!(
        answer.data()["orderCancel"],
        json!({ "order": { "status": "CANCELLED" }, "userErrors": [], "warnings": [{ "code": "PAYMENT_NOT_SETTLED" }] })
    );
}

#[tokio::test]
async fn staff_see_what_happened_to_the_money() {
    let shop = ordering();
    shop.payments.on("BatchGetPayments", |request: payments::BatchGetPaymentsRequest| {
        let payment = |id| payments::Payment {
            id,
            state: payments::PaymentState::Captured.into(),
            amount: money(7_996),
            ..Default::default()
        };
        let payments = request.payment_ids.into_iter().map(payment).collect();
        Ok(payments::BatchGetPaymentsResponse { payments, missing: Vec::new() })
    });
    shop.payments.on("ListPaymentEvents", |_: payments::ListPaymentEventsRequest| {
        let event = payments::PaymentEvent {
            r#type: payments::PaymentEventType::ChargeSuccess.into(),
            amount: money(7_996),
            ..Default::default()
        };
        Ok(payments::ListPaymentEventsResponse {
            payment_events: vec![event],
            next_page_token: String::new(),
        })
    });
    let query = "{ order(id: \"order_01934c2e7b6a7c3e9a51000000000700\") { payment { status events { nodes { type amount { amount } } } } } }";

    let staff = shop.ask(query, json!({})).by(&testing::staff(&["payments.read"])).answer().await;
    let customer = shop.ask(query, json!({})).by(&testing::customer()).answer().await;

    assert_eq!(
        staff.data()["order"]["payment"]["events"]["nodes"][0],
        json!({ "type": "CHARGE_SUCCESS", "amount": { "amount": "79.96" } })
    );
    assert!(customer.json["data"]["order"]["payment"].is_null());
    assert_eq!(customer.code(), "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_list_of_orders_asks_for_no_more_than_it_shows() {
    let shop = shop();
    shop.orders.on("ListOrders", |request: pb::ListOrdersRequest| {
        let mut paths = request.read_mask.unwrap().paths;
        paths.sort();
        assert_eq!(paths, ["fulfilment_state", "id", "number", "totals"]);
        Ok(pb::ListOrdersResponse { orders: vec![order(700)], ..Default::default() })
    });
    let query =
        "{ orders(first: 5) { nodes { id number fulfilmentStatus totals { totalAmount { amount } } } } }";

    let answer = shop.ask(query, json!({})).by(&testing::staff(&["orders.read"])).answer().await;

    assert_eq!(answer.data()["orders"]["nodes"][0]["number"], "S-ABCDEFGH");
}
