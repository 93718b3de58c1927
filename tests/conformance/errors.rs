//! What is refused, and in which words.

use serde_json::json;
use uuid::Uuid;

use crate::acts::{self, COMPLETE, goods};
use crate::columns::same;

/// Documents and variables that nobody is answered as they hope.
#[rustfmt::skip]
const DOCUMENTS: &[(&str, &str)] = &[
    ("{ answer: nothing }", "{}"),
    ("{ answer: product(", "{}"),
    ("query($id: ID!) { answer: product(id: $id) { id } }", "{}"),
    ("query($id: ID!) { answer: product(id: $id) { id } }", r#"{ "id": "mug" }"#),
    ("query($id: ID!) { answer: product(id: $id) { id } }", r#"{ "id": "product_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b" }"#),
    ("query($id: ID!) { answer: node(id: $id) { id } }", r#"{ "id": "teapot_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b" }"#),
    ("{ answer: products(first: 101) { nodes { id } } }", "{}"),
    ("{ answer: products(first: -1) { nodes { id } } }", "{}"),
    ("{ answer: products(first: 1, after: \"nonsense\") { nodes { id } } }", "{}"),
    ("{ answer: search(query: \"mug\", after: \"nonsense\") { nodes { id } } }", "{}"),
    ("{ answer: orders(first: 1) { nodes { id } } }", "{}"),
    ("{ answer: order(id: \"order_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b\") { id } }", "{}"),
    ("{ answer: cart(id: \"cart_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b\", token: \"none\") { id } }", "{}"),
    ("mutation { answer: cartCreate(lines: [], idempotencyKey: \"short\") { userErrors { code } } }", "{}"),
    ("mutation { answer: cartCreate(lines: []) { userErrors { code } } }", "{}"),
    ("mutation($key: ID!) { answer: cartCreate(lines: [{ merchandiseId: \"variant_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b\", quantity: 0 }], idempotencyKey: $key) { userErrors { field code message } warnings { code } } }", "{}"),
    ("mutation($key: ID!) { answer: productCreate(input: {}, idempotencyKey: $key) { userErrors { code } } }", "{}"),
    ("mutation($key: ID!) { answer: customerRegister(email: \"none\", password: \"none\", idempotencyKey: $key) { userErrors { field code message } } }", "{}"),
    ("mutation { answer: customerLogIn(email: \"none@example.com\", password: \"wrong password\") { userErrors { field code message } } }", "{}"),
    ("mutation { answer: customerRefresh(refreshToken: \"none\") { userErrors { field code message } } }", "{}"),
    ("mutation($key: ID!) { answer: customerReset(token: \"none\", newPassword: \"correct horse battery\", idempotencyKey: $key) { userErrors { field code message } } }", "{}"),
];

#[tokio::test]
async fn what_the_edge_refuses_it_refuses_in_the_same_words() {
    same("refusals of the edge", "gateway", async |shop| {
        let guest = shop.front.guest();
        for (document, variables) in DOCUMENTS {
            guest.answer(document, serde_json::from_str(variables).unwrap()).await;
        }
        let staff = shop.front.staff().await;
        let create = json!({ "input": { "title": "", "handle": "No Handle", "status": "ACTIVE",
            "variants": [acts::variant("", "-1.00")] } });
        staff.look(acts::PRODUCT_CREATE, create).await;
        let goods = goods(&staff, "10.00", 3).await;
        let many = json!([{ "sku": goods.sku, "delta": -4 }]);
        staff.refused(acts::STOCK_ADJUST, json!({ "adjustments": many, "reason": "lost" })).await;
        let stale = "mutation($id: ID!, $key: ID!) { answer: productUpdate(id: $id, input: { title: \"T\" },
            etag: \"stale\", idempotencyKey: $key) { userErrors { field code message } } }";
        staff.refused(stale, json!({ "id": goods.product })).await;
        let ready = acts::ready(&guest, &goods, 2).await;
        for card in ["test_decline_funds", "test_decline_fraud", "nonsense"] {
            guest.look(COMPLETE, acts::payment(&ready, card)).await;
        }
        let mut old = acts::payment(&ready, "test_approve");
        old["quote"] = json!("stale");
        guest.look(COMPLETE, old).await;
        let mut first = acts::payment(&ready, "test_approve");
        first["key"] = json!(Uuid::new_v4().to_string());
        guest.done(COMPLETE, first.clone()).await;
        first["card"] = json!("test_decline_fraud");
        guest.refused(COMPLETE, first).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_service_refuses_it_refuses_with_the_same_details() {
    same("refusals of services", "gateway", async |shop| {
        let (staff, customer) = (shop.front.staff().await, shop.front.customer().await);
        let nobody = Uuid::now_v7().to_string();
        let stranger = format!("{}@example.com", Uuid::new_v4().simple());
        let key = || Uuid::new_v4().to_string();
        for (name, request) in [
            ("catalogue.GetProduct", json!({})),
            ("catalogue.GetProduct", json!({ "product_id": "mug" })),
            ("catalogue.GetProduct", json!({ "product_id": nobody })),
            ("catalogue.ListProducts", json!({ "page_size": -1 })),
            ("catalogue.ListProducts", json!({ "page_size": 1, "page_token": "nonsense" })),
            ("catalogue.CreateProduct", json!({ "product": { "title": "T" }, "request_id": key() })),
            ("cart.GetCart", json!({ "key": { "cart_id": nobody, "token": "none" } })),
            (
                "cart.CreateCart",
                json!({ "lines": [{ "variant_id": "x", "quantity": -1 }], "request_id": key() }),
            ),
            ("cart.CreateCart", json!({ "lines": [] })),
            ("orders.GetOrder", json!({ "key": { "order_id": nobody } })),
            ("orders.ListOrders", json!({})),
            (
                "orders.CompleteCheckout",
                json!({ "key": { "checkout_id": nobody }, "quote_id": "q", "request_id": key() }),
            ),
            ("identity.LogIn", json!({ "email": stranger, "password": "wrong password" })),
            ("identity.RefreshSession", json!({ "refresh_token": "none" })),
            ("reviews.VoteReview", json!({ "review_id": nobody, "helpful": true, "request_id": key() })),
            ("inventory.AdjustStock", json!({ "adjustments": [], "reason": "", "request_id": key() })),
            ("payments.ListPayments", json!({ "page_size": -1 })),
            ("search.SearchProducts", json!({ "query": "mug", "page_size": 1_000_000 })),
        ] {
            for who in [None, Some(&customer), Some(&staff)] {
                let _ = shop.call(who, name, request.clone()).await;
            }
        }
        for name in ["inventory.ReserveStock", "payments.CapturePayment", "cart.ClearCart"] {
            let refused = shop.call(Some(&staff), name, json!({ "request_id": key() })).await;
            assert!(refused.is_err(), "{name} is for orders alone");
        }
    })
    .await;
}
