//! Cards that do not simply say yes.

use serde_json::{Value, json};

use crate::acts::{self, CHECKOUT, Held, Ready, goods, seen};
use crate::harness::{Shop, Visitor, text};

#[tokio::test]
async fn after_a_declined_card_another_one_pays() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 2).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 2).await;

    let declined = acts::pay(&guest, &ready, "test_decline_insufficient_funds").await;

    assert_eq!((&declined["status"], &declined["order"]), (&json!("READY"), &Value::Null));
    assert_eq!(declined["lastFailure"], "PAYMENT_DECLINED");
    // What was reserved for it went back, or the second try would find nothing.
    let paid = acts::pay(&guest, &ready, "test_approve").await;
    assert_eq!((&paid["status"], &paid["lastFailure"]), (&json!("COMPLETED"), &Value::Null));
    assert_eq!(acts::stock(&staff, &goods.sku).await, [2, 0, 0, 2]);
}

/// Pays with the card whose bank wants a word with the buyer; answers with the bank's page.
async fn asked(guest: &Visitor, ready: &Ready, back: &str) -> String {
    let mut payment = acts::payment(ready, "test_action_required");
    payment["back"] = json!(back);
    let payload = guest.done(acts::COMPLETE, payment).await;
    assert_eq!(payload["checkout"]["status"], "ACTION_REQUIRED");
    text(&payload["checkout"]["actionUrl"])
}

async fn decide(guest: &Visitor, page: &str, decision: &str) -> reqwest::Response {
    let html = guest.http.get(page).send().await.unwrap().text().await.unwrap();
    assert!(html.contains(&format!("name=\"decision\" value=\"{decision}\"")), "{html}");
    guest.http.post(page).body(format!("decision={decision}")).send().await.unwrap()
}

#[tokio::test]
async fn a_buyer_who_says_yes_at_the_bank_has_bought() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 2).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 1).await;
    let back = "https://shop.example/thanks";

    let page = asked(&guest, &ready, back).await;
    let answer = decide(&guest, &page, "approve").await;

    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &back.parse().unwrap()));
    let settled =
        guest.eventually(CHECKOUT, seen(&ready.held), |checkout| checkout["status"] == "COMPLETED").await;
    let order = Held { id: text(&settled["order"]["id"]), token: ready.held.token.clone() };
    acts::paid(&guest, &order).await;
    assert_eq!(acts::stock(&staff, &goods.sku).await, [2, 1, 0, 1]);
}

#[tokio::test]
async fn a_buyer_who_says_no_at_the_bank_may_try_another_card() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 1).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 1).await;

    let page = asked(&guest, &ready, "").await;
    let answer = decide(&guest, &page, "decline").await;
    assert_eq!(answer.status().as_u16(), 200);

    let refused =
        guest.eventually(CHECKOUT, seen(&ready.held), |checkout| checkout["status"] == "READY").await;
    assert_eq!((&refused["lastFailure"], &refused["order"]), (&json!("PAYMENT_DECLINED"), &Value::Null));
    let paid = acts::pay(&guest, &ready, "test_approve").await;
    assert_eq!(paid["status"], "COMPLETED");
    assert_eq!(acts::stock(&staff, &goods.sku).await, [1, 0, 0, 1]);
}

#[tokio::test]
async fn a_slow_provider_leaves_the_checkout_pending_until_it_has_answered() {
    assert_eq!(settled_later("test_slow").await, "PAYMENT_PENDING");
}

#[tokio::test]
async fn a_provider_that_charged_and_did_not_answer_is_asked_again() {
    settled_later("test_timeout_with_effect").await;
}

#[tokio::test]
async fn a_provider_that_did_nothing_and_did_not_answer_is_asked_again() {
    settled_later("test_timeout_without_effect").await;
}

/// Pays with a card of which the provider does not tell at once; answers with what the buyer was told first.
async fn settled_later(card: &str) -> String {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 3).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 2).await;

    let first = acts::pay(&guest, &ready, card).await;

    let settled = guest
        .eventually(CHECKOUT, seen(&ready.held), |checkout| checkout["status"] != "PAYMENT_PENDING")
        .await;
    assert_eq!(settled["status"], "COMPLETED");
    let order = Held { id: text(&settled["order"]["id"]), token: ready.held.token.clone() };
    let order = acts::paid(&guest, &order).await;
    assert_eq!(order["paidAmount"]["amount"], ready.total);
    assert_eq!(acts::stock(&staff, &goods.sku).await, [3, 1, 0, 2]);
    text(&first["status"])
}
