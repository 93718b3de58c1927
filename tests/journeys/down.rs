//! A service that can not answer takes nothing with it but its own fields.

use kit::Database;
use serde_json::{Value, json};

use crate::acts::{self, goods};
use crate::harness::Shop;

const PAGE: &str = "query($id: ID!) { product(id: $id) { title rating { count } reviews { nodes { id } }
    variants { nodes { price { amount } quantityAvailable } } } }";

/// All services share a process here, so what is broken under the running shop is the store of one of them.
#[tokio::test]
async fn a_page_stays_when_reviews_are_down_and_is_whole_again_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());
    let goods = goods(&shop.staff().await, "10.00", 4).await;
    let guest = shop.guest();
    let whole = guest.answer(PAGE, json!({ "id": goods.product })).await;
    assert_eq!((&whole["errors"], &whole["data"]["product"]["rating"]["count"]), (&Value::Null, &json!(0)));

    let store =
        Database::open(&format!("sqlite:{}", folder.path().join("reviews.db").display())).await.unwrap();
    let tx = store.begin().await.unwrap();
    kit::execute(&tx, "ALTER TABLE reviews RENAME TO reviews_away", []).await.unwrap();
    kit::execute(&tx, "ALTER TABLE summaries RENAME TO summaries_away", []).await.unwrap();
    tx.commit().await.unwrap();

    let page = guest.answer(PAGE, json!({ "id": goods.product })).await;
    let product = &page["data"]["product"];
    assert_eq!((&product["rating"], &product["reviews"]), (&Value::Null, &Value::Null));
    assert_eq!(product["variants"], whole["data"]["product"]["variants"]);
    let errors = page["errors"].as_array().unwrap();
    assert!(!errors.is_empty());
    for error in errors {
        // What happened inside is nobody's business.
        assert!(!error.to_string().contains("table"), "{error}");
    }
    // Nobody has to read reviews to buy.
    acts::bought(&guest, &goods, 1).await;

    let tx = store.begin().await.unwrap();
    kit::execute(&tx, "ALTER TABLE reviews_away RENAME TO reviews", []).await.unwrap();
    kit::execute(&tx, "ALTER TABLE summaries_away RENAME TO summaries", []).await.unwrap();
    tx.commit().await.unwrap();
    let healed = guest.answer(PAGE, json!({ "id": goods.product })).await;
    assert_eq!(healed["data"]["product"]["rating"], whole["data"]["product"]["rating"]);
}
