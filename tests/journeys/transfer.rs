//! Files in and out, by the binary's own commands.

use std::process::Output;

use serde_json::{Value, json};

use crate::acts;
use crate::harness::{Shop, pence};

const PRODUCTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/products.csv");
const OLD_PRODUCTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/products-before-2024.csv");
const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/orders.jsonl");
/// Of the orders of the fixture that can be read.
const ORDERS_PENCE: i64 = (6 * 1_255 + 2 * 1_199) + 1_200 * 4 + 10 * 111;

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

fn complaints(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_catalogue_comes_in_whole_products_only_and_once() {
    let shop = Shop::start(&["--ephemeral"]);

    let first = shop.run(&["import", "catalogue", PRODUCTS]);

    assert!(!first.status.success());
    assert_eq!(
        last_line(&first),
        "9 lines: 3 products created, 0 updated, 0 unchanged, 2 refused; 4 variants"
    );
    let said = complaints(&first);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("line 7, fx-broken-price Price: "), "{said:?}");
    assert!(said[1].starts_with("line 9, fx-negative Price: "), "{said:?}");
    assert!(said[2].contains("2 products were refused"), "{said:?}");

    let look = "query($handle: String!) { answer: product(handle: $handle) { title vendor tags
        options { name values }
        variants { nodes { sku quantityAvailable price { amount } compareAtPrice { amount } } } } }";
    let guest = shop.guest();
    let bell = guest.look(look, json!({ "handle": "fx-ferry-bell" })).await;
    assert_eq!(bell["options"], json!([{ "name": "Size", "values": ["Small", "Large"] }]));
    assert_eq!(bell["tags"], json!(["brass", "gift"]));
    let variants = &bell["variants"]["nodes"];
    assert_eq!(
        *variants,
        json!([
            { "sku": "FX-BELL-S", "quantityAvailable": 12, "price": { "amount": "18.50" },
              "compareAtPrice": { "amount": "21.00" } },
            { "sku": "FX-BELL-L", "quantityAvailable": 0, "price": { "amount": "32.00" }, "compareAtPrice": null },
        ])
    );
    for unseen in ["fx-broken-price", "fx-negative", "fx-rope-end"] {
        assert_eq!(guest.look(look, json!({ "handle": unseen })).await, Value::Null, "{unseen}");
    }

    let again = shop.run(&["import", "catalogue", PRODUCTS]);
    assert_eq!(
        last_line(&again),
        "9 lines: 0 products created, 0 updated, 3 unchanged, 2 refused; 4 variants"
    );
    let old = shop.run(&["import", "catalogue", OLD_PRODUCTS]);
    assert!(old.status.success());
    assert_eq!(last_line(&old), "4 lines: 2 products created, 0 updated, 0 unchanged, 0 refused; 3 variants");
    let map = guest.look(look, json!({ "handle": "fx-harbour-map" })).await;
    assert_eq!(
        (&map["title"], &map["variants"]["nodes"][0]["quantityAvailable"]),
        (&json!("Harbour Map"), &json!(7))
    );

    exported_is_imported_unchanged(&shop, &[]).await;
    exported_is_imported_unchanged(&shop, &["--old-headers"]).await;
}

/// What goes out comes in again, and nothing is different: neither products nor stock.
async fn exported_is_imported_unchanged(shop: &Shop, arguments: &[&str]) {
    let staff = shop.staff().await;
    let before = acts::stock(&staff, "FX-BELL-S").await;
    let exported = shop.run(&[&["export", "catalogue"], arguments].concat());
    assert!(exported.status.success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exported.csv");
    std::fs::write(&file, &exported.stdout).unwrap();

    let imported = shop.run(&["import", "catalogue", file.to_str().unwrap()]);

    assert!(imported.status.success(), "{:?}", complaints(&imported));
    let said = last_line(&imported);
    assert!(said.contains(" 0 products created, 0 updated, ") && said.contains(" 0 refused; "), "{said}");
    assert_eq!(acts::stock(&staff, "FX-BELL-S").await, before);
    assert_eq!(shop.run(&[&["export", "catalogue"], arguments].concat()).stdout, exported.stdout);
}

#[tokio::test]
async fn history_comes_in_order_by_order_and_once() {
    let shop = Shop::start(&["--ephemeral"]);

    let first = shop.run(&["import", "orders", ORDERS]);

    assert!(!first.status.success());
    let wanted = format!(
        "7 lines: 3 orders created with 5 lines, 0 unchanged, 4 refused; GBP {ORDERS_PENCE} in minor units"
    );
    assert_eq!(last_line(&first), wanted);
    let said = complaints(&first);
    for (complaint, line) in
        said.iter().zip(["line 3, ", "line 4, order FX-3", "line 5, order FX-4", "line 6, order FX-5"])
    {
        assert!(complaint.starts_with(line), "{said:?}");
    }

    let staff = shop.staff().await;
    let look = "{ answer: orders(first: 100, filters: { origin: IMPORTED }) { nodes {
        externalId origin status allowedActions totals { totalAmount { amount } } } } }";
    let orders = async || staff.look(look, json!({})).await["nodes"].take();
    let seen = orders().await;
    let sum: i64 =
        seen.as_array().unwrap().iter().map(|order| pence(&order["totals"]["totalAmount"]["amount"])).sum();
    assert_eq!((seen.as_array().unwrap().len(), sum), (3, ORDERS_PENCE));
    let newest = &seen[0];
    assert_eq!((&newest["externalId"], &newest["status"]), (&json!("FX-6"), &json!("CLOSED")));
    assert_eq!(newest["allowedActions"], json!([]));

    let again = shop.run(&["import", "orders", ORDERS]);
    let wanted = "7 lines: 0 orders created with 0 lines, 3 unchanged, 4 refused; GBP 0 in minor units";
    assert_eq!(last_line(&again), wanted);
    assert_eq!(orders().await, seen);
}

#[tokio::test]
async fn nobody_imports_who_may_not() {
    let shop = Shop::shared();
    let customer = ["--email", "shopper@shopmesh.example", "--password", "shopper-demo-pass"];

    let refused = shop.run(&[&["import", "orders", ORDERS], customer.as_slice()].concat());
    assert!(!refused.status.success());
    assert_eq!(last_line(&refused), "");
    let missing = shop.run(&["import", "catalogue", "nothing-there.csv"]);
    assert!(complaints(&missing)[0].contains("nothing-there.csv"));
}
