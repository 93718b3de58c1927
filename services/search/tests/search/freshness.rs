//! How the index comes to be, and stays as its owners are.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kit::Clock;
use kit::outbox::Event;
use proto::search::filter::Condition;
use proto::{inventory, reviews, search as pb};
use search::Index;
use tonic::{Code, Status};

use crate::support::{Shop, asking, product, reason};

fn told<M: prost::Message>(kind: &str, subject: &str, payload: &M) -> Event {
    Event::new(kind, subject, 1, Clock::system().now(), payload)
}

fn only(condition: Condition) -> pb::SearchProductsRequest {
    pb::SearchProductsRequest { filters: vec![pb::Filter { condition: Some(condition) }], ..asking("") }
}

#[tokio::test]
async fn nothing_is_answered_before_the_first_index_is_whole() {
    let shop = Shop::over(Index::in_memory().unwrap(), Vec::new());
    shop.catalogue.fail(Some(Status::unavailable("not yet")));
    let status = shop.ask(asking("mug")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "INDEX_NOT_READY"));
    assert!(shop.index.ready().is_err());

    shop.catalogue.put(product("Mug"));
    shop.catalogue.fail(None);

    shop.until_ready().await;
    assert_eq!(shop.find("mug").await, ["Mug"]);
}

#[tokio::test]
async fn what_changes_is_found_and_what_goes_is_not() {
    let shop = Shop::of(vec![product("Mug")]).await;
    let kettle = product("Kettle");

    shop.put(kettle.clone()).await;
    shop.until("the new one is found", async |shop| shop.find("kettle").await == ["Kettle"]).await;

    shop.catalogue.change(&kettle.id, |kettle| kettle.title = "Pitcher".to_owned());
    shop.changed(&kettle.id).await;
    shop.until("its new title is found", async |shop| shop.find("pitcher").await == ["Pitcher"]).await;
    assert!(shop.find("kettle").await.is_empty());

    shop.catalogue.take_away(&kettle.id);
    shop.changed(&kettle.id).await;
    shop.until("it is gone", async |shop| shop.find("pitcher").await.is_empty()).await;
}

#[tokio::test]
async fn an_event_twice_or_late_does_no_harm() {
    let shop = Shop::of(vec![product("Mug")]).await;
    let id = shop.ask(asking("mug")).await.unwrap().hits[0].product_id.clone();
    shop.catalogue.change(&id, |mug| mug.title = "Beaker".to_owned());

    for _ in 0..3 {
        shop.changed(&id).await;
    }

    shop.until("it is found", async |shop| shop.find("beaker").await == ["Beaker"]).await;
    assert_eq!(shop.ask(asking("")).await.unwrap().total_size, 1);
}

/// Some at odd versions and none at even ones, so that whoever believes the wrong one is wrong.
fn stock_at(version: i64) -> i64 {
    version % 2 * 5
}

/// Every way to hear three times of stock whose last version is this one, and of that one at least once.
fn hearings(last: i64) -> Vec<[i64; 3]> {
    let versions = || 1..=last;
    let two = versions().flat_map(|one| versions().map(move |other| (one, other)));
    let three = two.flat_map(|(one, other)| versions().map(move |third| [one, other, third]));
    three.filter(|heard| heard.contains(&last)).collect()
}

#[tokio::test]
async fn stock_that_is_told_twice_late_or_out_of_order_is_right_in_the_end() {
    // A product for each way to hear of its stock in one gathering and then in another: so one wait is enough for all.
    let (first, second) = (hearings(2), hearings(3));
    let ways: Vec<_> = first.iter().flat_map(|one| second.iter().map(move |other| [one, other])).collect();
    let products: Vec<_> = ways.iter().map(|_| product("Mug")).collect();
    let skus: Vec<String> = products.iter().map(|product| product.variants[0].sku.clone()).collect();
    let shop = Shop::of(products).await;
    assert_eq!(counted(&shop, Condition::Available(true)).await, ways.len() as i64);

    for (gathering, last) in [(0, 2), (1, 3)] {
        for sku in &skus {
            shop.inventory.count(sku, stock_at(last));
        }
        for (sku, way) in skus.iter().zip(&ways) {
            for version in way[gathering] {
                let available = stock_at(*version);
                let payload = inventory::StockChanged { sku: sku.clone(), available, ..Default::default() };
                let subject_version = *version;
                shop.hear(Event { subject_version, ..told("stock.changed", sku, &payload) }).await;
            }
        }

        shop.until("all are what they were last", async |shop| {
            counted(shop, Condition::Available(stock_at(last) > 0)).await == ways.len() as i64
        })
        .await;
    }
}

#[tokio::test]
async fn stock_that_changes_while_the_index_is_built_is_right_once_it_is_ready() {
    let products: Vec<_> = (0..=250).map(|number| product(&format!("Mug {number}"))).collect();
    let sku = products[0].variants[0].sku.clone();
    let shop = Shop::over(Index::in_memory().unwrap(), products);
    shop.catalogue.first_page_only.store(true, Ordering::SeqCst);
    shop.until("a page is written", async |shop| shop.catalogue.refused.load(Ordering::SeqCst) > 0).await;

    shop.inventory.count(&sku, 0);
    let payload = inventory::StockChanged { sku: sku.clone(), ..Default::default() };
    shop.hear(told("stock.changed", &sku, &payload)).await;
    shop.until("that is heard", async |shop| status(shop).await.pending_count == 0).await;
    shop.catalogue.first_page_only.store(false, Ordering::SeqCst);

    shop.until_ready().await;
    shop.until("it is sold out", async |shop| counted(shop, Condition::Available(false)).await == 1).await;
}

#[tokio::test]
async fn stock_and_ratings_arrive_before_and_after_their_product() {
    let shop = Shop::of(Vec::new()).await;
    let mug = product("Mug");
    let sku = mug.variants[0].sku.clone();
    let stock = async |available| {
        shop.inventory.count(&sku, available);
        let payload = inventory::StockChanged { sku: sku.clone(), available, ..Default::default() };
        shop.hear(told("stock.changed", &sku, &payload)).await;
    };
    stock(0).await;
    shop.put(mug.clone()).await;
    shop.until("it is sold out", async |shop| {
        shop.ask(only(Condition::Available(false))).await.unwrap().total_size == 1
    })
    .await;

    stock(3).await;
    shop.reviews.rate(&mug.id, 2, 9);
    let payload = reviews::ReviewPublished { product_id: mug.id.clone(), ..Default::default() };
    shop.hear(told("review.published", "some review", &payload)).await;

    shop.until("it can be bought", async |shop| {
        shop.ask(only(Condition::Available(true))).await.unwrap().total_size == 1
    })
    .await;
    shop.until("it is well rated", async |shop| {
        shop.ask(only(Condition::RatingMin(4))).await.unwrap().total_size == 1
    })
    .await;
    assert_eq!(shop.ask(only(Condition::RatingMin(5))).await.unwrap().total_size, 0);
}

#[tokio::test]
async fn an_owner_that_is_away_only_delays_what_changes() {
    let shop = Shop::of(vec![product("Mug")]).await;
    shop.catalogue.fail(Some(Status::unavailable("away")));
    let jug = product("Jug");
    shop.put(jug).await;
    assert_eq!(shop.find("mug").await, ["Mug"]);

    shop.catalogue.fail(None);

    shop.until("the new one is found", async |shop| shop.find("jug").await == ["Jug"]).await;
}

async fn counted(shop: &Shop, condition: Condition) -> i64 {
    shop.ask(only(condition)).await.unwrap().total_size
}

#[tokio::test]
async fn what_changes_is_found_while_inventory_and_reviews_are_away() {
    let (mug, jug) = (product("Mug"), product("Jug"));
    let shop = Shop::over(Index::in_memory().unwrap(), vec![mug.clone()]);
    shop.reviews.rate(&mug.id, 2, 9);
    shop.until("it is well rated", async |shop| {
        shop.index.ready().is_ok() && counted(shop, Condition::RatingMin(4)).await == 1
    })
    .await;

    shop.inventory.away.store(true, Ordering::SeqCst);
    shop.reviews.away.store(true, Ordering::SeqCst);
    shop.catalogue.change(&mug.id, |mug| mug.title = "Beaker".to_owned());
    shop.changed(&mug.id).await;
    shop.put(jug).await;

    shop.until("its new title is found", async |shop| shop.find("beaker").await == ["Beaker"]).await;
    shop.until("the new one is found", async |shop| shop.find("jug").await == ["Jug"]).await;
    // What was known of one stays, and nothing is known of the other.
    assert_eq!(counted(&shop, Condition::RatingMin(4)).await, 1);
    assert_eq!(counted(&shop, Condition::Available(true)).await, 1);

    shop.inventory.away.store(false, Ordering::SeqCst);
    shop.reviews.away.store(false, Ordering::SeqCst);
    shop.until("both can be bought", async |shop| counted(shop, Condition::Available(true)).await == 2).await;
    assert_eq!(counted(&shop, Condition::RatingMin(4)).await, 1);
}

#[tokio::test]
async fn the_first_index_waits_for_no_ratings_and_gets_them_later() {
    let mug = product("Mug");
    let shop = Shop::over(Index::in_memory().unwrap(), vec![mug.clone()]);
    shop.reviews.away.store(true, Ordering::SeqCst);
    shop.reviews.rate(&mug.id, 2, 9);

    shop.until_ready().await;
    assert_eq!(shop.find("mug").await, ["Mug"]);

    shop.reviews.away.store(false, Ordering::SeqCst);
    shop.until("it is well rated", async |shop| counted(shop, Condition::RatingMin(4)).await == 1).await;
}

#[tokio::test]
async fn an_index_that_was_left_serves_at_once_and_catches_up_without_being_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let products: Vec<_> = (0..30).map(|number| product(&format!("Mug {number}"))).collect();
    let changed = products[3].id.clone();
    let gone = products[4].id.clone();
    let shop = Shop::over(Index::open(folder.path()).unwrap(), products);
    shop.until_ready().await;
    let owners = shop.owners();
    drop(shop);
    // While it is away one changes, one goes and one is new, and nobody tells.
    owners.0.change(&changed, |mug| mug.title = "Beaker".to_owned());
    owners.0.take_away(&gone);
    owners.0.put(product("Jug"));
    owners.0.read.store(0, Ordering::SeqCst);

    let shop = Shop::beside(reopened(folder.path()).await, owners);

    assert!(shop.index.ready().is_ok());
    shop.until("the change is found", async |shop| shop.find("beaker").await == ["Beaker"]).await;
    shop.until("the new one is found", async |shop| shop.find("jug").await == ["Jug"]).await;
    shop.until("one is gone", async |shop| shop.ask(asking("")).await.unwrap().total_size == 30).await;
    assert!(shop.catalogue.read.load(Ordering::SeqCst) <= 4, "it was built again");
}

/// The index that a service which is being stopped still holds for a moment.
async fn reopened(folder: &std::path::Path) -> Index {
    loop {
        match Index::open(folder) {
            Ok(index) => return index,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

#[tokio::test]
async fn replicas_each_hear_everything() {
    let one = Shop::of(vec![product("Mug")]).await;
    let other = Shop::beside(Index::in_memory().unwrap(), one.owners());
    other.until_ready().await;
    let jug = product("Jug");

    one.put(jug.clone()).await;
    other.changed(&jug.id).await;

    for shop in [&one, &other] {
        shop.until("the new one is found", async |shop| shop.find("jug").await == ["Jug"]).await;
    }
}

async fn status(shop: &Shop) -> pb::GetIndexStatusResponse {
    let mut staff = shop.as_user(mesh::testing::staff(&["catalogue.read"]));
    staff.get_index_status(pb::GetIndexStatusRequest {}).await.unwrap().into_inner()
}

#[tokio::test]
async fn staff_see_how_fresh_the_index_is() {
    let shop = Shop::of(vec![product("Mug"), product("Jug")]).await;

    let refused = shop.client().get_index_status(pb::GetIndexStatusRequest {}).await.unwrap_err();
    assert_eq!(reason(&refused), "SIGN_IN_REQUIRED");
    let status = status(&shop).await;

    assert_eq!((status.document_count, status.ready, status.pending_count), (2, true, 0));
    assert!(status.compare_time.is_some() && status.change_time.is_some());
}
