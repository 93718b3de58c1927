//! The ways to have things sent, as carts and checkouts show them.

use mesh::testing;
use proto::{cart, common, orders, pricing};
use serde_json::{Value, json};
use tonic::Code;

use crate::cart::{quote, wire_cart, with_cart};
use crate::support::{Shop, money, uuid};

const OPTIONS: &str =
    "shippingOptions { methodId title description price { amount currencyCode } daysMin daysMax }";

/// Where they are shown, and where things would be sent from there.
fn places() -> [(&'static str, String, pricing::Destination); 2] {
    let country = pricing::Destination { country_code: "GB".to_owned(), ..Default::default() };
    let address = pricing::Destination {
        country_code: "GB".to_owned(),
        region: "ENG".to_owned(),
        postal_code: "SW1Y 4JH".to_owned(),
    };
    let id = format!("checkout_{}", uuid(800).replace('-', ""));
    [
        ("cart", format!("{{ cart {{ {OPTIONS} }} }}"), country),
        ("checkout", format!("{{ checkout(id: \"{id}\") {{ {OPTIONS} }} }}"), address),
    ]
}

fn checkout(lines: usize) -> orders::Checkout {
    let line = |number| pricing::QuoteLineRequest { variant_id: uuid(10_000 + number), quantity: 2 };
    let priced = pricing::QuoteRequest {
        lines: (0..lines).map(line).collect(),
        currency_code: "GBP".to_owned(),
        ..Default::default()
    };
    let address = common::Address {
        country_code: "GB".to_owned(),
        region: "ENG".to_owned(),
        postal_code: "SW1Y 4JH".to_owned(),
        ..Default::default()
    };
    orders::Checkout {
        id: uuid(800),
        state: orders::CheckoutState::Ready.into(),
        quote: Some(quote(&priced)),
        details: Some(orders::CheckoutDetails { shipping_address: Some(address), ..Default::default() }),
        ..Default::default()
    }
}

/// A shop with a cart and a checkout of so many lines, that sends things by two ways.
fn sending(lines: usize) -> Shop {
    let shop = with_cart(lines);
    shop.cart.on("GetCart", move |_: cart::GetCartRequest| {
        Ok(cart::GetCartResponse { cart: Some(wire_cart(lines)) })
    });
    shop.orders.on("GetCheckout", move |_: orders::GetCheckoutRequest| {
        Ok(orders::GetCheckoutResponse { checkout: Some(checkout(lines)) })
    });
    shop.pricing.on("ListShippingOptions", |_: pricing::ListShippingOptionsRequest| {
        let option = |number, name: &str, price, days_max| pricing::ShippingOption {
            method_id: uuid(number),
            display_name: name.to_owned(),
            description: format!("{name} it is."),
            price: money(price),
            days_min: 1,
            days_max,
        };
        let options = vec![option(1, "Post", 300, 3), option(2, "Courier", 1_250, 1)];
        Ok(pricing::ListShippingOptionsResponse { options, ..Default::default() })
    });
    shop
}

async fn shown(shop: &Shop, place: &str, query: &str) -> (Value, Value) {
    let answer = shop.ask(query, json!({})).by(&testing::customer()).answer().await;
    (answer.json["data"][place]["shippingOptions"].clone(), answer.json["errors"].clone())
}

#[tokio::test]
async fn the_ways_to_send_what_is_in_a_cart_or_checkout_are_shown_as_pricing_knows_them() {
    for (place, query, _) in places() {
        let (options, errors) = shown(&sending(2), place, &query).await;

        let option = |number, name: &str, price: &str, days| {
            json!({
                "methodId": format!("shippingmethod_{}", uuid(number).replace('-', "")),
                "title": name,
                "description": format!("{name} it is."),
                "price": { "amount": price, "currencyCode": "GBP" },
                "daysMin": 1,
                "daysMax": days,
            })
        };
        assert_eq!(options, json!([option(1, "Post", "3.00", 3), option(2, "Courier", "12.50", 1)]));
        assert!(errors.is_null(), "{place}: {errors}");
    }
}

#[tokio::test]
async fn they_are_those_for_the_lines_and_for_where_things_go() {
    for (place, query, destination) in places() {
        let shop = sending(2);
        shop.pricing.on("ListShippingOptions", move |request: pricing::ListShippingOptionsRequest| {
            let lines: Vec<_> = request.lines.iter().map(|line| (&*line.variant_id, line.quantity)).collect();
            assert_eq!(lines, [(&*uuid(10_000), 2), (&*uuid(10_001), 2)]);
            assert_eq!(request.currency_code, "GBP");
            assert_eq!(request.destination.as_ref(), Some(&destination));
            assert_eq!((request.page_size, request.page_token.as_str()), (50, ""));
            Ok(pricing::ListShippingOptionsResponse::default())
        });

        let (options, errors) = shown(&shop, place, &query).await;

        assert_eq!((options, errors), (json!([]), Value::Null), "{place}");
    }
}

#[tokio::test]
async fn nothing_is_sent_of_an_empty_cart_and_nobody_is_asked() {
    for (place, query, _) in places() {
        let shop = sending(0);

        let (options, errors) = shown(&shop, place, &query).await;

        assert_eq!((options, errors), (json!([]), Value::Null), "{place}");
        assert!(shop.calls().iter().all(|(method, _)| method != "ListShippingOptions"));
    }
}

#[tokio::test]
async fn they_are_null_while_pricing_does_not_answer() {
    for (place, query, _) in places() {
        let shop = sending(1);
        shop.pricing.fails("ListShippingOptions", Code::Unavailable);

        let (options, errors) = shown(&shop, place, &query).await;

        assert_eq!(options, Value::Null);
        assert_eq!(errors.as_array().map(Vec::len), Some(1), "{place}: {errors}");
        assert_eq!(errors[0]["extensions"]["service"], "pricing");
    }
}
