//! From a look at a product to the figures that staff see.

use serde_json::{Value, json};

use crate::acts::{self, goods};
use crate::harness::{Shop, text};

/// All of today that this shop has sold, so far.
const FIGURES: &str = "{ answer: analytics { sales { totals { orderCount unitCount cancelledOrderCount } }
    products(first: 100, sortKey: UNITS) { nodes { product { id } unitCount viewCount revenue { amount } } }
    countries(first: 5) { nodes { __typename } }
    funnel { productViewCount cartCount checkoutCount paidCount }
    payments { paymentCount authorizedCount declinedCount } } }";

/// What is told of one product.
fn of<'a>(figures: &'a Value, product: &str) -> &'a Value {
    let products = figures["products"]["nodes"].as_array().unwrap();
    products.iter().find(|sales| sales["product"]["id"] == product).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn what_is_looked_at_and_bought_shows_in_the_figures() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();

    let look = "query($id: ID!) { answer: product(id: $id) { title } }";
    for _ in 0..3 {
        guest.look(look, json!({ "id": goods.product })).await;
    }
    acts::bought(&guest, &goods, 2).await;
    let ready = acts::ready(&guest, &goods, 1).await;
    acts::pay(&guest, &ready, "test_decline_insufficient_funds").await;

    let wanted = |figures: &Value| {
        let sales = of(figures, &goods.product);
        // Each subject's events come when they come.
        let counted = |part: &str, name: &str, least: i64| figures[part][name].as_i64() >= Some(least);
        sales["viewCount"] == 3
            && sales["unitCount"] == 2
            && counted("payments", "declinedCount", 1)
            && counted("funnel", "cartCount", 2)
            && counted("funnel", "checkoutCount", 2)
    };
    let figures = staff.eventually(FIGURES, json!({}), wanted).await;

    assert_eq!(of(&figures, &goods.product)["revenue"]["amount"], "20.00");
    let count = |part: &str, name: &str| figures[part][name].as_i64().unwrap();
    // Others buy in this shop meanwhile.
    assert!(count("funnel", "productViewCount") >= 3);
    assert!(count("funnel", "cartCount") >= 2);
    assert!(count("funnel", "cartCount") > count("funnel", "paidCount"));
    assert!(count("funnel", "checkoutCount") >= 2);
    assert!(count("payments", "authorizedCount") >= 1);
}

#[tokio::test]
async fn a_cancelled_order_leaves_the_figures() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let order = acts::bought(&shop.guest(), &goods, 2).await;
    let sold = |figures: &Value| of(figures, &goods.product)["unitCount"] == 2;
    staff.eventually(FIGURES, json!({}), sold).await;

    let cancel = "mutation($id: ID!, $key: ID!) {
        answer: orderCancel(id: $id, idempotencyKey: $key) { order { status } userErrors { code } } }";
    let cancelled = staff.done(cancel, json!({ "id": order.id })).await;

    assert_eq!(text(&cancelled["order"]["status"]), "CANCELLED");
    let gone = |figures: &Value| of(figures, &goods.product).is_null();
    let figures = staff.eventually(FIGURES, json!({}), gone).await;
    assert!(figures["sales"]["totals"]["cancelledOrderCount"].as_i64().unwrap() >= 1);
}
