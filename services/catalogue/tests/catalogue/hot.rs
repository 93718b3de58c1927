//! Products that are kept in Redis: who is shown them, until when, and what happens without it.

use std::time::Duration;

use kit::outbox::Event;
use kit::{BoxError, Later};
use proto::catalogue as pb;
use scratch::Scratch;
use uuid::Uuid;

use crate::import::import;
use crate::support::{Client, Shop, get, mask, mug, reason, shirt, shops_with};

/// Names a Redis on which tests may keep what they like; `cargo xtask test` starts one.
const REDIS_VARIABLE: &str = "SHOP_TEST_REDIS_URL";
/// A busy machine may take its time.
const PATIENT: Duration = Duration::from_secs(10);

/// A catalogue on each store, with hot products; none where there is no Redis.
async fn shops() -> Vec<Shop> {
    let Ok(url) = std::env::var(REDIS_VARIABLE) else { return Vec::new() };
    shops_with(|| {
        let prefix = format!("test-{}:", Uuid::now_v7());
        Some(Scratch::new(&url, &prefix, PATIENT).unwrap())
    })
    .await
}

async fn at_handle(client: &mut Client, handle: &str) -> pb::Product {
    let key = pb::get_product_request::Key::Handle(handle.to_owned());
    let request = pb::GetProductRequest { key: Some(key), read_mask: None };
    client.get_product(request).await.unwrap().into_inner().product.unwrap()
}

async fn batch(client: &mut Client, ids: &[&str], paths: &[&str]) -> Vec<pb::Product> {
    let request = pb::BatchGetProductsRequest {
        product_ids: ids.iter().map(ToString::to_string).collect(),
        read_mask: Some(mask(paths)),
    };
    client.batch_get_products(request).await.unwrap().into_inner().products
}

/// Writes as a process that dies before it can tell anybody.
async fn rename_in_silence(shop: &Shop, id: &str, title: &str) {
    let sql = "UPDATE products SET title = $1, version = version + 1 WHERE id = $2";
    let values = [title.into(), id.parse::<Uuid>().unwrap().into()];
    kit::execute(shop.database.write(), sql, values).await.unwrap();
}

async fn tell(shop: &Shop, id: &str, version: i64) -> Result<(), BoxError> {
    let event = Event::new("product.updated", id, version, shop.clock.now(), &());
    (shop.readers[0].apply)(event).await
}

#[tokio::test]
async fn a_page_is_answered_from_redis_until_there_is_news_and_nobody_else_is() {
    for shop in shops().await {
        let (id, mut visitor) = (shop.create(mug("cup")).await.id, shop.visitor());
        let before = get(&mut visitor, &id).await.unwrap();
        rename_in_silence(&shop, &id, "Renamed").await;

        let kept = get(&mut visitor, &id).await.unwrap();
        let by_handle = at_handle(&mut visitor, "cup").await;
        let staff = shop.get(&id).await;
        let search = batch(&mut shop.client("search", None), &[&id], &["title"]).await;
        for version in [2, 1, 2] {
            tell(&shop, &id, version).await.unwrap();
        }
        let after = get(&mut visitor, &id).await.unwrap();

        assert_eq!((&kept, &by_handle), (&before, &before));
        assert_eq!((staff.title.as_str(), search[0].title.as_str()), ("Renamed", "Renamed"));
        assert_eq!((after.title.as_str(), after.version), ("Renamed", 2));
    }
}

#[tokio::test]
async fn what_staff_changed_is_seen_by_everybody_when_they_have_their_answer() {
    for shop in shops().await {
        let (product, mut shopper) = (shop.create(shirt("tee")).await, shop.shopper());
        get(&mut shopper, &product.id).await.unwrap();
        batch(&mut shopper, &[&product.id], &["title"]).await;

        let changed = pb::Product { title: "Better".to_owned(), ..product.clone() };
        shop.update(changed, &["title"]).await.unwrap();
        let whole = get(&mut shopper, &product.id).await.unwrap();
        let listed = batch(&mut shopper, &[&product.id], &["title"]).await;
        shop.archive(&product.id).await;
        let gone = get(&mut shopper, &product.id).await.unwrap_err();

        assert_eq!((whole.title.as_str(), listed[0].title.as_str()), ("Better", "Better"));
        assert_eq!(reason(&gone), "PRODUCT_NOT_FOUND");
        assert!(batch(&mut shopper, &[&product.id], &["title"]).await.is_empty());
    }
}

#[tokio::test]
async fn each_mask_is_answered_with_what_it_asks_for_kept_or_not() {
    for shop in shops().await {
        let (tee, cup) = (shop.create(shirt("tee")).await, shop.create(mug("cup")).await);
        let mut visitor = shop.visitor();

        let mut seen = Vec::new();
        for _ in 0..2 {
            let titles = batch(&mut visitor, &[&tee.id], &["title"]).await;
            let both = batch(&mut visitor, &[&cup.id, &tee.id, &cup.id], &["title", "variants"]).await;
            seen.push((titles, both));
        }

        let (titles, both) = &seen[0];
        assert_eq!(seen[0], seen[1]);
        assert_eq!((titles.len(), titles[0].variants.len()), (1, 0));
        let order: Vec<_> = both.iter().map(|product| (&product.id, product.variants.len())).collect();
        assert_eq!(order, [(&cup.id, cup.variants.len()), (&tee.id, 4)]);
    }
}

#[tokio::test]
async fn a_handle_leads_to_whoever_has_it_now() {
    for shop in shops().await {
        let (first, mut visitor) = (shop.create(mug("cup")).await, shop.visitor());
        at_handle(&mut visitor, "cup").await;

        let moved = pb::Product { handle: "old-cup".to_owned(), ..first.clone() };
        shop.update(moved, &["handle"]).await.unwrap();
        let second = shop.create(pb::Product { variants: mug("second").variants, ..mug("cup") }).await;

        for _ in 0..2 {
            assert_eq!(at_handle(&mut visitor, "cup").await.id, second.id);
            assert_eq!(at_handle(&mut visitor, "old-cup").await.id, first.id);
        }
    }
}

#[tokio::test]
async fn what_an_import_changed_is_seen_at_once() {
    for shop in shops().await {
        let (product, mut visitor) = (shop.create(mug("cup")).await, shop.visitor());
        get(&mut visitor, &product.id).await.unwrap();

        let file = format!(
            "Handle,Title,Variant SKU,Variant Price\ncup,Imported,{},1.00\n",
            product.variants[0].sku
        );
        import(&shop, &file).await;

        assert_eq!(get(&mut visitor, &product.id).await.unwrap().title, "Imported");
    }
}

#[tokio::test]
async fn without_redis_pages_come_from_the_tables_and_no_event_waits_for_long() {
    let away = || Some(Scratch::new("redis://127.0.0.1:1/", "test:", PATIENT).unwrap());
    for shop in shops_with(away).await {
        let (product, mut visitor) = (shop.create(mug("cup")).await, shop.visitor());

        let before = [get(&mut visitor, &product.id).await.unwrap(), at_handle(&mut visitor, "cup").await];
        rename_in_silence(&shop, &product.id, "Renamed").await;
        let after = get(&mut visitor, &product.id).await.unwrap();
        let event = Event::new("product.updated", &product.id, 2, shop.clock.now(), &());
        let early = (shop.readers[0].apply)(event.clone()).await.unwrap_err();
        shop.clock.advance(Duration::from_secs(61));
        let late = (shop.readers[0].apply)(event).await;

        assert!(before.iter().all(|seen| seen.title == product.title));
        assert_eq!(after.title, "Renamed");
        assert!(early.is::<Later>(), "it may be back before what it keeps has gone");
        assert!(late.is_ok(), "what it kept has gone");
    }
}
