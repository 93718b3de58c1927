//! The power goes in the middle of it, or somebody asks the shop to end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::acts::{self, CHECKOUT, COMPLETE, Goods, Held, Ready, goods};
use crate::harness::{Shop, text};

/// From before the first step is stored to after the last.
const DELAYS_MILLIS: [u64; 6] = [4, 20, 45, 80, 130, 220];

#[tokio::test]
async fn a_checkout_that_was_killed_is_finished_or_undone_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Shop::start_on(folder.path());
    let goods = goods(&shop.staff().await, "10.00", 100).await;
    let mut begun = Vec::new();
    for delay in DELAYS_MILLIS {
        let (ready, payment) = killed_after(shop, &goods, Duration::from_millis(delay)).await;
        shop = Shop::start_on(folder.path());
        begun.push((ready, payment));
    }

    let guest = shop.guest();
    let mut completed = 0;
    for (ready, payment) in &begun {
        let settled = guest
            .eventually(CHECKOUT, acts::seen(&ready.held), |checkout| {
                ["COMPLETED", "READY"].contains(&checkout["status"].as_str().unwrap())
            })
            .await;
        completed += i32::from(settled["status"] == "COMPLETED");
        // The buyer clicks again, with the same key as before.
        guest.look(COMPLETE, payment.clone()).await;
        let bought = guest
            .eventually(CHECKOUT, acts::seen(&ready.held), |checkout| checkout["status"] == "COMPLETED")
            .await;
        let order = Held { id: text(&bought["order"]["id"]), token: ready.held.token.clone() };
        let order = acts::paid(&guest, &order).await;
        assert_eq!(order["paidAmount"]["amount"], ready.total);
    }
    println!("{completed} of {} were completed by the shop itself", begun.len());

    let count = i64::try_from(begun.len()).unwrap();
    let staff = shop.staff().await;
    assert_eq!(acts::stock(&staff, &goods.sku).await, [100, 100 - 2 * count, 0, 2 * count]);
    let payments = "{ answer: payments(first: 100) { nodes { status } } }";
    let payments = staff.look(payments, json!({})).await["nodes"].take();
    let in_state = |state: &str| {
        payments.as_array().unwrap().iter().filter(|payment| payment["status"] == state).count()
    };
    assert_eq!(in_state("CAPTURED"), begun.len(), "{payments}");
    assert_eq!(in_state("AUTHORIZED") + in_state("PENDING"), 0, "{payments}");
    let orders = "{ answer: orders(first: 100) { nodes { id } } }";
    let orders = staff.look(orders, json!({})).await["nodes"].take();
    assert_eq!(orders.as_array().unwrap().len(), begun.len());
}

#[tokio::test]
async fn a_checkout_that_was_killed_while_the_bank_was_asked_is_finished_by_the_shop_itself() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());
    let goods = goods(&shop.staff().await, "10.00", 10).await;
    let (ready, paying) = under_way(&shop, &goods).await;
    shop.kill();
    // Torn off: the buyer does not know, and does not click again.
    let _ = paying.await.unwrap();

    let shop = Shop::start_on(folder.path());
    let completed = |checkout: &Value| checkout["status"] == "COMPLETED";
    shop.guest().eventually(CHECKOUT, acts::seen(&ready.held), completed).await;

    assert_eq!(acts::stock(&shop.staff().await, &goods.sku).await, [10, 8, 0, 2]);
}

#[tokio::test]
async fn a_shop_that_is_asked_to_end_answers_what_is_under_way_first() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());
    let goods = goods(&shop.staff().await, "10.00", 10).await;
    let (ready, paying) = under_way(&shop, &goods).await;

    let ended = tokio::task::spawn_blocking(|| shop.terminate()).await.unwrap();

    assert!(ended.success(), "{ended}");
    let told = paying.await.unwrap().unwrap();
    assert_eq!(told.get("errors"), None, "{told}");
    let answer = &told["data"]["answer"];
    assert_eq!((answer["checkout"]["id"].is_string(), &answer["userErrors"]), (true, &json!([])), "{answer}");
    let shop = Shop::start_on(folder.path());
    let completed = |checkout: &Value| checkout["status"] == "COMPLETED";
    shop.guest().eventually(CHECKOUT, acts::seen(&ready.held), completed).await;
}

/// Pays with a card whose bank is slow, and comes back while it is asked.
async fn under_way(shop: &Shop, goods: &Goods) -> (Ready, JoinHandle<Result<Value, reqwest::Error>>) {
    let guest = shop.guest();
    let ready = acts::ready(&guest, goods, 2).await;
    let (buyer, payment) = (guest.clone(), acts::payment(&ready, "test_slow"));
    let paying = tokio::spawn(async move { buyer.try_answer(COMPLETE, payment).await });
    let processing = |checkout: &Value| checkout["status"] == "PROCESSING";
    guest.eventually(CHECKOUT, acts::seen(&ready.held), processing).await;
    (ready, paying)
}

/// Pays, and kills the shop meanwhile.
async fn killed_after(shop: Shop, goods: &Goods, delay: Duration) -> (Ready, Value) {
    let guest = shop.guest();
    let ready = acts::ready(&guest, goods, 2).await;
    let mut payment = acts::payment(&ready, "test_approve");
    payment["key"] = json!(Uuid::new_v4().to_string());
    let paying = {
        let (guest, payment) = (guest.clone(), payment.clone());
        tokio::spawn(async move { guest.try_answer(COMPLETE, payment).await })
    };
    tokio::time::sleep(delay).await;
    shop.kill();
    // Answered or torn off: both are what a buyer may see.
    let _ = paying.await.unwrap();
    (ready, payment)
}
