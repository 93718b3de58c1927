//! What shoppers look for and find.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::acts::goods;
use crate::harness::{Shop, text};

const SEARCH: &str = "query($words: String!, $filters: [SearchFilter!]) {
    answer: search(query: $words, filters: $filters, first: 5) {
        totalCount correctedQuery nodes { id title } filters { id values { label count input } } } }";
const PREDICT: &str = "query($typed: String!) { answer: predictiveSearch(query: $typed) {
    queries { text productCount } products { id } } }";
const INDEX: &str = "{ answer: searchIndex { ready documentCount pendingCount } }";
const ARCHIVE: &str =
    "mutation($id: ID!, $key: ID!) { answer: productArchive(id: $id, idempotencyKey: $key) {
    product { status } userErrors { code } } }";

#[tokio::test]
async fn what_staff_put_in_is_found_and_what_they_archive_is_not() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();

    let ask = json!({ "words": goods.sku, "filters": [{ "available": true }] });
    // Until it is in the index others that are spelt alike may be found instead.
    guest.eventually(SEARCH, ask.clone(), |seen| seen["nodes"][0]["id"] == goods.product.as_str()).await;
    let index = staff.look(INDEX, json!({})).await;
    assert_eq!(index["ready"], json!(true));

    staff.done(ARCHIVE, json!({ "id": goods.product })).await;
    let gone = |seen: &Value| {
        let mut found = seen["nodes"].as_array().unwrap().iter();
        found.all(|product| product["id"] != goods.product.as_str())
    };
    guest.eventually(SEARCH, ask, gone).await;
}

#[tokio::test]
async fn a_word_that_is_misspelt_or_unfinished_is_understood() {
    let shop = Shop::shared();
    let guest = shop.guest();

    let found = guest.look(SEARCH, json!({ "words": "harbor mgu" })).await;
    assert_eq!(found["nodes"][0]["title"], json!("Harbour Mug"), "{found}");
    assert_eq!(found["correctedQuery"], json!("harbour mug"));

    let predicted = guest.look(PREDICT, json!({ "typed": "harb" })).await;
    assert_eq!(predicted["queries"][0]["text"], json!("harbour"), "{predicted}");
    assert!(!predicted["products"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_filter_that_is_sent_back_gives_what_it_counted() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let found = guest.look(SEARCH, json!({ "words": "mug" })).await;
    let prices = found["filters"].as_array().unwrap().iter().find(|filter| filter["id"] == "price").unwrap();
    let value = &prices["values"][0];

    let narrowed = guest.look(SEARCH, json!({ "words": "mug", "filters": [value["input"]] })).await;

    assert_eq!(narrowed["totalCount"], value["count"], "{value}");
}

#[tokio::test]
async fn every_colour_of_a_product_of_the_demo_has_a_picture_of_its_own() {
    let shop = Shop::start(&["--ephemeral"]);
    let guest = shop.guest();
    let browse = "query($after: String) { answer: products(first: 100, after: $after) {
        nodes { handle images { url } } pageInfo { hasNextPage endCursor } } }";

    let (mut pictures, mut after) = (0, json!(null));
    loop {
        let page = guest.look(browse, json!({ "after": after })).await;
        for product in page["nodes"].as_array().unwrap() {
            let mut drawings = BTreeSet::new();
            for image in product["images"].as_array().unwrap() {
                let address = format!("{}{}", shop.edge, text(&image["url"]));
                let answer = guest.http.get(address).send().await.unwrap();
                assert_eq!(answer.headers()["content-type"], "image/svg+xml", "{image}");
                assert!(drawings.insert(answer.text().await.unwrap()), "two look alike: {product}");
            }
            pictures += drawings.len();
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert!(pictures > 400, "{pictures}");
}
