//! What a guest does in a storefront, from the first thing put into the cart to the page that says thank you.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::SETTLING_TIME_MAX;
use super::client::{Client, Repeats, list, number, pence, text};
use crate::process::Error;

/// Lines that one mutation of a cart takes.
const LINES_PER_MUTATION_MAX: usize = 250;
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

const CREATE: &str = "mutation($lines: [CartLineInput!]!, $buyer: CartBuyerIdentityInput, $key: ID!) {
    cartCreate(lines: $lines, buyerIdentity: $buyer, idempotencyKey: $key) {
        cart { id totalQuantity } token userErrors { code message } warnings { code message } } }";
const ADD: &str = "mutation($cart: ID!, $token: String!, $lines: [CartLineInput!]!, $key: ID!) {
    cartLinesAdd(cartId: $cart, token: $token, lines: $lines, idempotencyKey: $key) {
        cart { id totalQuantity } userErrors { code message } warnings { code message } } }";
const START: &str = "mutation($cart: ID!, $token: String!, $input: CheckoutInput!, $key: ID!) {
    checkoutStart(cartId: $cart, token: $token, input: $input, idempotencyKey: $key) {
        checkout { id shippingOptions { methodId price { amount } } }
        token userErrors { field code message } warnings { code message } } }";
const CHOOSE: &str = "mutation($checkout: ID!, $token: String!, $input: CheckoutInput!, $key: ID!) {
    checkoutUpdate(checkoutId: $checkout, token: $token, input: $input, idempotencyKey: $key) {
        checkout { missing cost { quoteId shippingAmount { amount } totalAmount { amount } } }
        userErrors { field code message } warnings { code message } } }";
const COMPLETE: &str =
    "mutation($checkout: ID!, $token: String!, $quote: String!, $card: String!, $key: ID!) {
    checkoutComplete(checkoutId: $checkout, token: $token, quoteId: $quote, paymentMethodToken: $card,
            idempotencyKey: $key) {
        checkout { status failureMessage } userErrors { field code message } warnings { code message } } }";
const STATUS: &str = "query($checkout: ID!, $token: String!) {
    checkout(id: $checkout, token: $token) { status failureMessage } }";
const THANKS: &str =
    "query($checkout: ID!, $token: String!) { checkout(id: $checkout, token: $token) { order {
    number status
    lines { sku quantity unitPrice { amount } totalAmount { gross { amount } } }
    totals { subtotalAmount { amount } shippingAmount { amount } taxAmount { amount } totalAmount { amount } }
} } }";

/// What somebody wants, and where it goes.
pub(crate) struct Basket {
    /// Variant and how many, each variant once.
    pub(crate) lines: Vec<(String, i64)>,
    pub(crate) country: &'static str,
}

/// An order as the guest sees it, in pence.
pub(crate) struct Order {
    pub(crate) number: String,
    pub(crate) status: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) subtotal: i64,
    pub(crate) shipping: i64,
    pub(crate) tax: i64,
    pub(crate) total: i64,
    /// What the checkout quoted before it was bought.
    pub(crate) quoted_shipping: i64,
    pub(crate) quoted_total: i64,
    /// From the first thing in the cart to the order.
    pub(crate) took: Duration,
    /// Of that, from the click on "buy" to the order's being paid.
    pub(crate) completing: Duration,
}

/// A line of an order, in pence.
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) quantity: i64,
    pub(crate) unit_price: i64,
    pub(crate) total: i64,
}

/// All baskets, bought by so many guests at once; each guest buys one basket from an address of their own, so the edge
/// sees what a shop on the internet sees, and its limits hold for each.
pub(crate) async fn buy_all(
    url: &str,
    baskets: Vec<Basket>,
    at_once: usize,
    repeats: &Repeats,
    progress: impl Fn(usize),
) -> Result<(Vec<Result<Order, Error>>, Duration), Error> {
    let count = baskets.len();
    let baskets = Arc::new(baskets);
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let (done, mut finished) = tokio::sync::mpsc::channel(at_once.max(1));
    let mut shoppers = JoinSet::new();
    for _ in 0..at_once {
        let (baskets, next, done) = (baskets.clone(), next.clone(), done.clone());
        let (url, repeats) = (url.to_owned(), repeats.clone());
        shoppers.spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(basket) = baskets.get(at) else { return };
                let bought = buy(&url, at, basket, &repeats).await;
                if done.send((at, bought)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(done);
    let mut orders = Vec::with_capacity(count);
    while let Some(bought) = finished.recv().await {
        orders.push(bought);
        progress(orders.len());
    }
    let took = began.elapsed();
    if orders.len() != count {
        return Err(Error::Refused(format!("{} of {count} baskets came to an end", orders.len())));
    }
    orders.sort_by_key(|(at, _)| *at);
    Ok((orders.into_iter().map(|(_, order)| order).collect(), took))
}

async fn buy(url: &str, guest: usize, basket: &Basket, repeats: &Repeats) -> Result<Order, Error> {
    let client = Client::new(url, address(guest), repeats.clone())?;
    let began = Instant::now();
    let (cart, token) = fill_cart(&client, basket).await?;
    let key = Uuid::new_v4;
    let input = json!({
        "email": format!("guest-{guest}@example.com"),
        "shippingAddress": {
            "givenName": "Grace", "familyName": "Guest", "lines": ["1 Bench Lane"],
            "city": "Anytown", "postalCode": "AB1 2CD", "countryCode": basket.country,
        },
    });
    let variables = json!({ "cart": cart, "token": token, "input": input, "key": key() });
    let started = client.change("checkoutStart", START, variables).await?;
    let checkout = text(&started, "/checkout/id")?;
    let token = text(&started, "/token")?;
    let input = json!({ "shippingMethodId": cheapest(&started)? });
    let variables = json!({ "checkout": checkout, "token": token, "input": input, "key": key() });
    let chosen = client.change("checkoutUpdate", CHOOSE, variables).await?;

    let clicked = Instant::now();
    let variables = json!({
        "checkout": checkout, "token": token, "quote": text(&chosen, "/checkout/cost/quoteId")?,
        "card": "test_approve", "key": key(),
    });
    let completed = client.change("checkoutComplete", COMPLETE, variables).await?;
    let held = json!({ "checkout": checkout, "token": token });
    settle(&client, &held, &completed).await?;
    let completing = clicked.elapsed();
    let thanks = client.ask(THANKS, held).await?;
    read_order(&thanks, &chosen, began.elapsed(), completing)
}

/// Puts everything into a new cart; answers with the cart and its token.
async fn fill_cart(client: &Client, basket: &Basket) -> Result<(String, String), Error> {
    let convert = |some: &[(String, i64)]| -> Vec<Value> {
        let line = |(id, quantity): &(String, i64)| json!({ "merchandiseId": id, "quantity": quantity });
        some.iter().map(line).collect()
    };
    let mut parts = basket.lines.chunks(LINES_PER_MUTATION_MAX);
    let first = parts.next().unwrap_or_default();
    let buyer = json!({ "countryCode": basket.country, "currencyCode": "GBP" });
    let variables = json!({ "lines": convert(first), "buyer": buyer, "key": Uuid::new_v4() });
    let mut held = client.change("cartCreate", CREATE, variables).await?;
    let cart = text(&held, "/cart/id")?.to_owned();
    let token = text(&held, "/token")?.to_owned();
    for part in parts {
        let lines = convert(part);
        let variables = json!({ "cart": cart, "token": token, "lines": lines, "key": Uuid::new_v4() });
        held = client.change("cartLinesAdd", ADD, variables).await?;
    }
    let wanted: i64 = basket.lines.iter().map(|(_, quantity)| quantity).sum();
    let there = number(&held, "/cart/totalQuantity")?;
    match there == wanted {
        true => Ok((cart, token)),
        false => Err(Error::Refused(format!("the cart has {there} pieces instead of {wanted}"))),
    }
}

fn cheapest(started: &Value) -> Result<String, Error> {
    let mut offers = Vec::new();
    for option in list(started, "/checkout/shippingOptions")? {
        offers.push((pence(option, "/price/amount")?, text(option, "/methodId")?.to_owned()));
    }
    let offer = offers.into_iter().min().map(|(_, method)| method);
    offer.ok_or_else(|| Error::Refused("there is no way to send it".to_owned()))
}

/// Waits until the checkout is decided; anything but an order is an error.
async fn settle(client: &Client, held: &Value, completed: &Value) -> Result<(), Error> {
    let began = Instant::now();
    let mut seen = completed.clone();
    loop {
        match text(&seen, "/checkout/status")? {
            "COMPLETED" => return Ok(()),
            "PROCESSING" | "PAYMENT_PENDING" if began.elapsed() < SETTLING_TIME_MAX => {
                tokio::time::sleep(WATCH_INTERVAL).await;
                seen = client.ask(STATUS, held.clone()).await?;
            }
            _ => return Err(Error::Refused(format!("the checkout did not complete: {seen}"))),
        }
    }
}

fn read_order(thanks: &Value, chosen: &Value, took: Duration, completing: Duration) -> Result<Order, Error> {
    let missing = || Error::Refused(format!("a completed checkout without an order: {thanks}"));
    let order = thanks.pointer("/checkout/order").ok_or_else(missing)?;
    let line = |line: &Value| {
        Ok(Line {
            sku: text(line, "/sku")?.to_owned(),
            quantity: number(line, "/quantity")?,
            unit_price: pence(line, "/unitPrice/amount")?,
            total: pence(line, "/totalAmount/gross/amount")?,
        })
    };
    Ok(Order {
        number: text(order, "/number")?.to_owned(),
        status: text(order, "/status")?.to_owned(),
        lines: list(order, "/lines")?.iter().map(line).collect::<Result<_, Error>>()?,
        subtotal: pence(order, "/totals/subtotalAmount/amount")?,
        shipping: pence(order, "/totals/shippingAmount/amount")?,
        tax: pence(order, "/totals/taxAmount/amount")?,
        total: pence(order, "/totals/totalAmount/amount")?,
        quoted_shipping: pence(chosen, "/checkout/cost/shippingAmount/amount")?,
        quoted_total: pence(chosen, "/checkout/cost/totalAmount/amount")?,
        took,
        completing,
    })
}

/// Every guest has an address; all of 127.0.0.0/8 is this machine.
pub(crate) fn address(guest: usize) -> IpAddr {
    let [.., c, d] = guest.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 1, c, d))
}
