//! What staff do at their desk besides selling: how the shop is arranged, what is given away, who works there.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, ORDER, goods, seen};
use crate::after::deliver;
use crate::harness::{PASSWORD, Shop, Visitor, pence, text};

const CATEGORY: &str = "mutation($input: CategoryInput!, $key: ID!) {
    answer: categoryCreate(input: $input, idempotencyKey: $key) { category { id path } userErrors { code } } }";
const CATEGORY_UPDATE: &str = "mutation($id: ID!, $input: CategoryInput!, $key: ID!) {
    answer: categoryUpdate(id: $id, input: $input, idempotencyKey: $key) {
        category { name } userErrors { code } } }";
const COLLECTION: &str = "mutation($input: CollectionInput!, $key: ID!) {
    answer: collectionCreate(input: $input, idempotencyKey: $key) {
        collection { id handle etag } userErrors { code } } }";
const COLLECTION_UPDATE: &str = "mutation($id: ID!, $input: CollectionInput!, $etag: String!, $key: ID!) {
    answer: collectionUpdate(id: $id, input: $input, etag: $etag, idempotencyKey: $key) {
        collection { title } userErrors { code } } }";
const DISCOUNT: &str = "mutation($input: DiscountInput!, $key: ID!) {
    answer: discountCreate(input: $input, idempotencyKey: $key) {
        discount { id code etag usageCount } userErrors { code } } }";
const DISCOUNT_UPDATE: &str = "mutation($id: ID!, $input: DiscountInput!, $etag: String!, $key: ID!) {
    answer: discountUpdate(id: $id, input: $input, etag: $etag, idempotencyKey: $key) {
        discount { disabled } userErrors { code } } }";
const CODES: &str = "mutation($id: ID, $token: String, $codes: [String!]!, $key: ID!) {
    answer: cartDiscountCodesUpdate(cartId: $id, token: $token, discountCodes: $codes, idempotencyKey: $key) {
        cart { discountCodes { code applicable } } userErrors { code } } }";
const NODE: &str = "query($id: ID!) { answer: node(id: $id) { id ... on Discount { etag usageCount }
    ... on Product { category { name parent { name } } } ... on Category { name } } }";
const CANCEL: &str = "mutation($id: ID!, $token: String, $key: ID!) {
    answer: orderCancel(id: $id, token: $token, reason: \"too dear\", idempotencyKey: $key) {
        order { status } userErrors { code } } }";

fn word() -> String {
    format!("j{}", Uuid::new_v4().simple())
}

#[tokio::test]
async fn the_shelves_are_arranged_and_shown() {
    let shop = Shop::shared();
    let (staff, guest) = (shop.staff().await, shop.guest());
    let goods = goods(&staff, "10.00", 3).await;
    let (top, below) = (word(), word());
    let top = staff.done(CATEGORY, json!({ "input": { "slug": top, "name": "Rooms" } })).await;
    let below = json!({ "slug": below, "name": "Kitchen", "parentId": top["category"]["id"] });
    let below = staff.done(CATEGORY, json!({ "input": below })).await["category"].take();
    let renamed = json!({ "id": below["id"], "input": { "name": "Galley" } });
    assert_eq!(staff.done(CATEGORY_UPDATE, renamed).await["category"]["name"], "Galley");
    let update = "mutation($id: ID!, $category: ID!, $etag: String!, $key: ID!) {
        answer: productUpdate(id: $id, input: { categoryId: $category }, etag: $etag, idempotencyKey: $key) {
            product { id } userErrors { code } } }";
    let look = "query($id: ID!) { answer: product(id: $id) { etag } }";
    let etag = guest.look(look, json!({ "id": goods.product })).await["etag"].take();
    staff.done(update, json!({ "id": goods.product, "category": below["id"], "etag": etag })).await;

    let shown = guest.look(NODE, json!({ "id": goods.product })).await;
    assert_eq!(shown["category"], json!({ "name": "Galley", "parent": { "name": "Rooms" } }));
    let name = "query($id: ID!) { answer: product(id: $id) { category { name } } }";
    let shown = guest.look(name, json!({ "id": goods.product })).await;
    assert_eq!(shown["category"]["name"], "Galley");
    let tree = guest.look("{ answer: categories { id } }", json!({})).await;
    assert!(tree.as_array().unwrap().contains(&json!({ "id": top["category"]["id"] })));

    let handle = word();
    let input = json!({ "handle": handle, "title": "New in", "productIds": [goods.product] });
    let made = staff.done(COLLECTION, json!({ "input": input })).await["collection"].take();
    let change = json!({ "id": made["id"], "input": { "title": "Just in" }, "etag": made["etag"] });
    assert_eq!(staff.done(COLLECTION_UPDATE, change.clone()).await["collection"]["title"], "Just in");
    assert_eq!(staff.refused(COLLECTION_UPDATE, change).await, "CHANGED_MEANWHILE");
    let page = "query($handle: String!) { answer: collection(handle: $handle) {
        title products { nodes { id } } } }";
    let page = guest.look(page, json!({ "handle": handle })).await;
    assert_eq!(page, json!({ "title": "Just in", "products": { "nodes": [{ "id": goods.product }] } }));
    let all = guest.look("{ answer: collections(first: 100) { nodes { id } } }", json!({})).await;
    assert!(all["nodes"].as_array().unwrap().contains(&json!({ "id": made["id"] })));
    assert_eq!(guest.look(NODE, json!({ "id": made["id"] })).await["id"], made["id"]);
}

#[tokio::test]
async fn a_code_is_given_out_used_given_back_and_withdrawn() {
    let shop = Shop::shared();
    let (staff, guest) = (shop.staff().await, shop.guest());
    let goods = goods(&staff, "10.00", 9).await;
    let code = word()[..20].to_uppercase();
    let input = json!({ "code": code, "percentage": "0.1", "usageLimit": 2 });
    let made = staff.done(DISCOUNT, json!({ "input": input })).await["discount"].take();
    let uses = async || staff.look(NODE, json!({ "id": made["id"] })).await["usageCount"].take();

    let cart = acts::cart(&guest, &[(&goods, 2)]).await;
    let codes = json!({ "id": cart.id, "token": cart.token, "codes": [code] });
    let with_code = guest.done(CODES, codes).await;
    assert_eq!(with_code["cart"]["discountCodes"], json!([{ "code": code, "applicable": true }]));
    let ready = acts::checkout(&guest, &cart).await;
    assert_eq!(pence(&ready.total), 1_800 + acts::STANDARD_PENCE);
    let bought = acts::pay(&guest, &ready, "test_approve").await;
    assert_eq!(bought["status"], "COMPLETED");
    assert_eq!(uses().await, 1);

    // Declined: the hold is given back. Cancelled: the use is.
    let cart = acts::cart(&guest, &[(&goods, 1)]).await;
    guest.done(CODES, json!({ "id": cart.id, "token": cart.token, "codes": [code] })).await;
    let declined = acts::checkout(&guest, &cart).await;
    let declined = acts::pay(&guest, &declined, "test_decline_expired").await;
    assert_eq!((&declined["status"], uses().await), (&json!("READY"), json!(1)));
    let order = acts::Held { id: text(&bought["order"]["id"]), token: ready.held.token };
    acts::paid(&guest, &order).await;
    guest.done(CANCEL, seen(&order)).await;
    staff.eventually(NODE, json!({ "id": made["id"] }), |discount| discount["usageCount"] == 0).await;

    let etag = staff.look(NODE, json!({ "id": made["id"] })).await["etag"].take();
    let withdrawn = json!({ "id": made["id"], "input": { "disabled": true }, "etag": etag });
    assert_eq!(staff.done(DISCOUNT_UPDATE, withdrawn).await["discount"]["disabled"], true);
    let cart = acts::cart(&guest, &[(&goods, 1)]).await;
    let refused = guest.done(CODES, json!({ "id": cart.id, "token": cart.token, "codes": [code] })).await;
    assert_eq!(refused["cart"]["discountCodes"][0]["applicable"], false);
}

#[tokio::test]
async fn money_and_goods_are_followed_to_their_ends() {
    let shop = Shop::shared();
    let (staff, guest) = (shop.staff().await, shop.guest());
    let goods = goods(&staff, "10.00", 9).await;
    let order = acts::bought(&guest, &goods, 1).await;
    let paid = acts::paid(&guest, &order).await;
    deliver(&staff, &order).await;

    let look = "query($id: ID!) { answer: order(id: $id) {
        payment { id status capturedAmount { amount } events { nodes { type } } } } }";
    let payment = staff.look(look, json!({ "id": order.id })).await["payment"].take();
    assert_eq!(payment["capturedAmount"], paid["paidAmount"]);
    assert!(payment["events"]["nodes"].as_array().unwrap().contains(&json!({ "type": "CHARGE_SUCCESS" })));
    let nodes = "query($ids: [ID!]!) { answer: nodes(ids: $ids) { id } }";
    let ids = json!([order.id, payment["id"], goods.product, goods.variant]);
    let found = staff.look(nodes, json!({ "ids": ids })).await;
    let found: Vec<&Value> = found.as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(json!(found), ids);
    let places = staff.look("{ answer: locations { isDefault } }", json!({})).await;
    assert_eq!(places, json!([{ "isDefault": true }]));

    let line = &guest.look(ORDER, seen(&order)).await["lines"][0]["id"];
    let request = "mutation($id: ID!, $token: String, $lines: [OrderLineInput!]!, $key: ID!) {
        answer: orderReturnRequest(id: $id, token: $token, lines: $lines, idempotencyKey: $key) {
            returnId userErrors { code } } }";
    let lines = json!([{ "lineId": line, "quantity": 1 }]);
    let asked = json!({ "id": order.id, "token": order.token, "lines": lines });
    let asked = guest.done(request, asked).await["returnId"].take();
    let reject = "mutation($id: ID!, $return: ID!, $key: ID!) {
        answer: orderReturnReject(id: $id, returnId: $return, rejection: \"worn\", idempotencyKey: $key) {
            order { returns { status rejection } } userErrors { code } } }";
    let rejected = staff.done(reject, json!({ "id": order.id, "return": asked })).await;
    assert_eq!(rejected["order"]["returns"], json!([{ "status": "REJECTED", "rejection": "worn" }]));
}

#[tokio::test]
async fn an_admin_hires_promotes_and_looks_after_accounts() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let email = format!("{}@example.com", word());
    let hire = "mutation($email: String!, $password: String!, $key: ID!) {
        answer: staffAccountCreate(email: $email, password: $password, givenName: \"Mary\", role: STAFF,
            permissions: [STOCK_READ], idempotencyKey: $key) { customer { id role } userErrors { code } } }";
    let hired = staff.done(hire, json!({ "email": email, "password": PASSWORD })).await["customer"].take();
    let clerk = shop.signed_in(&email, PASSWORD).await;
    let stock = "{ answer: stock(first: 1) { nodes { sku } } }";
    assert!(clerk.look(stock, json!({})).await["nodes"].is_array());
    assert_eq!(code(&clerk, "{ answer: orders { nodes { id } } }").await, "PERMISSION_DENIED");

    let promote = "mutation($id: ID!, $key: ID!) { answer: accountRoleSet(id: $id, role: STAFF,
        permissions: [ORDERS_READ], idempotencyKey: $key) { customer { permissions } userErrors { code } } }";
    let promoted = staff.done(promote, json!({ "id": hired["id"] })).await;
    assert_eq!(promoted["customer"]["permissions"], json!(["ORDERS_READ"]));
    let clerk = shop.signed_in(&email, PASSWORD).await;
    assert_eq!(code(&clerk, stock).await, "PERMISSION_DENIED");
    let look = "query($id: ID!) { answer: account(id: $id) { email loginEvents { nodes { kind } } } }";
    let account = staff.look(look, json!({ "id": hired["id"] })).await;
    assert_eq!(account["email"], json!(email));
    assert!(account["loginEvents"]["nodes"].as_array().unwrap().len() >= 2, "{account}");
    assert_eq!(staff.look(NODE, json!({ "id": hired["id"] })).await["id"], hired["id"]);
}

/// With which code a query is answered.
async fn code(visitor: &Visitor, query: &str) -> String {
    text(&visitor.answer(query, json!({})).await["errors"][0]["extensions"]["code"])
}
