//! Impatient fingers, and keys that come back.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, COMPLETE, goods};
use crate::harness::{Shop, text};

#[tokio::test]
async fn twenty_clicks_with_one_key_are_one_order_and_one_answer() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.07", 50).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 2).await;
    let mut payment = acts::payment(&ready, "test_approve");
    payment["key"] = json!(Uuid::new_v4().to_string());

    let clicks = (0..20).map(|_| guest.look(COMPLETE, payment.clone()));
    let answers = join_all(clicks).await;

    // Who comes while the first is under way may be told so, and asks again with the same key.
    let (told, waiting): (Vec<&Value>, Vec<&Value>) =
        answers.iter().partition(|answer| answer["userErrors"] == json!([]));
    for answer in waiting {
        assert_eq!(answer["userErrors"][0]["code"], "IDEMPOTENCY_IN_PROGRESS", "{answer}");
    }
    assert!(!told.is_empty());
    let again = guest.done(COMPLETE, payment).await;
    assert_eq!(again["checkout"]["status"], "COMPLETED");
    for answer in told {
        assert_eq!(*answer, again);
    }
    assert_eq!(acts::stock(&staff, &goods.sku).await, [50, 48, 0, 2]);
    assert_eq!(payments_of(&staff, &ready.total).await, 1);
}

/// Payments of just this amount; journeys that count them have a price of their own.
async fn payments_of(staff: &crate::harness::Visitor, total: &Value) -> usize {
    let document = "query($after: String) { answer: payments(first: 100, after: $after) {
        nodes { amount { amount } status } pageInfo { hasNextPage endCursor } } }";
    let mut found = 0;
    let mut after = Value::Null;
    loop {
        let page = staff.look(document, json!({ "after": after })).await;
        let nodes = page["nodes"].as_array().unwrap();
        found += nodes.iter().filter(|payment| payment["amount"]["amount"] == *total).count();
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 1).await;
    let key = json!(Uuid::new_v4().to_string());
    let mut first = acts::payment(&ready, "test_approve");
    first["key"] = key.clone();
    let bought = guest.done(COMPLETE, first.clone()).await;

    let mut other = acts::payment(&ready, "test_decline_fraud");
    other["key"] = key;
    assert_eq!(guest.refused(COMPLETE, other).await, "IDEMPOTENCY_KEY_REUSED");

    assert_eq!(guest.done(COMPLETE, first).await, bought);
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 8, 0, 1]);
}

#[tokio::test]
async fn two_buyers_of_the_last_one_are_one_order() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 1).await;
    let (one, other) = (shop.guest(), shop.guest());
    let (first, second) = (acts::ready(&one, &goods, 1).await, acts::ready(&other, &goods, 1).await);

    let (first, second) =
        futures::join!(acts::pay(&one, &first, "test_approve"), acts::pay(&other, &second, "test_approve"));

    let mut ends = [text(&first["status"]), text(&second["status"])];
    ends.sort();
    assert_eq!(ends, ["COMPLETED", "READY"]);
    assert_eq!(acts::stock(&staff, &goods.sku).await, [1, 0, 0, 1]);
}
