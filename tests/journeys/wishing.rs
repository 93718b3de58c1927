//! Wishing for what is not there.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::acts::{self, goods};
use crate::harness::{PASSWORD, Shop};
use crate::inbox;

const WISH: &str = "mutation($products: [ID!]!, $variants: [ID!]!, $key: ID!) {
    answer: wishlistAdd(productIds: $products, notifyVariantIds: $variants, idempotencyKey: $key) {
        items { productId notifyVariantIds } userErrors { field code } } }";

#[tokio::test]
async fn whoever_wished_for_something_sold_out_is_told_by_one_mail_when_it_is_back() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 0).await;
    let email = format!("{}@example.com", Uuid::new_v4().simple());
    let register = "mutation($email: String!, $password: String!, $key: ID!) {
        answer: customerRegister(email: $email, password: $password, givenName: \"Grace\", familyName: \"H\",
            idempotencyKey: $key) { userErrors { code } } }";
    shop.guest().done(register, json!({ "email": email, "password": PASSWORD })).await;
    let token = inbox::token(&shop, &email, "Confirm your address").await;
    let verify = "mutation($token: String!, $key: ID!) {
        answer: customerVerifyEmail(token: $token, idempotencyKey: $key) { userErrors { code } } }";
    shop.guest().done(verify, json!({ "token": token })).await;
    let customer = shop.signed_in(&email, PASSWORD).await;
    let wish = json!({ "products": [], "variants": [goods.variant], "key": Uuid::new_v4().to_string() });

    let wished = customer.done(WISH, wish.clone()).await;
    assert_eq!(wished["items"][0]["productId"], goods.product);
    assert_eq!(wished["items"][0]["notifyVariantIds"], json!([goods.variant]));
    assert_eq!(customer.done(WISH, wish).await, wished);
    acts::count(&staff, &goods.sku, 5).await;

    let told = inbox::one(&shop, &email, "Back in stock: Thing of a journey").await;
    assert!(told.contains("/products/"), "{told}");
    acts::count(&staff, &goods.sku, 0).await;
    acts::count(&staff, &goods.sku, 7).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(inbox::all(&shop, &email, "Back in stock").await.len(), 1, "one return within a day");
}

#[tokio::test]
async fn nobody_is_told_of_a_variant_that_is_not_there() {
    let shop = Shop::shared();
    let customer = shop.customer().await;
    let unknown = format!("variant_{}", Uuid::now_v7().simple());

    let wish = json!({ "products": [], "variants": [unknown] });

    assert_eq!(customer.refused(WISH, wish).await, "INVALID");
}
