//! Carts: whose they are, what they show, and what becomes of a change.

use std::sync::{Arc, Mutex};

use mesh::testing;
use proto::{cart as pb, catalogue, pricing};
use serde_json::{Value, json};
use tonic::Code;

use crate::pages::{product, stocked};
use crate::support::{Shop, money, refused, uuid};

pub fn wire_cart(lines: usize) -> pb::Cart {
    let line = |number: usize| pb::CartLine {
        id: uuid(20_000 + number),
        variant_id: uuid(10_000 + number),
        sku: format!("SKU-{number}"),
        product_id: uuid(number),
        quantity: 2,
        seen_price: money(1_999),
    };
    pb::Cart {
        id: uuid(900),
        currency_code: "GBP".to_owned(),
        country_code: "GB".to_owned(),
        lines: (0..lines).map(line).collect(),
        codes: vec!["WELCOME".to_owned()],
        version: 3,
        etag: "3".to_owned(),
        ..Default::default()
    }
}

pub fn quote(request: &pricing::QuoteRequest) -> pricing::Quote {
    let line = |line: &pricing::QuoteLineRequest| pricing::QuoteLine {
        variant_id: line.variant_id.clone(),
        quantity: line.quantity,
        unit_price: money(1_999),
        subtotal: money(1_999 * line.quantity),
        discount: money(0),
        net: money(3_332),
        tax: money(666),
        total: money(3_998),
        tax_rate_ppm: 200_000,
        ..Default::default()
    };
    let total = 1_999 * request.lines.iter().map(|line| line.quantity).sum::<i64>();
    pricing::Quote {
        id: "digest".to_owned(),
        currency_code: request.currency_code.clone(),
        lines: request.lines.iter().map(line).collect(),
        codes: vec![pricing::QuoteCode {
            code: "WELCOME".to_owned(),
            outcome: pricing::CodeOutcome::Expired.into(),
            amount: money(0),
        }],
        subtotal: money(total),
        discount_total: money(0),
        tax_total: money(total / 6),
        shipping_total: money(0),
        total: money(total),
        prices_include_tax: true,
        ..Default::default()
    }
}

/// A shop that holds a cart of so many lines for whoever holds the token "secret".
pub fn with_cart(lines: usize) -> Shop {
    let shop = stocked(1);
    shop.cart.on("GetCart", move |request: pb::GetCartRequest| {
        let key = request.key.unwrap_or_default();
        match key.token.is_empty() || (key.token == "secret" && key.cart_id == uuid(900)) {
            true => Ok(pb::GetCartResponse { cart: Some(wire_cart(lines)) }),
            false => Err(refused(Code::NotFound, "cart", "REASON_CART_NOT_FOUND")),
        }
    });
    shop.pricing.on("Quote", |request: pricing::QuoteRequest| {
        Ok(pricing::QuoteResponse { quote: Some(quote(&request)) })
    });
    shop.catalogue.on("BatchGetVariants", |request: catalogue::BatchGetVariantsRequest| {
        let summary = |key: catalogue::VariantKey| {
            let Some(catalogue::variant_key::Key::VariantId(id)) = key.key else { panic!("by id") };
            let number: usize = id.rsplit('-').next().unwrap().parse::<usize>().unwrap() - 10_000;
            let wire = product(number);
            catalogue::VariantSummary {
                variant: Some(wire.variants[0].clone()),
                product_id: wire.id,
                product_title: wire.title,
                product_status: wire.status,
                ..Default::default()
            }
        };
        let variants = request.keys.into_iter().map(summary).collect();
        Ok(catalogue::BatchGetVariantsResponse { variants, missing: Vec::new() })
    });
    shop.catalogue.on("BatchGetProducts", |request: catalogue::BatchGetProductsRequest| {
        let products = (0..200).map(product).filter(|it| request.product_ids.contains(&it.id));
        Ok(catalogue::BatchGetProductsResponse { products: products.collect(), missing: Vec::new() })
    });
    shop
}

const CART: &str = "query($id: ID, $token: String) { cart(id: $id, token: $token) {
    id totalQuantity
    lines(first: 100) { nodes { id quantity merchandise { displayName quantityAvailable product { title } }
        cost { totalAmount { gross { amount } taxRate } } } }
    discountCodes { code applicable outcome }
    cost { totalAmount { amount } totalAmountEstimated }
    warnings { code }
} }";

pub fn cart_id() -> String {
    format!("cart_{}", uuid(900).replace('-', ""))
}

#[tokio::test]
async fn a_cart_costs_the_same_calls_for_one_line_and_a_hundred() {
    for lines in [1, 100] {
        let shop = with_cart(lines);

        let answer = shop.ask(CART, json!({ "id": cart_id(), "token": "secret" })).answer().await;

        let cart = &answer.data()["cart"];
        let nodes = cart["lines"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), lines);
        assert_eq!(
            nodes[0]["merchandise"],
            json!({ "displayName": "Thing 0", "quantityAvailable": 5, "product": { "title": "Thing 0" } })
        );
        assert_eq!(
            nodes[0]["cost"]["totalAmount"],
            json!({ "gross": { "amount": "39.98" }, "taxRate": "0.2" })
        );
        assert_eq!(
            cart["discountCodes"],
            json!([{ "code": "WELCOME", "applicable": false, "outcome": "EXPIRED" }])
        );
        let wanted = ["BatchGetProducts", "BatchGetStock", "BatchGetVariants", "GetCart", "Quote"];
        assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
    }
}

#[tokio::test]
async fn a_cart_is_for_who_holds_it() {
    let shop = with_cart(1);
    let cookie = format!("cart={}.secret", uuid(900));

    let by_token = shop.ask(CART, json!({ "id": cart_id(), "token": "secret" })).answer().await;
    let by_cookie = shop.ask(CART, json!({})).with_cookie(&cookie).answer().await;
    let by_account = shop.ask(CART, json!({})).by(&testing::customer()).answer().await;
    let wrong = shop.ask(CART, json!({ "id": cart_id(), "token": "wrong" })).answer().await;
    shop.calls();
    let by_id_alone = shop.ask(CART, json!({ "id": cart_id() })).answer().await;
    let nobodys = shop.ask(CART, json!({})).answer().await;

    for answer in [by_token, by_cookie, by_account] {
        assert_eq!(answer.data()["cart"]["id"], cart_id());
    }
    for answer in [wrong, by_id_alone, nobodys] {
        assert!(answer.data()["cart"].is_null());
    }
    assert!(shop.calls().is_empty(), "without a right nobody is asked");
}

#[tokio::test]
async fn a_cart_without_prices_or_variants_is_still_a_cart() {
    let shop = with_cart(2);
    shop.pricing.fails("Quote", Code::Unavailable);
    shop.catalogue.fails("BatchGetVariants", Code::Unavailable);

    let answer = shop.ask(CART, json!({ "id": cart_id(), "token": "secret" })).answer().await;

    let cart = &answer.json["data"]["cart"];
    assert_eq!(cart["totalQuantity"], 4);
    assert!(cart["cost"].is_null() && cart["lines"]["nodes"][0]["merchandise"].is_null());
    assert_eq!(answer.json["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_cart_says_when_the_context_is_another_country() {
    let shop = with_cart(1);
    let query = "query @inContext(country: DE) { cart { warnings { code } buyerIdentity { countryCode } } }";

    let answer = shop.ask(query, json!({})).by(&testing::customer()).answer().await;

    assert_eq!(
        answer.data()["cart"],
        json!({ "warnings": [{ "code": "CONTEXT_DIFFERS" }], "buyerIdentity": { "countryCode": "GB" } })
    );
}

const CREATE: &str = "mutation($key: ID!) { cartCreate(lines: [{ merchandiseId: \"variant_01934c2e7b6a7c3e9a51000000010000\" }], idempotencyKey: $key) {
    cart { id } token userErrors { field code message } warnings { code target requestedQuantity actualQuantity } } }";

#[tokio::test]
async fn a_guests_new_cart_is_kept_by_the_browser() {
    let shop = with_cart(1);
    shop.cart.on("CreateCart", |request: pb::CreateCartRequest| {
        assert_eq!((request.currency_code.as_str(), request.country_code.as_str()), ("GBP", "GB"));
        assert_eq!(request.lines[0].variant_id, uuid(10_000));
        let warning = pb::CartWarning {
            kind: pb::WarningKind::CappedByStock.into(),
            variant_id: uuid(10_000),
            requested_quantity: 9,
            actual_quantity: 5,
        };
        Ok(pb::CreateCartResponse {
            cart: Some(wire_cart(1)),
            token: "secret".to_owned(),
            warnings: vec![warning],
        })
    });

    let answer = shop.ask(CREATE, json!({ "key": "a-random-key-of-some-length" })).answer().await;
    let guessable = shop.ask(CREATE, json!({ "key": "1" })).answer().await;

    let payload = &answer.data()["cartCreate"];
    assert_eq!(payload["token"], "secret");
    assert_eq!(payload["warnings"][0]["code"], "CAPPED_BY_STOCK");
    assert_eq!(payload["warnings"][0]["actualQuantity"], 5);
    let cookie = format!("cart={}.secret; Path=/; Max-Age=5184000; HttpOnly; SameSite=Lax", uuid(900));
    assert_eq!(answer.cookies(), [cookie]);
    assert_eq!(
        guessable.code(),
        "BAD_REQUEST",
        "a guest's key is shared with everybody, so it must not be guessed"
    );
}

const ADD: &str = "mutation($id: ID, $token: String, $key: ID!) { cartLinesAdd(cartId: $id, token: $token, idempotencyKey: $key,
    lines: [{ merchandiseId: \"variant_01934c2e7b6a7c3e9a51000000010000\", quantity: 3 }]) {
    cart { totalQuantity } userErrors { field code message } warnings { code } } }";

#[tokio::test]
async fn the_same_key_is_the_same_request_and_another_shoppers_is_not() {
    let shop = with_cart(1);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let ids = seen.clone();
    shop.cart.on("AddCartLines", move |request: pb::AddCartLinesRequest| {
        ids.lock().unwrap().push(request.request_id);
        Ok(pb::AddCartLinesResponse { cart: Some(wire_cart(1)), warnings: Vec::new() })
    });
    let (ada, bob) = (testing::customer(), testing::customer());

    for (user, key) in [(&ada, "1"), (&ada, "1"), (&bob, "1"), (&ada, "2")] {
        shop.ask(ADD, json!({ "key": key })).by(user).answer().await.data();
    }
    shop.ask(ADD, json!({ "id": cart_id(), "token": "secret", "key": "1" })).answer().await.data();

    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[0], seen[1]);
    let mut all = seen.clone();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "{seen:?}");
    assert!(seen.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
}

#[tokio::test]
async fn refusals_are_user_errors_with_the_path_of_the_argument() {
    let shop = with_cart(1);
    let answer_with = |status: tonic::Status| {
        shop.cart.on("AddCartLines", move |_: pb::AddCartLinesRequest| {
            Err::<pb::AddCartLinesResponse, _>(status.clone())
        });
    };
    let ask = || shop.ask(ADD, json!({ "key": "1" })).by(&testing::customer()).answer();
    let common = |code, reason| mesh::status::Problem::common(code, reason, "words").status();
    use proto::common::Reason;
    let violation =
        mesh::status::Violation { field: "lines[0].variant_id".to_owned(), description: "is odd".to_owned() };
    let table: [(tonic::Status, Value); 6] = [
        (
            mesh::status::Problem::invalid(vec![violation]).status(),
            json!({ "field": ["lines", "0", "merchandiseId"], "code": "INVALID", "message": "is odd" }),
        ),
        (
            refused(Code::FailedPrecondition, "cart", "REASON_LINE_LIMIT"),
            json!({ "field": null, "code": "LINE_LIMIT", "message": "REASON_LINE_LIMIT in words" }),
        ),
        (
            refused(Code::NotFound, "cart", "REASON_CART_NOT_FOUND"),
            json!({ "field": null, "code": "CART_NOT_FOUND", "message": "REASON_CART_NOT_FOUND in words" }),
        ),
        (
            common(Code::Aborted, Reason::EtagMismatch),
            json!({ "field": null, "code": "CHANGED_MEANWHILE", "message": "words" }),
        ),
        (
            common(Code::InvalidArgument, Reason::RequestIdReused),
            json!({ "field": null, "code": "IDEMPOTENCY_KEY_REUSED", "message": "words" }),
        ),
        (
            common(Code::Aborted, Reason::RequestInProgress),
            json!({ "field": null, "code": "IDEMPOTENCY_IN_PROGRESS", "message": "words" }),
        ),
    ];

    for (status, wanted) in table {
        answer_with(status);
        let answer = ask().await;

        let payload = &answer.data()["cartLinesAdd"];
        assert_eq!(payload["userErrors"], json!([wanted]));
        assert!(payload["cart"].is_null());
        assert_eq!(payload["warnings"], json!([]));
    }
    answer_with(refused(Code::FailedPrecondition, "cart", "REASON_UNHEARD_OF"));
    assert_eq!(ask().await.code(), "INTERNAL");
}

#[tokio::test]
async fn a_merge_needs_an_account_and_forgets_the_guests_cart() {
    let shop = with_cart(1);
    shop.cart.on("MergeCarts", |request: pb::MergeCartsRequest| {
        assert_eq!(request.guest.unwrap().token, "secret");
        let line = pb::MergedLine {
            variant_id: uuid(10_000),
            outcome: pb::MergeOutcome::Capped.into(),
            guest_quantity: 4,
            final_quantity: 5,
        };
        Ok(pb::MergeCartsResponse { cart: Some(wire_cart(1)), lines: vec![line] })
    });
    let query = "mutation { cartMerge(idempotencyKey: \"1\") { cart { id } mergedLines { outcome guestQuantity finalQuantity } userErrors { code } } }";
    let guest = format!("cart={}.secret", uuid(900));
    let token = testing::token(&testing::customer()).unwrap();

    let merged = shop.ask(query, json!({})).with_cookie(&format!("{guest}; access={token}")).answer().await;
    let nobody = shop.ask(query, json!({})).with_cookie(&guest).answer().await;

    assert_eq!(
        merged.data()["cartMerge"]["mergedLines"],
        json!([{ "outcome": "CAPPED", "guestQuantity": 4, "finalQuantity": 5 }])
    );
    assert_eq!(merged.cookies(), ["cart=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]);
    assert_eq!(nobody.code(), "UNAUTHENTICATED");
}
