//! What others bought with it, and what one buys again.

use serde_json::{Value, json};

use crate::acts::{self, goods};
use crate::harness::Shop;

const PRODUCT: &str = "query($id: ID!) { answer: product(id: $id) { boughtTogether(first: 2) {
    product { id } explanation { reason orderCount message } } } }";
const CART: &str = "query($id: ID!, $token: String) { answer: cart(id: $id, token: $token) {
    boughtTogether(first: 2) { product { id } } } }";
const MINE: &str = "{ answer: recommendedForMe(first: 5) { product { id } explanation { reason message } } }";

fn first(list: &Value) -> Value {
    list.as_array().and_then(|list| list.first()).cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_was_bought_together_is_recommended_to_the_next() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let (tea, mug) = (goods(&staff, "10.00", 9).await, goods(&staff, "12.00", 9).await);
    let buyer = shop.customer().await;
    let cart = acts::cart(&buyer, &[(&tea, 1), (&mug, 1)]).await;
    let ready = acts::checkout(&buyer, &cart).await;
    assert_eq!(acts::pay(&buyer, &ready, "test_approve").await["status"], "COMPLETED");

    // That it was placed is news, and news travel.
    let guest = shop.guest();
    let wanted = |list: &Value| first(list)["product"]["id"] == json!(mug.product);
    let page =
        guest.eventually(PRODUCT, json!({ "id": tea.product }), |page| wanted(&page["boughtTogether"])).await;
    let explanation =
        json!({ "reason": "BOUGHT_TOGETHER", "orderCount": 1, "message": "Bought together once" });
    assert_eq!(first(&page["boughtTogether"])["explanation"], explanation);

    let held = acts::cart(&guest, &[(&tea, 1)]).await;
    let cart = guest.look(CART, json!({ "id": held.id, "token": held.token })).await;
    assert!(wanted(&cart["boughtTogether"]), "{cart}");

    let mine = buyer.look(MINE, json!({})).await;
    let again = mine.as_array().unwrap().iter().find(|it| it["product"]["id"] == json!(mug.product)).unwrap();
    assert_eq!(again["explanation"], json!({ "reason": "BOUGHT_BEFORE", "message": "You bought this once" }));
    assert_eq!(guest.look(MINE, json!({})).await, Value::Null);
}
