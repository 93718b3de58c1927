//! A day of those who work here.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, PRODUCT_CREATE, STOCK_ADJUST, goods};
use crate::harness::{Shop, text};

#[tokio::test]
async fn a_product_is_drafted_published_sold_and_archived() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let guest = shop.guest();
    let sku = format!("J-{}", Uuid::new_v4().simple());
    let handle = sku.to_lowercase();
    let input = json!({
        "title": "Tide table", "handle": handle, "vendor": "Merrow Press", "status": "DRAFT",
        "variants": [acts::variant(&sku, "6.00")],
    });
    let product = staff.done(PRODUCT_CREATE, json!({ "input": input })).await["product"].take();
    let look = "query($handle: String!) { answer: product(handle: $handle) { title
        variants { nodes { availableForSale price { amount } } } } }";
    let seen = async || guest.look(look, json!({ "handle": handle })).await;
    assert_eq!(seen().await, Value::Null, "a draft is staff's own");

    let update = "mutation($id: ID!, $input: ProductInput!, $etag: String!, $key: ID!) {
        answer: productUpdate(id: $id, input: $input, etag: $etag, idempotencyKey: $key) {
            product { etag title } userErrors { code } } }";
    let publish = |etag: &Value, title: &str| json!({ "id": product["id"], "etag": etag, "input": { "status": "ACTIVE", "title": title } });
    let published = staff.done(update, publish(&product["etag"], "Tide tables")).await;
    assert_eq!(published["product"]["title"], "Tide tables");
    // Somebody who still looks at the draft overwrites nothing.
    assert_eq!(staff.refused(update, publish(&product["etag"], "Mine")).await, "CHANGED_MEANWHILE");
    assert_eq!(seen().await["title"], "Tide tables");

    // Without a row of stock it is not for sale.
    assert_eq!(seen().await["variants"]["nodes"][0]["availableForSale"], false);
    acts::count(&staff, &sku, 3).await;
    assert_eq!(seen().await["variants"]["nodes"][0]["availableForSale"], true);
    assert_eq!(staff.refused(PRODUCT_CREATE, json!({ "input": input })).await, "HANDLE_TAKEN");

    let archive = "mutation($id: ID!, $key: ID!) {
        answer: productArchive(id: $id, idempotencyKey: $key) { product { status } userErrors { code } } }";
    let archived = staff.done(archive, json!({ "id": product["id"] })).await;
    assert_eq!(archived["product"]["status"], "ARCHIVED");
    assert_eq!(seen().await, Value::Null);
}

#[tokio::test]
async fn stock_is_counted_received_and_written_off_with_a_reason() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 10).await;
    let adjust = |change: Value, reason: &str| {
        let mut adjustment = change;
        adjustment["sku"] = json!(goods.sku);
        json!({ "adjustments": [adjustment], "reason": reason })
    };

    let received = staff.done(STOCK_ADJUST, adjust(json!({ "delta": 5 }), "delivery")).await;
    assert_eq!(
        (&received["stock"][0]["available"], &received["stock"][0]["received"]),
        (&json!(15), &json!(15))
    );
    let etag = &received["stock"][0]["etag"];
    staff.done(STOCK_ADJUST, adjust(json!({ "delta": -2, "etag": etag }), "broken")).await;
    let stale = adjust(json!({ "delta": -2, "etag": etag }), "broken");
    assert_eq!(staff.refused(STOCK_ADJUST, stale).await, "CHANGED_MEANWHILE");
    let too_many = adjust(json!({ "delta": -14 }), "stolen");
    assert_eq!(staff.refused(STOCK_ADJUST, too_many).await, "INSUFFICIENT_STOCK");

    assert_eq!(acts::stock(&staff, &goods.sku).await, [13, 13, 0, 0]);
    let movements =
        "query($sku: String!) { answer: stockMovements(sku: $sku) { nodes { kind reason actor } } }";
    let movements = staff.look(movements, json!({ "sku": goods.sku })).await["nodes"].take();
    let told: Vec<(String, String)> = movements
        .as_array()
        .unwrap()
        .iter()
        .map(|movement| (text(&movement["kind"]), text(&movement["reason"])))
        .collect();
    let said = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    assert_eq!(
        told,
        [said("WRITTEN_OFF", "broken"), said("RECEIVED", "delivery"), said("COUNTED", "counted")]
    );
    assert!(text(&movements[0]["actor"]).starts_with("account:"));
}

#[tokio::test]
async fn staff_do_what_customers_and_guests_may_not() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 1).await;
    let adjust = json!({ "adjustments": [{ "sku": goods.sku, "count": 99 }], "reason": "mine" });
    let lists = [
        "{ answer: orders { nodes { id } } }",
        "{ answer: payments { nodes { id } } }",
        "{ answer: stock { nodes { sku } } }",
        "{ answer: accounts { nodes { id } } }",
        "{ answer: discounts { nodes { code } } }",
        "{ answer: reviewQueue { nodes { id } } }",
    ];

    for (visitor, code) in [(shop.guest(), "UNAUTHENTICATED"), (shop.customer().await, "PERMISSION_DENIED")] {
        let answer = visitor.answer(STOCK_ADJUST, adjust.clone()).await;
        assert_eq!(
            (&answer["data"]["answer"], &answer["errors"][0]["extensions"]["code"]),
            (&Value::Null, &json!(code))
        );
        for list in lists {
            let answer = visitor.answer(list, json!({})).await;
            assert_eq!(answer["data"]["answer"], Value::Null, "{list}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], json!(code), "{list}");
        }
    }
    for list in lists {
        assert!(staff.look(list, json!({})).await["nodes"].is_array(), "{list}");
    }
    assert_eq!(acts::stock(&staff, &goods.sku).await, [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_country_gets_its_tax_and_its_way_of_delivery() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let cart = acts::cart(&guest, &[(&goods, 1)]).await;
    let go = "mutation($id: ID!, $token: String, $key: ID!) { answer: cartBuyerIdentityUpdate(cartId: $id,
        token: $token, buyerIdentity: { countryCode: \"IS\" }, idempotencyKey: $key) {
        cart { shippingOptions { title price { amount } }
            cost { taxes { rate } pricesIncludeTax taxAmount { amount } } } userErrors { code } } }";
    let set = "mutation($rate: Decimal!, $key: ID!) { answer: taxRuleSet(countryCode: \"IS\", rate: $rate,
        includedInPrices: false, idempotencyKey: $key) { taxRule { taxClass rate includedInPrices }
        userErrors { field code } } }";
    let create = "mutation($input: ShippingMethodInput!, $key: ID!) {
        answer: shippingMethodCreate(input: $input, idempotencyKey: $key) {
            shippingMethod { id etag } userErrors { field code } } }";
    let update = "mutation($id: ID!, $input: ShippingMethodInput!, $etag: String!, $key: ID!) {
        answer: shippingMethodUpdate(id: $id, input: $input, etag: $etag, idempotencyKey: $key) {
            shippingMethod { etag rates { weightGramsMax price { amount } } } userErrors { field code } } }";
    let method = |price: &str| {
        let price = json!({ "amount": price, "currencyCode": "GBP" });
        json!({ "title": "By boat", "countryCodes": ["IS"], "daysMin": 4, "daysMax": 9,
            "rates": [{ "weightGramsMax": 5_000, "price": price }] })
    };

    let rule = staff.done(set, json!({ "rate": "0.24" })).await["taxRule"].take();
    assert_eq!(rule, json!({ "taxClass": "standard", "rate": "0.24", "includedInPrices": false }));
    let created = staff.done(create, json!({ "input": method("12.00") })).await["shippingMethod"].take();
    let renewed = json!({ "id": created["id"], "etag": created["etag"], "input": method("9.50") });
    staff.done(update, renewed.clone()).await;

    let seen = guest.done(go, acts::seen(&cart)).await["cart"].take();
    let options = seen["shippingOptions"].as_array().unwrap();
    assert!(options.contains(&json!({ "title": "By boat", "price": { "amount": "9.50" } })), "{seen}");
    assert_eq!(seen["cost"]["taxes"][0]["rate"], "0.24");
    assert_eq!(seen["cost"]["taxAmount"]["amount"], "2.40");
    assert_eq!(seen["cost"]["pricesIncludeTax"], false);
    // Somebody who still looks at the first price overwrites nothing, and what makes no sense is named.
    assert_eq!(staff.refused(update, renewed).await, "CHANGED_MEANWHILE");
    let absurd = staff.look(set, json!({ "rate": "9" })).await;
    assert_eq!(absurd["userErrors"], json!([{ "field": ["rate"], "code": "INVALID" }]));
    let rateless = json!({ "title": "By boat", "daysMax": 9, "rates": [] });
    let rateless = staff.look(create, json!({ "input": rateless })).await;
    assert_eq!(rateless["userErrors"], json!([{ "field": ["input", "rates"], "code": "INVALID" }]));
}
