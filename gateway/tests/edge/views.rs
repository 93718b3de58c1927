//! Which views are counted, and that nothing waits for it.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mesh::testing;
use proto::analytics::{RecordViewsRequest, RecordViewsResponse};
use proto::catalogue as pb;
use serde_json::json;
use tokio::sync::oneshot;
use tonic::{Code, Status};

use crate::pages::product;
use crate::support::{Shop, shop, uuid};

type Batches = Arc<Mutex<Vec<RecordViewsRequest>>>;

/// A shop of one product, and the batches of views that analytics gets; the first so many are not taken.
fn watched(refused: usize) -> (Shop, Batches) {
    let shop = shop();
    shop.catalogue.on("GetProduct", |request: pb::GetProductRequest| match request.key {
        Some(pb::get_product_request::Key::Handle(handle)) if handle == "thing-1" => {
            Ok(pb::GetProductResponse { product: Some(product(1)) })
        }
        _ => Err(crate::support::refused(Code::NotFound, "catalogue", "PRODUCT_NOT_FOUND")),
    });
    shop.catalogue.on("ListProducts", |_: pb::ListProductsRequest| {
        Ok(pb::ListProductsResponse { products: vec![product(1)], ..Default::default() })
    });
    let batches = Batches::default();
    let seen = batches.clone();
    shop.analytics.on("RecordViews", move |request: RecordViewsRequest| {
        let mut seen = seen.lock().unwrap();
        seen.push(request);
        match seen.len() > refused {
            true => Ok(RecordViewsResponse {}),
            false => Err(Status::new(Code::Internal, "not now")),
        }
    });
    (shop, batches)
}

const LOOK: &str = r#"{ product(handle: "thing-1") { title } }"#;

#[tokio::test]
async fn product_pages_are_counted_but_not_those_of_staff_and_programs() {
    let (shop, batches) = watched(0);
    let (sender, analytics) = shop.views();
    let (stop, stopped) = oneshot::channel::<()>();
    let sending = tokio::spawn(sender.run(analytics, async { drop(stopped.await) }));
    let customer = testing::customer();
    let staff = testing::staff(&["catalogue.read"]);

    shop.ask(LOOK, json!({})).answer().await.data();
    shop.ask(LOOK, json!({})).by(&customer).header("user-agent", "Mozilla/5.0").answer().await.data();
    let german = r#"query @inContext(country: DE) { product(handle: "thing-1") { title } }"#;
    shop.ask(german, json!({})).answer().await.data();
    // None of these is a view.
    shop.ask(LOOK, json!({})).by(&staff).answer().await.data();
    shop.ask(LOOK, json!({})).header("user-agent", "ExampleBot/2.1").answer().await.data();
    shop.ask("{ products { nodes { title } } }", json!({})).answer().await.data();
    shop.ask(r#"{ product(handle: "none") { title } }"#, json!({})).answer().await.data();
    stop.send(()).unwrap();
    drop(shop);
    sending.await.unwrap();

    let batches = batches.lock().unwrap();
    let mut views: Vec<(&str, &str, i64)> = batches
        .iter()
        .flat_map(|batch| &batch.views)
        .map(|views| (views.product_id.as_str(), views.country.as_str(), views.count))
        .collect();
    views.sort_unstable();
    let total: i64 = views.iter().map(|(_, _, count)| count).sum();
    assert_eq!(total, 3, "{views:?}");
    assert!(views.iter().all(|(id, _, _)| *id == uuid(1)));
    assert_eq!(views.first().unwrap().1, "DE");
    assert_eq!(views.last().unwrap().1, "GB");
}

#[tokio::test]
async fn a_batch_that_is_not_taken_is_sent_again_under_the_same_key() {
    let (shop, batches) = watched(1);
    let (sender, analytics) = shop.views();
    shop.ask(LOOK, json!({})).answer().await.data();

    tokio::spawn(sender.run(analytics, pending()));

    let mut seen = 0;
    for _ in 0..600 {
        seen = batches.lock().unwrap().len();
        if seen > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(seen > 1, "it was not sent again");
    let batches = batches.lock().unwrap();
    assert_eq!(batches[0], batches[1]);
}

#[tokio::test]
async fn a_page_is_answered_though_nobody_takes_its_views() {
    let (shop, batches) = watched(0);

    // What sends views does not run at all.
    for _ in 0..20 {
        shop.ask(LOOK, json!({})).answer().await.data();
    }

    assert!(batches.lock().unwrap().is_empty());
    assert_eq!(shop.calls(), [("GetProduct".to_owned(), 20)]);
}
