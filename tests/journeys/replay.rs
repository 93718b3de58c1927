//! A small part of what `cargo xtask bench replay` does with a week of real baskets: shoppers at once, and sums computed apart.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::acts::{self, Goods, STANDARD_PENCE, goods};
use crate::harness::{Shop, Visitor, pence, text};

/// What is sold, in pence.
const PRICES: [i64; 5] = [255, 85, 1_275, 339, 4];
/// On the shelf of each at first.
const STOCK: i64 = 60;
/// Baskets: which of the goods, and how many. Each shopper buys three, one after the other.
const BASKETS: [&[(usize, i64)]; 12] = [
    &[(0, 6), (1, 3)],
    &[(2, 1)],
    &[(4, 7), (3, 2)],
    &[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)],
    &[(1, 9)],
    &[(3, 4), (0, 2)],
    &[(4, 1)],
    &[(2, 2), (4, 3)],
    &[(1, 2), (3, 1)],
    &[(0, 5)],
    &[(3, 3), (1, 4), (4, 2)],
    &[(2, 1), (0, 1)],
];
const SHOPPERS: usize = 4;

/// The tax that a price at home includes, rounded half up to whole pence.
fn tax_within(gross: i64) -> i64 {
    (2 * gross * 20 + 120) / 240
}

/// Buys a basket and compares the order with what it must come to.
async fn buy(guest: &Visitor, shelf: &[Goods], basket: &[(usize, i64)]) {
    let lines: Vec<(&Goods, i64)> =
        basket.iter().map(|(place, quantity)| (&shelf[*place], *quantity)).collect();
    let sums = basket.iter().map(|(place, quantity)| PRICES[*place] * quantity);
    let (subtotal, tax) = sums.fold((0, 0), |(sum, tax), line| (sum + line, tax + tax_within(line)));

    let cart = acts::cart(guest, &lines).await;
    let ready = acts::checkout(guest, &cart).await;
    let checkout = acts::pay(guest, &ready, "test_approve").await;
    assert_eq!(checkout["status"], "COMPLETED", "{checkout}");
    let order = acts::Held { id: text(&checkout["order"]["id"]), token: ready.held.token };
    let order = acts::paid(guest, &order).await;

    let total = |name: &str| pence(&order["totals"][name]["amount"]);
    assert_eq!(total("subtotalAmount"), subtotal, "{order}");
    assert_eq!(total("shippingAmount"), STANDARD_PENCE, "{order}");
    assert_eq!(total("taxAmount"), tax + tax_within(STANDARD_PENCE), "{order}");
    assert_eq!(total("totalAmount"), subtotal + STANDARD_PENCE, "{order}");
    assert_eq!(
        (pence(&ready.total), pence(&order["paidAmount"]["amount"])),
        (total("totalAmount"), total("totalAmount"))
    );
    let mut sold: Vec<(&Value, &Value)> =
        order["lines"].as_array().unwrap().iter().map(|line| (&line["sku"], &line["quantity"])).collect();
    sold.sort_by_key(|(sku, _)| sku.as_str());
    let mut wanted: Vec<(Value, Value)> =
        lines.iter().map(|(goods, quantity)| (json!(goods.sku), json!(quantity))).collect();
    wanted.sort_by_key(|(sku, _)| text(sku));
    assert!(sold.into_iter().eq(wanted.iter().map(|(sku, quantity)| (sku, quantity))), "{order}");
}

#[tokio::test]
async fn baskets_of_shoppers_at_once_come_to_what_was_computed_apart() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let mut shelf = Vec::new();
    for price in PRICES {
        shelf.push(goods(&staff, &format!("{}.{:02}", price / 100, price % 100), STOCK).await);
    }

    let shoppers = BASKETS.chunks(BASKETS.len() / SHOPPERS).map(async |baskets| {
        let guest = shop.guest();
        for basket in baskets {
            buy(&guest, &shelf, basket).await;
        }
    });
    assert_eq!(join_all(shoppers).await.len(), SHOPPERS);

    for (place, goods) in shelf.iter().enumerate() {
        let bought = BASKETS.iter().copied().flatten().filter(|(bought, _)| *bought == place);
        let sold = bought.map(|(_, quantity)| quantity).sum::<i64>();
        assert_eq!(acts::stock(&staff, &goods.sku).await, [STOCK, STOCK - sold, 0, sold]);
    }
}
