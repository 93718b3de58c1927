//! Every mutation that takes a key: done twenty times at once, and once more.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, Held};
use crate::calls::{AT_ONCE, PAUSE};
use crate::columns::{Column, same};
use crate::harness::{PASSWORD, Visitor, text};
use crate::inbox;

const PLACE: &str = r#"{ givenName: "Grace", familyName: "Hopper", lines: ["1 Harbour Street"], city: "London",
    postalCode: "N1 9GU", countryCode: "GB" }"#;

/// The mutations that were tried.
#[derive(Default)]
struct Clicks {
    tried: Mutex<BTreeSet<String>>,
}

impl Clicks {
    /// Does something, however often it is clicked; the payload.
    async fn once(&self, who: &Visitor, call: &str, selection: &str) -> Value {
        let (field, _) = call.split_once('(').unwrap();
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(field.to_owned());
        let call = format!("{}, idempotencyKey: $key)", call.strip_suffix(')').unwrap());
        let document = format!(
            "mutation($key: ID!) {{ answer: {call} {{ {selection} userErrors {{ field code message }} }} }}"
        );
        let key = json!({ "key": Uuid::new_v4().to_string() });
        let quiet = who.unheard();
        let answers = join_all((0..AT_ONCE).map(|_| quiet.answer(&document, key.clone()))).await;

        for _ in 1..AT_ONCE {
            match later(&quiet.answer(&document, key.clone()).await) {
                true => tokio::time::sleep(PAUSE).await,
                false => break,
            }
        }
        let again = who.done(&document, key).await;
        let told = answers.iter().filter(|answer| answer["data"]["answer"] == again).count();
        assert!(told > 0, "{field}: nobody was told {again}");
        for answer in answers.iter().filter(|answer| answer["data"]["answer"] != again) {
            assert!(later(answer), "{field}: {answer} and then {again}");
        }
        again
    }

    /// Every mutation of the schema that takes a key was tried.
    async fn complete(&self, who: &Visitor) {
        let document = "{ answer: __schema { mutationType { fields { name args { name } } } } }";
        let schema = who.unheard().look(document, json!({})).await;
        let fields = schema["mutationType"]["fields"].as_array().unwrap();
        let keyed = fields.iter().filter(|field| {
            field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "idempotencyKey")
        });
        let keyed: BTreeSet<String> = keyed.map(|field| text(&field["name"])).collect();
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(keyed.difference(&tried).collect::<Vec<_>>(), Vec::<&String>::new(), "never tried");
    }
}

/// Whether whoever clicked is to click again: another is at it, or there was no room or time.
fn later(answer: &Value) -> bool {
    answer["data"]["answer"]["userErrors"][0]["code"] == "IDEMPOTENCY_IN_PROGRESS"
        || answer["errors"][0]["extensions"]["retryable"] == true
}

#[tokio::test]
async fn every_mutation_is_done_once_however_often_it_is_clicked() {
    same("clicks", "gateway", async |shop| {
        let clicks = Clicks::default();
        let staff = shop.front.staff().await;
        let goods = shelves(&clicks, &staff).await;
        let (email, customer) = account(&clicks, shop).await;
        let order = purchase(&clicks, &customer, &goods).await;
        after_sales(&clicks, &staff, &customer, &order).await;
        changed_minds(&clicks, shop, &staff, &customer, &goods).await;
        opinions(&clicks, shop, &staff, &customer, &goods).await;
        ends(&clicks, shop, &email, &customer).await;
        clicks
            .once(&staff, &format!(r#"productArchive(id: "{}")"#, goods.product), "product { status }")
            .await;
        // What was done twenty times over, counted by what it left behind.
        // One came back broken and was written off.
        assert_eq!(acts::stock(&staff, &goods.sku).await, [39, 39, 0, 0]);
        clicks.complete(&staff).await;
    })
    .await;
}

/// Catalogue, stock, prices, taxes and shipping.
async fn shelves(clicks: &Clicks, staff: &Visitor) -> acts::Goods {
    let word = Uuid::new_v4().simple().to_string();
    let category = format!(r#"categoryCreate(input: {{ name: "Buoys", slug: "{word}" }})"#);
    let category = clicks.once(staff, &category, "category { id name slug }").await["category"]["id"].take();
    let renamed = format!(r#"categoryUpdate(id: {category}, input: {{ name: "Bells" }})"#);
    clicks.once(staff, &renamed, "category { name }").await;
    let goods = acts::Goods { product: String::new(), variant: String::new(), sku: format!("J-{word}") };
    let product = format!(
        r#"productCreate(input: {{ title: "Bell", handle: "{word}", status: ACTIVE, variants: [
            {{ sku: "{}", weightGrams: 100, prices: [{{ amount: {{ amount: "10.00", currencyCode: GBP }} }}] }}] }})"#,
        goods.sku
    )
    .replace("currencyCode: GBP", r#"currencyCode: "GBP""#);
    let product = clicks
        .once(staff, &product, "product { id etag title variants { nodes { id sku } } }")
        .await["product"]
        .take();
    let (id, etag) = (&product["id"], &product["etag"]);
    let titled = format!(r#"productUpdate(id: {id}, input: {{ title: "Ship's bell" }}, etag: {etag})"#);
    clicks.once(staff, &titled, "product { title }").await;
    let collection =
        format!(r#"collectionCreate(input: {{ title: "Sea", handle: "{word}", productIds: [{id}] }})"#);
    let collection =
        clicks.once(staff, &collection, "collection { id etag title }").await["collection"].take();
    let titled = format!(
        r#"collectionUpdate(id: {}, input: {{ title: "Deep sea" }}, etag: {})"#,
        collection["id"], collection["etag"]
    );
    clicks.once(staff, &titled, "collection { title }").await;
    let stock =
        format!(r#"stockAdjust(adjustments: [{{ sku: "{}", delta: 40 }}], reason: "arrived")"#, goods.sku);
    clicks.once(staff, &stock, "stock { received available etag }").await;
    rules(clicks, staff, &word).await;
    acts::Goods {
        product: text(&product["id"]),
        variant: text(&product["variants"]["nodes"][0]["id"]),
        ..goods
    }
}

/// Codes, and taxes and methods of a country of their own.
async fn rules(clicks: &Clicks, staff: &Visitor, word: &str) {
    let discount = format!(r#"discountCreate(input: {{ code: "{word}", percentage: "0.1" }})"#);
    let discount = clicks.once(staff, &discount, "discount { id etag code }").await["discount"].take();
    let limited = format!(
        "discountUpdate(id: {}, input: {{ usageLimit: 5 }}, etag: {})",
        discount["id"], discount["etag"]
    );
    clicks.once(staff, &limited, "discount { usageLimit }").await;
    let tax = r#"taxRuleSet(countryCode: "NZ", rate: "0.15", includedInPrices: true)"#;
    clicks.once(staff, tax, "taxRule { countryCode rate includedInPrices }").await;
    let rates = r#"rates: [{ weightGramsMax: 1000, price: { amount: "4.00", currencyCode: "GBP" } }]"#;
    let method = format!(
        r#"shippingMethodCreate(input: {{ title: "Albatross", countryCodes: ["NZ"], daysMax: 9, {rates} }})"#
    );
    let method =
        clicks.once(staff, &method, "shippingMethod { id etag title }").await["shippingMethod"].take();
    let closed = format!(
        r#"shippingMethodUpdate(id: {}, etag: {}, input: {{ title: "Albatross", countryCodes: ["NZ"], daysMax: 9,
            disabled: true, {rates} }})"#,
        method["id"], method["etag"]
    );
    clicks.once(staff, &closed, "shippingMethod { disabled }").await;
}

/// From registration to an account in use.
async fn account(clicks: &Clicks, shop: &Column) -> (String, Visitor) {
    let guest = shop.front.guest();
    let email = format!("{}@example.com", Uuid::new_v4().simple());
    let register = format!(
        r#"customerRegister(email: "{email}", password: "{PASSWORD}", givenName: "Grace", familyName: "H")"#
    );
    clicks.once(&guest, &register, "customer { id }").await;
    let verify = |token: &str| format!(r#"customerVerifyEmail(token: "{token}")"#);
    clicks
        .once(&guest, &format!(r#"customerVerificationRequest(email: "{email}")"#), "customer { id }")
        .await;
    let token = inbox::token(&shop.front, &email, "Confirm your address").await;
    clicks.once(&guest, &verify(&token), "customer { id }").await;
    clicks.once(&guest, &format!(r#"customerRecover(email: "{email}")"#), "customer { id }").await;
    let token = inbox::token(&shop.front, &email, "Set a new password").await;
    let reset = format!(r#"customerReset(token: "{token}", newPassword: "{PASSWORD} 2")"#);
    clicks.once(&guest, &reset, "customer { id }").await;

    let customer = shop.front.signed_in(&email, &format!("{PASSWORD} 2")).await;
    let named = r#"customerUpdate(input: { givenName: "Admiral" })"#;
    clicks.once(&customer, named, "customer { givenName }").await;
    let address = format!("customerAddressCreate(address: {PLACE}, isDefault: true)");
    let address = clicks.once(&customer, &address, "address { id isDefault }").await["address"]["id"].take();
    let moved = format!("customerAddressUpdate(id: {address}, address: {PLACE})");
    clicks.once(&customer, &moved, "address { id isDefault }").await;
    clicks.once(&customer, &format!("customerAddressDelete(id: {address})"), "address { id }").await;
    let changed =
        format!(r#"customerPasswordChange(presentPassword: "{PASSWORD} 2", newPassword: "{PASSWORD}")"#);
    clicks.once(&customer, &changed, "customer { id }").await;
    (email.clone(), shop.front.signed_in(&email, PASSWORD).await)
}

/// From an empty cart to an order.
async fn purchase(clicks: &Clicks, customer: &Visitor, goods: &acts::Goods) -> Held {
    let none = clicks.once(customer, r#"cartCreate(lines: [])"#, "cart { id totalQuantity }").await;
    let id = none["cart"]["id"].clone();
    let lines = format!(r#"lines: [{{ merchandiseId: "{}", quantity: 2 }}]"#, goods.variant);
    let cart = "cart { etag totalQuantity lines { nodes { id quantity } } }";
    let added = clicks.once(customer, &format!("cartLinesAdd(cartId: {id}, {lines})"), cart).await;
    let line = added["cart"]["lines"]["nodes"][0]["id"].clone();
    let set = format!("cartLinesUpdate(cartId: {id}, lines: [{{ id: {line}, quantity: 5 }}])");
    clicks.once(customer, &set, cart).await;
    clicks.once(customer, &format!("cartLinesRemove(cartId: {id}, lineIds: [{line}])"), cart).await;
    let one = lines.replace("quantity: 2", "quantity: 1");
    clicks.once(customer, &format!("cartLinesAdd(cartId: {id}, {one})"), cart).await;
    let codes = format!(r#"cartDiscountCodesUpdate(cartId: {id}, discountCodes: ["NOTHING"])"#);
    clicks.once(customer, &codes, cart).await;
    let place = format!(r#"cartBuyerIdentityUpdate(cartId: {id}, buyerIdentity: {{ countryCode: "GB" }})"#);
    clicks.once(customer, &place, cart).await;

    let started =
        clicks.once(customer, &format!("checkoutStart(cartId: {id})"), "checkout { id missing }").await;
    let checkout = started["checkout"]["id"].clone();
    let details = format!(
        r#"checkoutUpdate(checkoutId: {checkout}, input: {{ email: "buyer@example.com", shippingAddress: {PLACE},
            shippingMethodId: "{}", discountCodes: [] }})"#,
        acts::STANDARD
    );
    let cost = "checkout { status missing cost { quoteId totalAmount { amount } } }";
    let ready = clicks.once(customer, &details, cost).await;
    let quote = &ready["checkout"]["cost"]["quoteId"];
    let pay = format!(
        r#"checkoutComplete(checkoutId: {checkout}, quoteId: {quote}, paymentMethodToken: "test_approve")"#
    );
    let paid = clicks.once(customer, &pay, "checkout { id status order { id number } }").await;
    Held { id: text(&paid["checkout"]["order"]["id"]), token: None }
}

/// Parcels, returns and money back.
async fn after_sales(clicks: &Clicks, staff: &Visitor, customer: &Visitor, order: &Held) {
    let seen = acts::paid(customer, order).await;
    let (id, line) = (&seen["id"], &seen["lines"][0]["id"]);
    let ship = format!(r#"orderShip(id: {id}, carrier: "Gull Post", trackingNumber: "G1")"#);
    let sent = clicks.once(staff, &ship, "order { shipments { id trackingNumber } }").await;
    let shipment = &sent["order"]["shipments"][0]["id"];
    let arrived = format!("orderDeliver(id: {id}, shipmentId: {shipment})");
    clicks.once(staff, &arrived, "order { fulfilmentStatus }").await;
    let ask = format!(
        r#"orderReturnRequest(id: {id}, lines: [{{ lineId: {line}, quantity: 1 }}], reason: "dull")"#
    );
    let back = clicks.once(customer, &ask, "returnId").await["returnId"].take();
    let reject = format!(r#"orderReturnReject(id: {id}, returnId: {back}, rejection: "It rings.")"#);
    clicks.once(staff, &reject, "order { returns { id status } }").await;
    let back = clicks.once(customer, &ask, "returnId").await["returnId"].take();
    let approve = format!("orderReturnApprove(id: {id}, returnId: {back})");
    clicks.once(staff, &approve, "order { returns { id status } }").await;
    let receive = format!("orderReturnReceive(id: {id}, returnId: {back}, restock: false)");
    clicks.once(staff, &receive, "order { returns { id status } }").await;
    let refund = format!(
        r#"orderRefund(id: {id}, amount: {{ amount: "1.00", currencyCode: "GBP" }}, reason: "kind")"#
    );
    clicks.once(staff, &refund, "order { id }").await;
}

/// What is begun and not ended.
async fn changed_minds(
    clicks: &Clicks,
    shop: &Column,
    staff: &Visitor,
    customer: &Visitor,
    goods: &acts::Goods,
) {
    let ready = acts::ready(customer, goods, 1).await;
    let cancel = format!(r#"checkoutCancel(checkoutId: "{}")"#, ready.held.id);
    clicks.once(customer, &cancel, "checkout { status }").await;
    let order = acts::bought(customer, goods, 2).await;
    acts::paid(customer, &order).await;
    let cancel = format!(r#"orderCancel(id: "{}", reason: "changed my mind")"#, order.id);
    clicks.once(customer, &cancel, "order { status cancelReason }").await;
    let refunded = |order: &Value| order["paymentStatus"] == "REFUNDED";
    customer.eventually(acts::ORDER, acts::seen(&order), refunded).await;
    let guest = shop.front.guest();
    let left = acts::cart(&guest, &[(goods, 3)]).await;
    let merge = format!(r#"cartMerge(cartId: "{}", token: "{}")"#, left.id, left.token.unwrap());
    clicks.once(customer, &merge, "cart { id totalQuantity } mergedLines { outcome finalQuantity }").await;
    let hired = format!(
        r#"staffAccountCreate(email: "{}@example.com", password: "{PASSWORD}", role: STAFF, permissions: [STOCK_READ])"#,
        Uuid::new_v4().simple()
    );
    let hired = clicks.once(staff, &hired, "customer { id }").await["customer"]["id"].take();
    let demoted = format!("accountRoleSet(id: {hired}, role: CUSTOMER)");
    clicks.once(staff, &demoted, "customer { id role }").await;
}

/// Reviews and wishes.
async fn opinions(clicks: &Clicks, shop: &Column, staff: &Visitor, customer: &Visitor, goods: &acts::Goods) {
    let product = &goods.product;
    let create = format!(
        r#"reviewCreate(productId: "{product}", authorName: "Grace", input: {{ rating: 4, title: "Loud" }})"#
    );
    let review = clicks.once(customer, &create, "review { id etag status rating }").await["review"].take();
    let id = &review["id"];
    let reject = format!(r#"reviewReject(id: {id}, rejection: "shouts", etag: {})"#, review["etag"]);
    clicks.once(staff, &reject, "review { status }").await;
    let update = format!(r#"reviewUpdate(id: {id}, input: {{ rating: 5, title: "Clear" }})"#);
    clicks.once(customer, &update, "review { status rating }").await;
    clicks.once(staff, &format!("reviewApprove(id: {id})"), "review { status }").await;
    let reader = shop.front.customer().await;
    clicks.once(&reader, &format!("reviewVote(id: {id}, helpful: true)"), "review { helpfulCount }").await;
    clicks.once(&reader, &format!(r#"reviewReport(id: {id}, complaint: "rude")"#), "review { id }").await;
    clicks.once(customer, &format!("reviewDelete(id: {id})"), "review { id }").await;
    clicks.once(customer, &format!(r#"wishlistAdd(productIds: ["{product}"])"#), "items { productId }").await;
    clicks
        .once(customer, &format!(r#"wishlistRemove(productIds: ["{product}"])"#), "items { productId }")
        .await;
}

/// Leaving, for a while and for ever.
async fn ends(clicks: &Clicks, shop: &Column, email: &str, customer: &Visitor) {
    let other = shop.front.signed_in(email, PASSWORD).await;
    let sessions = "{ answer: customer { sessions { id current } } }";
    let sessions = customer.unheard().look(sessions, json!({})).await["sessions"].take();
    let elsewhere = sessions.as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
    clicks
        .once(customer, &format!("customerSessionRevoke(sessionId: {})", elsewhere["id"]), "customer { id }")
        .await;
    let log_in = "mutation($email: String!, $password: String!) {
        answer: customerLogIn(email: $email, password: $password) { tokens { refreshToken } userErrors { code } } }";
    let again = other.done(log_in, json!({ "email": email, "password": PASSWORD })).await;
    let log_out = format!("customerLogOut(refreshToken: {})", again["tokens"]["refreshToken"]);
    clicks.once(&other, &log_out, "customer { id }").await;
    clicks.once(customer, &format!(r#"customerErase(password: "{PASSWORD}")"#), "customer { id }").await;
}
