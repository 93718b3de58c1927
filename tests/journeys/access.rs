//! Who gets what: every root field of the schema, asked by nobody, by its owner, by another customer, and by staff.
//!
//! What belongs to one customer is made first; then all ask for the same. A field that is not in the table fails.

use std::collections::BTreeSet;

use futures::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, goods};
use crate::ears;
use crate::harness::{Shop, Visitor, text};

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// An answer, or a refusal that has nothing to do with who asks.
    Served,
    /// Null, and no word about why.
    Null,
    /// There is nothing of that id: a user error on a mutation, an error on a subscription.
    Missing,
    SignIn,
    Forbidden,
}

use Outcome::{Forbidden, Missing, Null, Served, SignIn};

/// Everybody is answered.
const ALL: [Outcome; 4] = [Served; 4];
/// Read by the owner and by staff; null for the others.
const OWN: [Outcome; 4] = [Null, Served, Null, Served];
/// Read by whoever holds it; staff hold nothing of others.
const HELD: [Outcome; 4] = [Null, Served, Null, Null];
/// Changed by whoever holds it.
const HOLDER: [Outcome; 4] = [Missing, Served, Missing, Missing];
/// Changed by whoever owns it, and by staff.
const OWNER: [Outcome; 4] = [Missing, Served, Missing, Served];
/// Needs an account, any.
const ACCOUNT: [Outcome; 4] = [SignIn, Served, Served, Served];
/// Is part of an account: others, staff too, do not find it in theirs.
const PART: [Outcome; 4] = [SignIn, Served, Missing, Missing];
/// Waits for its moderation: who moderates sees it, and is told that it is not approved.
const WAITING: [Outcome; 4] = [SignIn, Served, Missing, Served];
const STAFF: [Outcome; 4] = [SignIn, Forbidden, Forbidden, Served];

/// A root field, its arguments, what is asked of it, and what comes to nobody, the owner, another customer, and staff.
/// Words in capitals stand for what the owner has; `KEY` is new each time.
type Row = (&'static str, &'static str, &'static str, [Outcome; 4]);

#[rustfmt::skip]
const QUERIES: &[Row] = &[
    ("products", "(first: 1)", "{ nodes { id } }", ALL),
    ("search", "", "{ nodes { id } }", ALL),
    ("predictiveSearch", "(query: \"mug\")", "{ products { id } }", ALL),
    ("searchIndex", "", "{ __typename }", STAFF),
    ("recommendedForMe", "", "{ __typename }", [Null, Served, Served, Served]),
    ("product", "(id: PRODUCT)", "{ id }", ALL),
    ("categories", "", "{ id }", ALL),
    ("collections", "", "{ nodes { id } }", ALL),
    ("collection", "(handle: \"none\")", "{ id }", [Null; 4]),
    ("reviews", "(productId: PRODUCT)", "{ nodes { id } }", ALL),
    ("cart", "(id: CART)", "{ id }", HELD),
    ("checkout", "(id: CHECKOUT)", "{ id }", HELD),
    ("order", "(id: ORDER)", "{ id }", OWN),
    ("order", "(number: NUMBER)", "{ id }", OWN),
    ("customer", "", "{ id }", [Null, Served, Served, Served]),
    ("node", "(id: PRODUCT)", "{ id }", ALL),
    ("node", "(id: CART)", "{ id }", HELD),
    ("node", "(id: CHECKOUT)", "{ id }", HELD),
    ("node", "(id: ORDER)", "{ id }", OWN),
    ("node", "(id: REVIEW)", "{ id }", OWN),
    ("node", "(id: CUSTOMER)", "{ id }", [SignIn, Served, Null, Served]),
    ("node", "(id: DISCOUNT)", "{ id }", [SignIn, Forbidden, Forbidden, Null]),
    ("node", "(id: PAYMENT)", "{ id }", STAFF),
    ("nodes", "(ids: [PRODUCT])", "{ id }", ALL),
    ("nodes", "(ids: [CART])", "{ id }", HELD),
    ("nodes", "(ids: [CHECKOUT])", "{ id }", HELD),
    ("nodes", "(ids: [ORDER])", "{ id }", OWN),
    ("nodes", "(ids: [REVIEW])", "{ id }", OWN),
    ("orders", "", "{ nodes { id } }", STAFF),
    ("reviewQueue", "", "{ nodes { id } }", STAFF),
    ("stock", "", "{ nodes { sku } }", STAFF),
    ("locations", "", "{ id }", STAFF),
    ("stockMovements", "", "{ nodes { sku } }", STAFF),
    ("discounts", "", "{ nodes { code } }", STAFF),
    ("analytics", "", "{ sales { totals { orderCount } } }", STAFF),
    ("mailTemplates", "", "{ nodes { name } }", STAFF),
    ("mailPreview", "(template: \"order-placed\")", "{ subject }", STAFF),
    ("taxRules", "", "{ nodes { rate } }", STAFF),
    ("shippingMethods", "", "{ nodes { id } }", STAFF),
    ("payments", "", "{ nodes { id } }", STAFF),
    ("accounts", "", "{ nodes { id } }", STAFF),
    ("account", "(id: CUSTOMER)", "{ id }", [SignIn, Served, Null, Served]),
];

const ERRORS: &str = "{ userErrors { code } }";

/// Arguments that no service accepts whoever asks, where an effect would be in the way of the rows below.
#[rustfmt::skip]
const MUTATIONS: &[Row] = &[
    ("cartCreate", "(idempotencyKey: KEY)", ERRORS, ALL),
    ("cartLinesAdd", "(cartId: CART, lines: [{ merchandiseId: VARIANT }], idempotencyKey: KEY)", ERRORS, HOLDER),
    ("cartLinesUpdate", "(cartId: CART, lines: [{ id: LINE, quantity: 2 }], idempotencyKey: KEY)", ERRORS, HOLDER),
    ("cartLinesRemove", "(cartId: CART, lineIds: [LINE], idempotencyKey: KEY)", ERRORS, HOLDER),
    ("cartDiscountCodesUpdate", "(cartId: CART, discountCodes: [], idempotencyKey: KEY)", ERRORS, HOLDER),
    ("cartBuyerIdentityUpdate", "(cartId: CART, buyerIdentity: { countryCode: \"GB\" }, idempotencyKey: KEY)", ERRORS, HOLDER),
    ("cartMerge", "(cartId: CART, idempotencyKey: KEY)", ERRORS, [SignIn, Missing, Missing, Missing]),
    ("cartMerge", "(cartId: CART, token: \"AAAA\", idempotencyKey: KEY)", ERRORS, [SignIn, Missing, Missing, Missing]),
    ("checkoutStart", "(cartId: CART, idempotencyKey: KEY)", ERRORS, HOLDER),
    ("checkoutUpdate", "(checkoutId: CHECKOUT, input: { email: \"new@example.com\" }, idempotencyKey: KEY)", ERRORS, HOLDER),
    ("checkoutComplete", "(checkoutId: CHECKOUT, quoteId: \"stale\", idempotencyKey: KEY)", ERRORS, HOLDER),
    ("checkoutCancel", "(checkoutId: CHECKOUT, idempotencyKey: KEY)", ERRORS, HOLDER),
    ("orderReturnRequest", "(id: ORDER, lines: [{ lineId: ORDERLINE, quantity: 1 }], idempotencyKey: KEY)", ERRORS, OWNER),
    ("orderShip", "(id: ORDER, lines: [{ lineId: ORDERLINE, quantity: 99 }], idempotencyKey: KEY)", ERRORS, STAFF),
    ("orderDeliver", "(id: ORDER, shipmentId: SHIPMENT, idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("orderReturnApprove", "(id: ORDER, returnId: RETURN, idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("orderReturnReject", "(id: ORDER, returnId: RETURN, rejection: \"No.\", idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("orderReturnReceive", "(id: ORDER, returnId: RETURN, restock: true, idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("orderRefund", "(id: ORDER, amount: { amount: \"9999\", currencyCode: \"GBP\" }, reason: \"kind\", idempotencyKey: KEY)", ERRORS, STAFF),
    ("orderCancel", "(id: ORDER, idempotencyKey: KEY)", ERRORS, OWNER),
    ("customerRegister", "(email: \"none\", password: \"none\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerVerificationRequest", "(email: \"none@example.com\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerVerifyEmail", "(token: \"none\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerLogIn", "(email: \"none@example.com\", password: \"wrong password\")", ERRORS, ALL),
    ("customerRefresh", "(refreshToken: \"none\")", ERRORS, ALL),
    ("customerLogOut", "(refreshToken: \"none\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerRecover", "(email: \"none@example.com\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerReset", "(token: \"none\", newPassword: \"correct horse battery\", idempotencyKey: KEY)", ERRORS, ALL),
    ("customerUpdate", "(input: {}, etag: \"0\", idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("customerPasswordChange", "(presentPassword: \"wrong password\", newPassword: \"correct horse battery\", idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("customerSessionRevoke", "(sessionId: SESSION, idempotencyKey: KEY)", ERRORS, PART),
    ("customerDataExport", "", ERRORS, ACCOUNT),
    ("customerErase", "(password: \"wrong password\", idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("staffAccountCreate", "(email: \"none\", password: \"none\", role: STAFF, idempotencyKey: KEY)", ERRORS, STAFF),
    ("accountRoleSet", "(id: CUSTOMER, role: CUSTOMER, idempotencyKey: KEY)", ERRORS, STAFF),
    ("customerAddressCreate", "(address: PLACE, idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("customerAddressUpdate", "(id: ADDRESS, address: PLACE, idempotencyKey: KEY)", ERRORS, PART),
    ("customerAddressDelete", "(id: ADDRESS, idempotencyKey: KEY)", ERRORS, PART),
    ("wishlistAdd", "(productIds: [PRODUCT], idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("wishlistRemove", "(productIds: [PRODUCT], idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("reviewCreate", "(productId: PRODUCT, authorName: \"A\", input: { rating: 9, title: \"T\" }, idempotencyKey: KEY)", ERRORS, ACCOUNT),
    ("reviewUpdate", "(id: REVIEW, input: { rating: 5, title: \"T\" }, idempotencyKey: KEY)", ERRORS, PART),
    ("reviewVote", "(id: REVIEW, helpful: true, idempotencyKey: KEY)", ERRORS, WAITING),
    ("reviewReport", "(id: REVIEW, complaint: \"rude\", idempotencyKey: KEY)", ERRORS, WAITING),
    ("reviewReject", "(id: REVIEW, rejection: \"rude\", etag: \"0\", idempotencyKey: KEY)", ERRORS, STAFF),
    ("reviewApprove", "(id: REVIEW, etag: \"0\", idempotencyKey: KEY)", ERRORS, STAFF),
    ("reviewDelete", "(id: REVIEW, idempotencyKey: KEY)", ERRORS, PART),
    ("productCreate", "(input: {}, idempotencyKey: KEY)", ERRORS, STAFF),
    ("productUpdate", "(id: PRODUCT, input: {}, etag: \"0\", idempotencyKey: KEY)", ERRORS, STAFF),
    ("productArchive", "(id: PRODUCT, idempotencyKey: KEY)", ERRORS, STAFF),
    ("collectionCreate", "(input: {}, idempotencyKey: KEY)", ERRORS, STAFF),
    ("collectionUpdate", "(id: COLLECTION, input: { title: \"T\" }, etag: \"0\", idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("categoryCreate", "(input: {}, idempotencyKey: KEY)", ERRORS, STAFF),
    ("categoryUpdate", "(id: CATEGORY, input: { name: \"T\" }, idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("stockAdjust", "(adjustments: [], reason: \"none\", idempotencyKey: KEY)", ERRORS, STAFF),
    ("discountCreate", "(input: {}, idempotencyKey: KEY)", ERRORS, STAFF),
    ("discountUpdate", "(id: DISCOUNT, input: { disabled: true }, etag: \"1\", idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
    ("taxRuleSet", "(countryCode: \"GB\", rate: \"9\", includedInPrices: true, idempotencyKey: KEY)", ERRORS, STAFF),
    ("shippingMethodCreate", "(input: { title: \"T\", daysMax: 3, rates: [] }, idempotencyKey: KEY)", ERRORS, STAFF),
    ("shippingMethodUpdate", "(id: METHOD, input: { title: \"T\", daysMax: 3, rates: [RATE] }, etag: \"1\", idempotencyKey: KEY)", ERRORS, [SignIn, Forbidden, Forbidden, Missing]),
];

#[rustfmt::skip]
const SUBSCRIPTIONS: &[Row] = &[
    ("orderUpdated", "(id: ORDER)", "{ id }", OWNER),
    ("checkoutUpdated", "(id: CHECKOUT)", "{ id }", HOLDER),
    ("cartUpdated", "(id: CART)", "{ id }", HOLDER),
    ("stockChanged", "(skus: [\"SKU\"])", "{ sku }", ALL),
];

#[tokio::test]
async fn every_root_field_answers_each_as_it_should() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let owner = shop.customer().await;
    let words = belongings(&staff, &owner).await;
    let askers = [shop.guest(), owner, shop.customer().await, staff];

    let mut wrong = Vec::new();
    for (kind, rows) in [("query", QUERIES), ("subscription", SUBSCRIPTIONS), ("mutation", MUTATIONS)] {
        let mut missing = root_fields(&askers[0], kind).await;
        for (field, arguments, selection, wanted) in rows {
            missing.remove(*field);
            let mut got = Vec::new();
            for asker in [&askers[0], &askers[2], &askers[3], &askers[1]] {
                let document =
                    filled(&format!("{kind} {{ answer: {field}{arguments} {selection} }}"), &words);
                got.push(outcome(&ask(asker, kind, &document).await));
            }
            // The owner comes last: what they do leaves nothing for the others to be refused.
            got.rotate_right(1);
            got.swap(0, 1);
            if got != wanted.map(Ok) {
                wrong.push(format!("{field}{arguments}: {got:?}"));
            }
        }
        assert_eq!(missing, BTreeSet::new(), "fields of the {kind} type without a row");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn root_fields(asker: &Visitor, kind: &str) -> BTreeSet<String> {
    let document = format!("{{ answer: __schema {{ root: {kind}Type {{ fields {{ name }} }} }} }}");
    let schema = asker.look(&document, json!({})).await;
    let fields = schema["root"]["fields"].as_array().unwrap();
    fields.iter().map(|field| text(&field["name"])).collect()
}

fn filled(document: &str, words: &[(&str, String)]) -> String {
    let key = ("KEY", format!("\"{}\"", Uuid::new_v4()));
    let all = words.iter().chain([&key]);
    all.fold(document.to_owned(), |document, (word, value)| document.replace(word, value))
}

async fn ask(asker: &Visitor, kind: &str, document: &str) -> Value {
    if kind != "subscription" {
        return asker.answer(document, json!({})).await;
    }
    let mut pieces = ears::stream(asker, document, json!({})).await.bytes_stream();
    let mut heard = String::new();
    loop {
        let data = heard.split("\n\n").find_map(|event| event.split_once("data: ")?.1.lines().next());
        if let Some(Ok(answer)) = data.map(serde_json::from_str) {
            return answer;
        }
        heard.push_str(&String::from_utf8_lossy(&pieces.next().await.unwrap().unwrap()));
    }
}

/// Any other error is a mistake of the table.
fn outcome(answer: &Value) -> Result<Outcome, String> {
    let data = &answer["data"]["answer"];
    match answer["errors"][0]["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Ok(SignIn),
        Some("PERMISSION_DENIED") => Ok(Forbidden),
        Some("NOT_FOUND") => Ok(Missing),
        Some(_) => Err(answer.to_string()),
        None if data.is_null() || *data == json!([null]) => Ok(Null),
        None => match data["userErrors"][0]["code"].as_str() {
            Some(code) if code.ends_with("_NOT_FOUND") => Ok(Missing),
            _ => Ok(Served),
        },
    }
}

/// What the owner has, by the words of the tables.
async fn belongings(staff: &Visitor, owner: &Visitor) -> Vec<(&'static str, String)> {
    let goods = goods(staff, "10.00", 20).await;
    let order = acts::bought(owner, &goods, 1).await;
    let bought = acts::paid(owner, &order).await;
    let cart = acts::cart(owner, &[(&goods, 1)]).await;
    let checkout = acts::checkout(owner, &cart).await;
    let lines = "query($id: ID!) { answer: cart(id: $id) { lines { nodes { id } } } }";
    let line = owner.look(lines, json!({ "id": cart.id })).await["lines"]["nodes"][0]["id"].take();
    let review = "mutation($product: ID!, $key: ID!) { answer: reviewCreate(productId: $product, authorName: \"Grace\",
        input: { rating: 4, title: \"Good\" }, idempotencyKey: $key) { review { id } userErrors { code } } }";
    let review = owner.done(review, json!({ "product": goods.product })).await["review"]["id"].take();
    let address = filled(
        "mutation { answer: customerAddressCreate(address: PLACE, idempotencyKey: KEY) {
        address { id } userErrors { code } } }",
        &[("PLACE", PLACE.to_owned())],
    );
    let address = owner.done(&address, json!({})).await["address"]["id"].take();
    let own = owner.look("{ answer: customer { id sessions { id } } }", json!({})).await;
    let payments = "{ answer: payments(first: 1) { nodes { id } } }";
    let payment = staff.look(payments, json!({})).await["nodes"][0]["id"].take();
    let nothing = |kind: &str| format!("\"{kind}_{}\"", Uuid::now_v7().simple());
    // Longer words first: none may be found inside another.
    vec![
        ("ORDERLINE", bought["lines"][0]["id"].to_string()),
        ("SHIPMENT", nothing("shipment")),
        ("METHOD", nothing("shippingmethod")),
        ("RATE", "{ weightGramsMax: 1, price: { amount: \"1.00\", currencyCode: \"GBP\" } }".to_owned()),
        ("DISCOUNT", nothing("discount")),
        ("CATEGORY", nothing("category")),
        ("COLLECTION", nothing("collection")),
        ("CHECKOUT", json!(checkout.held.id).to_string()),
        ("(id: CUSTOMER", format!("(id: {}", own["id"])),
        ("PRODUCT", json!(goods.product).to_string()),
        ("VARIANT", json!(goods.variant).to_string()),
        ("PAYMENT", payment.to_string()),
        ("ADDRESS", address.to_string()),
        ("SESSION", own["sessions"][0]["id"].to_string()),
        ("REVIEW", review.to_string()),
        ("RETURN", nothing("return")),
        ("NUMBER", bought["number"].to_string()),
        ("ORDER", json!(order.id).to_string()),
        ("PLACE", PLACE.to_owned()),
        ("CART", json!(cart.id).to_string()),
        ("LINE", line.to_string()),
        ("SKU", goods.sku),
    ]
}

const PLACE: &str =
    "{ givenName: \"Grace\", familyName: \"Hopper\", lines: [\"1 Harbour Street\"], city: \"London\",
    postalCode: \"N1 9GU\", countryCode: \"GB\" }";

#[tokio::test]
async fn a_guests_browser_opens_its_order_by_any_id() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 9).await;
    let (browser, stranger) = (shop.browser(), shop.browser());
    let order = acts::bought(&browser, &goods, 1).await;
    let another = acts::bought(&stranger, &goods, 1).await;
    let node = "query($ids: [ID!]!) { answer: nodes(ids: $ids) { id } }";
    let ids = json!({ "ids": [another.id, order.id, goods.product] });

    let seen = browser.look(node, ids.clone()).await;

    assert_eq!(seen, json!([null, { "id": order.id }, { "id": goods.product }]));
    let guest = shop.guest().look(node, ids).await;
    assert_eq!(guest, json!([null, null, { "id": goods.product }]));
}
