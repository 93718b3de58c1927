//! From a shelf to an order.

use serde_json::json;

use crate::acts::{self, COMPLETE, ORDER, STANDARD_PENCE, goods, seen};
use crate::harness::{Shop, pence, text};

#[tokio::test]
async fn a_guest_buys_and_the_figures_add_up() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();

    let order = acts::bought(&guest, &goods, 2).await;
    let order = acts::paid(&guest, &order).await;

    let total = 2 * 1_000 + STANDARD_PENCE;
    assert_eq!(pence(&order["totals"]["totalAmount"]["amount"]), total);
    assert_eq!(pence(&order["paidAmount"]["amount"]), total);
    assert_eq!((&order["status"], &order["fulfilmentStatus"]), (&json!("OPEN"), &json!("UNFULFILLED")));
    assert_eq!(order["email"], "buyer@example.com");
    let line = &order["lines"][0];
    let figure = |name: &str| pence(&line["totalAmount"][name]["amount"]);
    assert_eq!((line["sku"].as_str(), figure("gross")), (Some(goods.sku.as_str()), 2_000));
    // A fifth on top of what is without tax.
    assert_eq!((figure("net"), figure("tax")), (1_667, 333));
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 7, 0, 2]);
}

#[tokio::test]
async fn a_customer_buys_what_they_gathered_as_a_guest() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let (one, other) = (goods(&staff, "10.00", 9).await, goods(&staff, "4.50", 3).await);
    let customer = shop.customer().await;
    acts::cart(&customer, &[(&one, 1), (&other, 2)]).await;
    let gathered = acts::cart(&shop.guest(), &[(&one, 2), (&other, 3)]).await;

    let merge = "mutation($id: ID, $token: String, $key: ID!) {
        answer: cartMerge(cartId: $id, token: $token, idempotencyKey: $key) {
            cart { id totalQuantity } mergedLines { merchandiseId outcome guestQuantity finalQuantity }
            userErrors { code } } }";
    let merged = customer.done(merge, seen(&gathered)).await;

    let mut lines = merged["mergedLines"].as_array().unwrap().clone();
    lines.sort_by_key(|line| text(&line["outcome"]));
    let outcome = |goods: &acts::Goods, outcome: &str, guest: i64, finally: i64| {
        json!({ "merchandiseId": goods.variant, "outcome": outcome, "guestQuantity": guest,
            "finalQuantity": finally })
    };
    assert_eq!(lines, [outcome(&other, "CAPPED", 3, 3), outcome(&one, "MERGED", 2, 3)]);

    let own = acts::Held { id: text(&merged["cart"]["id"]), token: None };
    let ready = acts::checkout(&customer, &own).await;
    assert_eq!(pence(&ready.total), 3 * 1_000 + 3 * 450 + STANDARD_PENCE);
    let checkout = acts::pay(&customer, &ready, "test_approve").await;
    assert_eq!((&checkout["status"], ready.held.token), (&json!("COMPLETED"), None));

    let mine = "{ answer: customer { orders { nodes { id } } } }";
    let orders = customer.look(mine, json!({})).await;
    assert_eq!(orders["orders"]["nodes"], json!([{ "id": checkout["order"]["id"] }]));
    // What was bought is no longer wanted.
    let left = "{ answer: cart { totalQuantity } }";
    customer.eventually(left, json!({}), |cart| cart["totalQuantity"] == 0).await;
}

#[tokio::test]
async fn what_is_sold_out_by_now_is_said_before_anybody_pays() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 5).await;
    let guest = shop.guest();
    let cart = acts::cart(&guest, &[(&goods, 5)]).await;
    let ready = acts::checkout(&guest, &cart).await;
    acts::count(&staff, &goods.sku, 2).await;

    let checkout = acts::pay(&guest, &ready, "test_approve").await;

    assert_eq!((&checkout["status"], &checkout["order"]), (&json!("READY"), &json!(null)));
    assert_eq!(checkout["lastFailure"], "INSUFFICIENT_STOCK");
    let short = json!([{ "sku": goods.sku, "requestedQuantity": 5, "availableQuantity": 2 }]);
    assert_eq!(checkout["shortages"], short);
    assert_eq!(acts::stock(&staff, &goods.sku).await, [2, 2, 0, 0]);

    let look = "query($id: ID, $token: String) { answer: cart(id: $id, token: $token) {
        problems { kind availableQuantity } } }";
    let seen = guest.look(look, seen(&cart)).await;
    assert_eq!(seen["problems"], json!([{ "kind": "SHORT", "availableQuantity": 2 }]));
}

#[tokio::test]
async fn a_price_that_changed_is_refused_with_the_new_quote_and_bought_at_it() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let mut ready = acts::ready(&guest, &goods, 2).await;
    assert_eq!(pence(&ready.total), 2_000 + STANDARD_PENCE);
    let update = "mutation($id: ID!, $input: ProductInput!, $key: ID!) {
        answer: productUpdate(id: $id, etag: \"1\", input: $input, idempotencyKey: $key) {
            userErrors { field code message } } }";
    let input = json!({ "variants": [acts::variant(&goods.sku, "12.00")] });
    staff.done(update, json!({ "id": goods.product, "input": input })).await;

    let refused = guest.look(COMPLETE, acts::payment(&ready, "test_approve")).await;

    assert_eq!(refused["userErrors"][0]["code"], "QUOTE_CHANGED");
    let cost = &refused["checkout"]["cost"];
    assert_eq!(pence(&cost["totalAmount"]["amount"]), 2_400 + STANDARD_PENCE);
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 9, 0, 0]);

    ready.quote = text(&cost["quoteId"]);
    let checkout = acts::pay(&guest, &ready, "test_approve").await;
    let order = acts::Held { id: text(&checkout["order"]["id"]), token: ready.held.token };
    let order = guest.look(ORDER, acts::seen(&order)).await;
    assert_eq!(pence(&order["totals"]["totalAmount"]["amount"]), 2_400 + STANDARD_PENCE);
}
