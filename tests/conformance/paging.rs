//! Lists, page by page: the same things in the same order, each once.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, PRODUCT_CREATE, goods};
use crate::columns::same;
use crate::harness::{Visitor, text};

/// Walks through a list in pages of two; how many there were.
async fn walked(who: &Visitor, document: &str, mut variables: Value) -> usize {
    let mut count = 0;
    loop {
        let page = who.look(document, variables.clone()).await;
        count += page["nodes"].as_array().unwrap().len();
        if page["pageInfo"]["hasNextPage"] == false {
            return count;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    same("pages", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        let word = Uuid::new_v4().simple().to_string();
        let mut products = Vec::new();
        for (at, price) in ["5.00", "3.00", "9.00", "3.00", "7.00"].into_iter().enumerate() {
            let input = json!({ "title": format!("Thing {at}"), "handle": format!("{word}-{at}"), "vendor": word,
                "status": "ACTIVE", "variants": [acts::variant(&format!("J-{word}-{at}"), price)] });
            let created = staff.done(PRODUCT_CREATE, json!({ "input": input })).await;
            products.push(created["product"]["id"].clone());
        }
        for sort in ["TITLE", "PRICE", "CREATED"] {
            let list = format!(
                "query($vendors: [String!], $after: String) {{ answer: products(first: 2, after: $after,
                    sortKey: {sort}, filters: {{ vendors: $vendors }}) {{ nodes {{ id title }}
                    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
            );
            assert_eq!(walked(&staff, &list, json!({ "vendors": [word] })).await, 5);
        }
        let collection = "mutation($handle: String!, $products: [ID!], $key: ID!) {
            answer: collectionCreate(input: { title: \"C\", handle: $handle, productIds: $products },
                idempotencyKey: $key) { collection { id } userErrors { code } } }";
        staff.done(collection, json!({ "handle": word, "products": products })).await;
        let list = "query($handle: String!) { answer: collection(handle: $handle) {
            products(first: 3) { nodes { id } pageInfo { hasNextPage } } } }";
        staff.look(list, json!({ "handle": word })).await;

        let customer = shop.front.customer().await;
        let goods = goods(&staff, "4.00", 9).await;
        for _ in 0..3 {
            let order = acts::bought(&customer, &goods, 1).await;
            acts::paid(&customer, &order).await;
        }
        let orders = "query($after: String) { answer: customer { orders(first: 2, after: $after) {
            nodes { id paymentStatus totals { totalAmount { amount } } } pageInfo { hasNextPage endCursor } } } }";
        let first = customer.look(orders, json!({})).await;
        let after = text(&first["orders"]["pageInfo"]["endCursor"]);
        let second = customer.look(orders, json!({ "after": after })).await;
        assert_eq!(second["orders"]["nodes"].as_array().unwrap().len(), 1);
        assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 6, 0, 3]);
    })
    .await;
}
