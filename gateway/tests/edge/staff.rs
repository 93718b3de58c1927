//! What staff do. Who may is said by the rules of the contract, which the stacks enforce before a service is asked.

use mesh::testing;
use proto::{catalogue, inventory, notifications, orders, pricing, reviews};
use serde_json::json;
use tonic::Code;

use crate::order::{order, ordering};
use crate::support::{money, refused, shop, uuid};

#[tokio::test]
async fn a_customer_does_nothing_that_is_for_staff() {
    let shop = shop();
    let id = "01934c2e7b6a7c3e9a51000000000001";
    let table = [
        format!("mutation {{ orderShip(id: \"order_{id}\", idempotencyKey: \"1\") {{ userErrors {{ code }} }} }}"),
        format!("mutation {{ orderRefund(id: \"order_{id}\", reason: \"x\", idempotencyKey: \"1\") {{ userErrors {{ code }} }} }}"),
        format!("mutation {{ reviewApprove(id: \"review_{id}\", idempotencyKey: \"1\") {{ userErrors {{ code }} }} }}"),
        format!("mutation {{ productArchive(id: \"product_{id}\", idempotencyKey: \"1\") {{ userErrors {{ code }} }} }}"),
        "mutation { stockAdjust(adjustments: [{ sku: \"A\", delta: 1 }], reason: \"x\", idempotencyKey: \"1\") { userErrors { code } } }".to_owned(),
        "mutation { discountCreate(input: { code: \"ABC\", freeShipping: true }, idempotencyKey: \"1\") { userErrors { code } } }".to_owned(),
        "{ stock { nodes { sku } } }".to_owned(),
        "{ discounts { nodes { code } } }".to_owned(),
        "{ taxRules { nodes { rate } } }".to_owned(),
        "{ shippingMethods { nodes { id } } }".to_owned(),
        "{ payments { nodes { id } } }".to_owned(),
        "{ accounts { nodes { email } } }".to_owned(),
        "{ mailTemplates { nodes { name } } }".to_owned(),
        "{ mailPreview(template: \"order-placed\") { subject } }".to_owned(),
    ];

    for query in table {
        let customer = shop.ask(&query, json!({})).by(&testing::customer()).answer().await;
        let nobody = shop.ask(&query, json!({})).answer().await;

        assert_eq!(customer.code(), "PERMISSION_DENIED", "{query}");
        assert_eq!(nobody.code(), "UNAUTHENTICATED", "{query}");
    }
    assert!(shop.calls().is_empty(), "the client stack refuses before it sends");
}

#[tokio::test]
async fn staff_ship_orders_and_restock() {
    let shop = ordering();
    shop.orders.on("ShipOrder", |request: orders::ShipOrderRequest| {
        assert_eq!(request.lines, [orders::LineCount { line_id: uuid(601), quantity: 1 }]);
        Ok(orders::ShipOrderResponse { order: Some(order(700)) })
    });
    shop.inventory.on("AdjustStock", |request: inventory::AdjustStockRequest| {
        use inventory::stock_adjustment::Change;
        assert_eq!(request.adjustments[0].change, Some(Change::AvailableDelta(5)));
        assert_eq!(request.adjustments[1].change, Some(Change::AvailableCount(0)));
        let stock = |row: inventory::StockAdjustment| inventory::Stock {
            sku: row.sku,
            available: 5,
            ..Default::default()
        };
        Ok(inventory::AdjustStockResponse { stock: request.adjustments.into_iter().map(stock).collect() })
    });
    let staff = testing::staff(&["orders.write", "stock.write"]);
    let ship = format!("mutation {{ orderShip(id: \"order_{0}\", lines: [{{ lineId: \"orderline_{1}\", quantity: 1 }}], carrier: \"Post\", idempotencyKey: \"1\") {{
        order {{ fulfilmentStatus }} userErrors {{ code }} }} }}", uuid(700).replace('-', ""), uuid(601).replace('-', ""));
    let restock = "mutation { stockAdjust(adjustments: [{ sku: \"A\", delta: 5 }, { sku: \"B\", count: 0 }], reason: \"delivery\", idempotencyKey: \"1\") {
        stock { sku available } userErrors { code } } }";

    let shipped = shop.ask(&ship, json!({})).by(&staff).answer().await;
    let restocked = shop.ask(restock, json!({})).by(&staff).answer().await;

    assert_eq!(shipped.data()["orderShip"]["order"]["fulfilmentStatus"], "PARTIALLY_SHIPPED");
    assert_eq!(restocked.data()["stockAdjust"]["stock"][1], json!({ "sku": "B", "available": 5 }));
}

#[tokio::test]
async fn staff_write_the_catalogue() {
    let shop = shop();
    shop.catalogue.on("UpdateProduct", |request: catalogue::UpdateProductRequest| {
        assert_eq!(request.update_mask.unwrap().paths, ["title", "category_id", "variants"]);
        assert_eq!(request.etag, "7");
        let product = request.product.unwrap();
        assert_eq!(product.variants[0].prices[0].amount, money(1_250));
        assert_eq!(product.category_id, "");
        Ok(catalogue::UpdateProductResponse { product: Some(product) })
    });
    shop.catalogue.on("CreateCollection", |_: catalogue::CreateCollectionRequest| {
        Err::<catalogue::CreateCollectionResponse, _>(refused(
            Code::AlreadyExists,
            "catalogue",
            "REASON_HANDLE_TAKEN",
        ))
    });
    let staff = testing::staff(&["catalogue.write"]);
    let update = format!("mutation {{ productUpdate(id: \"product_{}\", etag: \"7\", idempotencyKey: \"1\", input: {{ title: \"New\", categoryId: null,
        variants: [{{ sku: \"A\", prices: [{{ amount: {{ amount: \"12.50\", currencyCode: \"GBP\" }} }}] }}] }}) {{
        product {{ title }} userErrors {{ code }} }} }}", uuid(1).replace('-', ""));
    let create = "mutation { collectionCreate(input: { handle: \"new\", title: \"New\" }, idempotencyKey: \"1\") { collection { id } userErrors { code message } } }";

    let updated = shop.ask(&update, json!({})).by(&staff).answer().await;
    let taken = shop.ask(create, json!({})).by(&staff).answer().await;

    assert_eq!(updated.data()["productUpdate"]["product"]["title"], "New");
    assert_eq!(taken.data()["collectionCreate"]["userErrors"][0]["code"], "HANDLE_TAKEN");
}

#[tokio::test]
async fn staff_set_discounts() {
    let shop = shop();
    shop.pricing.on("CreateDiscount", |request: pricing::CreateDiscountRequest| {
        let discount = request.discount.unwrap();
        assert_eq!(discount.value, Some(pricing::discount::Value::PercentPpm(100_000)));
        assert_eq!((discount.limit_total, discount.minimum.clone()), (50, money(2_000)));
        Ok(pricing::CreateDiscountResponse { discount: Some(discount) })
    });
    let staff = testing::staff(&["pricing.write"]);
    let create = |input: &str| {
        format!(
            "mutation {{ discountCreate(input: {{ {input} }}, idempotencyKey: \"1\") {{ discount {{ code percentage usageLimit }} userErrors {{ code }} }} }}"
        )
    };
    let good = "code: \"TEN\", percentage: \"0.1\", usageLimit: 50, minimumAmount: { amount: \"20.00\", currencyCode: \"GBP\" }";

    let created = shop.ask(&create(good), json!({})).by(&staff).answer().await;
    let both = shop
        .ask(&create("code: \"X\", percentage: \"0.1\", freeShipping: true"), json!({}))
        .by(&staff)
        .answer()
        .await;

    assert_eq!(
        created.data()["discountCreate"]["discount"],
        json!({ "code": "TEN", "percentage": "0.1", "usageLimit": 50 })
    );
    assert_eq!(both.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn moderators_work_through_their_queue() {
    let shop = shop();
    shop.reviews.on("ListReviews", |request: reviews::ListReviewsRequest| {
        assert_eq!(request.state(), reviews::ReviewState::Pending);
        let review = reviews::Review {
            id: uuid(1),
            state: reviews::ReviewState::Pending.into(),
            ..Default::default()
        };
        Ok(reviews::ListReviewsResponse { reviews: vec![review], next_page_token: String::new() })
    });
    shop.reviews.on("RejectReview", |request: reviews::RejectReviewRequest| {
        let state = reviews::ReviewState::Rejected.into();
        let review = reviews::Review {
            id: request.review_id,
            state,
            rejection: request.rejection,
            ..Default::default()
        };
        Ok(reviews::RejectReviewResponse { review: Some(review) })
    });
    let staff = testing::staff(&["reviews.moderate"]);

    let queue = shop.ask("{ reviewQueue { nodes { id status } } }", json!({})).by(&staff).answer().await;
    let id = queue.data()["reviewQueue"]["nodes"][0]["id"].clone();
    let reject = "mutation($id: ID!) { reviewReject(id: $id, rejection: \"spam\", idempotencyKey: \"1\") { review { status rejection } userErrors { code } } }";
    let rejected = shop.ask(reject, json!({ "id": id })).by(&staff).answer().await;

    assert_eq!(
        rejected.data()["reviewReject"]["review"],
        json!({ "status": "REJECTED", "rejection": "spam" })
    );
}

#[tokio::test]
async fn staff_look_at_the_mails_that_the_shop_sends() {
    let shop = shop();
    shop.notifications.on("ListTemplates", |_: notifications::ListTemplatesRequest| {
        let template = notifications::Template { name: "order-placed".into(), ..Default::default() };
        Ok(notifications::ListTemplatesResponse { templates: vec![template], ..Default::default() })
    });
    shop.notifications.on("PreviewMail", |request: notifications::PreviewMailRequest| {
        match request.template.as_str() {
            "order-placed" => Ok(notifications::PreviewMailResponse {
                subject: "Your order 1001".into(),
                html: "<p>".into(),
                ..Default::default()
            }),
            _ => Err(refused(Code::NotFound, "notifications", "TEMPLATE_NOT_FOUND")),
        }
    });
    let staff = testing::staff(&["notifications.read"]);
    let query =
        "{ mailTemplates { nodes { name } } mailPreview(template: \"order-placed\") { subject html } }";

    let answer = shop.ask(query, json!({})).by(&staff).answer().await;

    assert_eq!(answer.data()["mailTemplates"]["nodes"][0]["name"], "order-placed");
    assert_eq!(answer.data()["mailPreview"], json!({ "subject": "Your order 1001", "html": "<p>" }));
    let unknown =
        shop.ask("{ mailPreview(template: \"x\") { subject } }", json!({})).by(&staff).answer().await;
    assert!(unknown.data()["mailPreview"].is_null());
}
