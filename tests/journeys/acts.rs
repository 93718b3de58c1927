//! What people do in a shop, said once.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Visitor, text};

pub const STANDARD: &str = "shippingmethod_01900000000070008000000000000001";
/// Of standard delivery within the country, below the amount from which it is free.
pub const STANDARD_PENCE: i64 = 395;

/// A product with one variant.
#[derive(Clone)]
pub struct Goods {
    pub product: String,
    pub variant: String,
    pub sku: String,
}

/// Something with an id, and a token where it is a guest's.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: String,
    pub token: Option<String>,
}

/// A checkout that lacks nothing but a payment.
#[derive(Clone, Debug)]
pub struct Ready {
    pub held: Held,
    pub quote: String,
    pub total: Value,
}

pub const START: &str = "mutation($id: ID, $token: String, $input: CheckoutInput!, $key: ID!) {
    answer: checkoutStart(cartId: $id, token: $token, input: $input, idempotencyKey: $key) {
        checkout { id status missing cost { quoteId totalAmount { amount } } } token
        userErrors { field code message } } }";

pub const COMPLETE: &str =
    "mutation($id: ID!, $token: String, $quote: String!, $card: String, $back: String, $key: ID!) {
    answer: checkoutComplete(checkoutId: $id, token: $token, quoteId: $quote, paymentMethodToken: $card,
            returnUrl: $back, idempotencyKey: $key) {
        checkout { id status actionUrl lastFailure shortages { sku requestedQuantity availableQuantity }
            cost { quoteId totalAmount { amount } } order { id number } }
        userErrors { field code message } } }";

pub const CHECKOUT: &str = "query($id: ID!, $token: String) { answer: checkout(id: $id, token: $token) {
    status actionUrl lastFailure cost { quoteId totalAmount { amount } } order { id number } } }";

pub const ORDER: &str = "query($id: ID!, $token: String) { answer: order(id: $id, token: $token) {
    id number origin status paymentStatus fulfilmentStatus allowedActions email
    lines { id sku quantity unitPrice { amount } totalAmount { net { amount } tax { amount } gross { amount } }
        shippedQuantity deliveredQuantity returnedQuantity }
    totals { subtotalAmount { amount } shippingAmount { amount } taxAmount { amount } totalAmount { amount } }
    paidAmount { amount } refundedAmount { amount }
    shipments { id deliveredAt } returns { id status } } }";

pub const PRODUCT_CREATE: &str = "mutation($input: ProductInput!, $key: ID!) {
    answer: productCreate(input: $input, idempotencyKey: $key) {
        product { id etag status handle variants { nodes { id sku } } } userErrors { field code message } } }";

pub const STOCK_ADJUST: &str =
    "mutation($adjustments: [StockAdjustmentInput!]!, $reason: String!, $key: ID!) {
    answer: stockAdjust(adjustments: $adjustments, reason: $reason, idempotencyKey: $key) {
        stock { sku received available reserved sold etag } userErrors { field code } } }";

/// Puts a new product into the shop, in stock.
pub async fn goods(staff: &Visitor, price: &str, stock: i64) -> Goods {
    let sku = format!("J-{}", Uuid::new_v4().simple());
    let input = json!({
        "title": "Thing of a journey",
        "handle": sku.to_lowercase(),
        "status": "ACTIVE",
        "variants": [variant(&sku, price)],
    });
    let product = staff.done(PRODUCT_CREATE, json!({ "input": input })).await["product"].take();
    count(staff, &sku, stock).await;
    Goods { product: text(&product["id"]), variant: text(&product["variants"]["nodes"][0]["id"]), sku }
}

pub fn variant(sku: &str, price: &str) -> Value {
    let amount = json!({ "amount": price, "currencyCode": "GBP" });
    json!({ "sku": sku, "prices": [{ "amount": amount }], "weightGrams": 100 })
}

/// Says how many are there.
pub async fn count(staff: &Visitor, sku: &str, available: i64) {
    let adjustments = json!([{ "sku": sku, "count": available }]);
    staff.done(STOCK_ADJUST, json!({ "adjustments": adjustments, "reason": "counted" })).await;
}

/// What the ledger of a SKU adds up to: received, available, reserved, sold. Also what is said to be available.
pub async fn stock(staff: &Visitor, sku: &str) -> [i64; 4] {
    let document = "query($sku: String!, $after: String) {
        answer: stockMovements(sku: $sku, first: 100, after: $after) {
            nodes { receivedDelta availableDelta reservedDelta soldDelta } pageInfo { hasNextPage endCursor } } }";
    let mut sums = [0; 4];
    let mut after = Value::Null;
    loop {
        let page = staff.look(document, json!({ "sku": sku, "after": after })).await;
        for movement in page["nodes"].as_array().unwrap() {
            for (sum, name) in
                sums.iter_mut().zip(["receivedDelta", "availableDelta", "reservedDelta", "soldDelta"])
            {
                *sum += movement[name].as_i64().unwrap();
            }
        }
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(sums[0], sums[1] + sums[2] + sums[3], "stock does not add up");
            return sums;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Opens a cart.
pub async fn cart(visitor: &Visitor, lines: &[(&Goods, i64)]) -> Held {
    let document = "mutation($lines: [CartLineInput!]!, $key: ID!) {
        answer: cartCreate(lines: $lines, idempotencyKey: $key) {
            cart { id totalQuantity } token userErrors { code } warnings { code } } }";
    let inputs: Vec<Value> = lines
        .iter()
        .map(|(goods, quantity)| json!({ "merchandiseId": goods.variant, "quantity": quantity }))
        .collect();
    let payload = visitor.done(document, json!({ "lines": inputs })).await;
    assert_eq!(payload["warnings"], json!([]));
    Held { id: text(&payload["cart"]["id"]), token: payload["token"].as_str().map(str::to_owned) }
}

pub fn buyer() -> Value {
    json!({
        "email": "buyer@example.com",
        "shippingMethodId": STANDARD,
        "shippingAddress": {
            "givenName": "Grace", "familyName": "Hopper", "lines": ["1 Harbour Street"],
            "city": "London", "postalCode": "N1 9GU", "countryCode": "GB",
        },
    })
}

/// Takes a cart to the till: nothing but a payment is missing then.
pub async fn checkout(visitor: &Visitor, cart: &Held) -> Ready {
    checkout_of(visitor, cart, buyer()).await
}

/// The same for somebody else than the usual buyer.
pub async fn checkout_of(visitor: &Visitor, cart: &Held, buyer: Value) -> Ready {
    let start = json!({ "id": cart.id, "token": cart.token, "input": buyer });
    let payload = visitor.done(START, start).await;
    let checkout = &payload["checkout"];
    assert_eq!((&checkout["status"], &checkout["missing"]), (&json!("READY"), &json!([])));
    Ready {
        held: Held { id: text(&checkout["id"]), token: payload["token"].as_str().map(str::to_owned) },
        quote: text(&checkout["cost"]["quoteId"]),
        total: checkout["cost"]["totalAmount"]["amount"].clone(),
    }
}

/// From nothing to the till.
pub async fn ready(visitor: &Visitor, goods: &Goods, quantity: i64) -> Ready {
    let cart = cart(visitor, &[(goods, quantity)]).await;
    checkout(visitor, &cart).await
}

pub fn payment(ready: &Ready, card: &str) -> Value {
    json!({ "id": ready.held.id, "token": ready.held.token, "quote": ready.quote, "card": card })
}

/// Pays. The checkout as it stands then.
pub async fn pay(visitor: &Visitor, ready: &Ready, card: &str) -> Value {
    visitor.done(COMPLETE, payment(ready, card)).await["checkout"].take()
}

/// From nothing to an order. It is seen with the checkout's token.
pub async fn bought(visitor: &Visitor, goods: &Goods, quantity: i64) -> Held {
    let ready = ready(visitor, goods, quantity).await;
    let checkout = pay(visitor, &ready, "test_approve").await;
    assert_eq!(checkout["status"], "COMPLETED", "{checkout}");
    Held { id: text(&checkout["order"]["id"]), token: ready.held.token }
}

pub fn seen(held: &Held) -> Value {
    json!({ "id": held.id, "token": held.token })
}

/// The order, once it is paid: capture may end after the checkout.
pub async fn paid(visitor: &Visitor, order: &Held) -> Value {
    visitor.eventually(ORDER, seen(order), |order| order["paymentStatus"] == "PAID").await
}
