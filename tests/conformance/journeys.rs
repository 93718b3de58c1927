//! What people do from beginning to end, in both forms of the shop.

use serde_json::{Value, json};

use crate::acts::{self, CHECKOUT, COMPLETE, ORDER, goods, seen};
use crate::columns::same;
use crate::harness::text;
use crate::inbox;

const CANCEL: &str = "mutation($id: ID!, $token: String, $key: ID!) {
    answer: orderCancel(id: $id, token: $token, reason: \"changed my mind\", idempotencyKey: $key) {
        order { status cancelReason } userErrors { code } } }";

#[tokio::test]
async fn a_guest_buys_reads_the_mail_and_changes_his_mind() {
    same("a guest", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        let goods = goods(&staff, "10.00", 5).await;
        let guest = shop.front.guest();
        let order = acts::bought(&guest, &goods, 2).await;
        let number = text(&acts::paid(&guest, &order).await["number"]);
        let mail = inbox::one(&shop.front, "buyer@example.com", &format!("Your order {number}")).await;
        shop.hear(mail.lines().filter(|line| line.contains("GBP")).collect::<Vec<_>>().join(" "));
        guest.done(CANCEL, seen(&order)).await;
        let refunded = |order: &Value| order["paymentStatus"] == "REFUNDED";
        guest.eventually(ORDER, seen(&order), refunded).await;
        let stock = acts::stock(&staff.unheard(), &goods.sku).await;
        assert_eq!(stock, [5, 5, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn cards_are_declined_slow_or_want_a_word_with_their_owner() {
    same("cards", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        let goods = goods(&staff, "10.00", 9).await;
        let guest = shop.front.guest();
        let declined = acts::ready(&guest, &goods, 1).await;
        acts::pay(&guest, &declined, "test_decline_insufficient_funds").await;
        let slow = acts::ready(&guest, &goods, 1).await;
        guest.unheard().look(COMPLETE, acts::payment(&slow, "test_slow")).await;
        let settled = |checkout: &Value| checkout["status"] == "COMPLETED";
        guest.eventually(CHECKOUT, seen(&slow.held), settled).await;
        let asked = acts::ready(&guest, &goods, 1).await;
        let mut payment = acts::payment(&asked, "test_action_required");
        payment["back"] = json!(format!("{}/back", shop.front.edge));
        guest.unheard().look(COMPLETE, payment).await;
        let asking = |checkout: &Value| checkout["actionUrl"].is_string();
        let waiting = guest.eventually(CHECKOUT, seen(&asked.held), asking).await;
        let page = guest.http.get(text(&waiting["actionUrl"])).send().await.unwrap();
        assert!(page.status().is_success());
        acts::pay(&guest, &declined, "test_approve").await;
    })
    .await;
}

#[tokio::test]
async fn a_page_is_put_together_from_many_services() {
    same("a page", "gateway", async |shop| {
        let guest = shop.front.guest();
        let page = "{ answer: products(first: 10, sortKey: TITLE, filters: { vendors: [\"Merrow Pottery\"] }) { nodes { handle title vendor
            priceRange { minVariantPrice { amount } maxVariantPrice { amount } }
            variants { nodes { sku title price { amount } quantityAvailable } }
            rating { average count } } } }";
        let page = guest.look(page, json!({})).await;
        assert!(page["nodes"].as_array().unwrap().len() > 5);
        for words in ["mug", "harbor mgu", "teapot"] {
            let search = "query($words: String!) { answer: search(query: $words, first: 5) {
                totalCount correctedQuery nodes { handle } filters { id values { label count } } } }";
            // Categories are told apart from products, and may be learnt of later.
            let whole = |seen: &Value| {
                let all = seen["filters"].as_array().unwrap();
                all.iter().all(|filter| filter["id"] != "category" || filter["values"] != json!([]))
            };
            let mut found = guest.unheard().eventually(search, json!({ "words": words }), whole).await;
            // What else is on the shelves decides between two that fit as well.
            found["nodes"].as_array_mut().unwrap().sort_by_key(Value::to_string);
            shop.hear(found.to_string());
        }
    })
    .await;
}
