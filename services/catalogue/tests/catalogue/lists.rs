//! Lists of products: filters, orders and pages.

use std::time::Duration;

use proto::catalogue as pb;
use tonic::Code;

use crate::support::*;

fn filtered(filter: pb::ProductFilter) -> pb::ListProductsRequest {
    pb::ListProductsRequest { filter: Some(filter), ..Default::default() }
}

fn sorted(sort: pb::ProductSort, descending: bool) -> pb::ListProductsRequest {
    pb::ListProductsRequest { sort: sort.into(), descending, ..Default::default() }
}

/// All handles of a list, two at a time.
async fn walk(client: &mut Client, mut request: pb::ListProductsRequest) -> Vec<String> {
    request.page_size = 2;
    let mut seen = Vec::new();
    loop {
        let answer = client.list_products(request.clone()).await.unwrap().into_inner();
        assert!(answer.products.len() <= 2);
        seen.extend(handles(&answer.products));
        if answer.next_page_token.is_empty() {
            return seen;
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn the_shops_own_order_is_newest_published_first() {
    for shop in shops().await {
        for handle in ["one", "two", "three", "four", "five"] {
            shop.create(mug(handle)).await;
        }

        let newest = walk(&mut shop.visitor(), pb::ListProductsRequest::default()).await;
        let oldest = walk(&mut shop.visitor(), sorted(pb::ProductSort::Unspecified, true)).await;

        assert_eq!(newest, ["five", "four", "three", "two", "one"]);
        assert_eq!(oldest, ["one", "two", "three", "four", "five"]);
    }
}

#[tokio::test]
async fn every_order_can_be_walked_to_its_end_in_both_directions() {
    for shop in shops().await {
        // Equal titles, prices and times: the id breaks ties.
        let cases = [
            ("b", "beta", 300),
            ("a", "Alpha", 200),
            ("c", "alpha", 300),
            ("d", "Ärmel", 100),
            ("e", "beta", 300),
        ];
        let mut ids = Vec::new();
        for (handle, title, minor_units) in cases {
            let mut product = mug(handle);
            product.title = title.to_owned();
            product.variants[0].prices = vec![price(minor_units)];
            ids.push(shop.try_create(product).await.unwrap());
        }
        let collection =
            shop.collection("all", &[&ids[4], &ids[0], &ids[2], &ids[1], &ids[3]]).await.unwrap();
        let expected = [
            (pb::ProductSort::Title, ["a", "c", "b", "e", "d"]),
            (pb::ProductSort::Price, ["d", "a", "b", "c", "e"]),
            (pb::ProductSort::Created, ["b", "a", "c", "d", "e"]),
            (pb::ProductSort::Collection, ["e", "b", "c", "a", "d"]),
        ];

        for (sort, order) in expected {
            let mut request = sorted(sort, false);
            if sort == pb::ProductSort::Collection {
                request.filter =
                    Some(pb::ProductFilter { collection_id: collection.id.clone(), ..Default::default() });
            }
            assert_eq!(walk(&mut shop.visitor(), request.clone()).await, order, "{sort:?}");
            request.descending = true;
            let mut back = order;
            back.reverse();
            assert_eq!(walk(&mut shop.visitor(), request).await, back, "{sort:?} descending");
        }
    }
}

#[tokio::test]
async fn a_page_token_works_for_the_same_arguments_only() {
    for shop in shops().await {
        for handle in ["one", "two", "three"] {
            shop.create(mug(handle)).await;
        }
        let mut request = sorted(pb::ProductSort::Title, false);
        request.page_size = 1;
        let first = shop.visitor().list_products(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;

        let mut larger = request.clone();
        larger.page_size = 250;
        assert_eq!(list(&mut shop.visitor(), larger.clone()).await.len(), 2);
        // How much of each product is shown, and whether all are counted, makes no other list.
        larger.read_mask = Some(mask(&["handle"]));
        larger.with_total_size = true;
        let rest = shop.visitor().list_products(larger).await.unwrap().into_inner();
        assert_eq!((rest.products.len(), rest.total_size), (2, Some(3)));
        let mut other = request.clone();
        other.descending = true;
        let mut garbled = request.clone();
        garbled.page_token = "garbled".to_owned();
        for request in [other, garbled] {
            let refused = shop.visitor().list_products(request).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
        }
        request.page_size = -1;
        let refused = shop.visitor().list_products(request).await.unwrap_err();
        assert_eq!(violated(&refused), ["page_size"]);
    }
}

/// A token with other keys than the list gave.
fn forged(token: &str, keys: &[&str]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let mut parts: serde_json::Value = serde_json::from_slice(&BASE64.decode(token).unwrap()).unwrap();
    parts[1] = keys.into();
    BASE64.encode(parts.to_string())
}

#[tokio::test]
async fn a_forged_token_finds_what_it_may_or_is_refused() {
    for shop in shops().await {
        for handle in ["one", "two"] {
            shop.create(mug(handle)).await;
        }
        for sort in [pb::ProductSort::Unspecified, pb::ProductSort::Title] {
            let mut request = pb::ListProductsRequest { page_size: 1, ..sorted(sort, false) };
            let given = shop.visitor().list_products(request.clone()).await.unwrap().into_inner();
            let id = uuid::Uuid::now_v7().to_string();
            let far = i64::MIN.to_string();
            let forgeries: [&[&str]; 5] = [&[], &["x"], &["x", "y"], &["\0", &id], &[&far, &id, &id]];
            for keys in forgeries {
                request.page_token = forged(&given.next_page_token, keys);
                let refused = shop.visitor().list_products(request.clone()).await.unwrap_err();
                assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
            }
            request.page_token = forged(&given.next_page_token, &[&far, &id]);
            assert!(shop.visitor().list_products(request).await.is_ok());
        }
        let categories = pb::ListCategoriesRequest { page_size: 0, page_token: "x".to_owned() };
        let collections = pb::ListCollectionsRequest { page_token: "x".to_owned(), ..Default::default() };
        let refused = shop.visitor().list_categories(categories).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
        let refused = shop.visitor().list_collections(collections).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_page_has_twenty_products_by_default_and_250_at_most() {
    for shop in shops().await {
        for number in 0..260 {
            shop.try_create(mug(&format!("mug-{number}"))).await.unwrap();
        }

        let mut request = pb::ListProductsRequest::default();
        assert_eq!(list(&mut shop.visitor(), request.clone()).await.len(), 20);
        request.page_size = 10_000;
        assert_eq!(list(&mut shop.visitor(), request.clone()).await.len(), 250);
        request.with_total_size = true;
        let answer = shop.visitor().list_products(request).await.unwrap();
        assert_eq!(answer.into_inner().total_size, Some(260));
    }
}

#[tokio::test]
async fn a_page_of_very_large_products_is_shorter_and_leads_on() {
    for shop in shops().await {
        let large =
            |number: usize| pb::Product { description: "x".repeat(65_000), ..mug(&format!("mug-{number}")) };
        for number in 0..60 {
            shop.try_create(large(number)).await.unwrap();
        }
        let mut request = pb::ListProductsRequest { page_size: 250, ..Default::default() };

        let first = shop.visitor().list_products(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token.clone();
        let rest = shop.visitor().list_products(request).await.unwrap().into_inner();
        let mut masked = pb::BatchGetProductsRequest {
            product_ids: first.products.iter().chain(&rest.products).map(|p| p.id.clone()).collect(),
            read_mask: None,
        };
        let refused = shop.visitor().batch_get_products(masked.clone()).await.unwrap_err();
        masked.read_mask = Some(mask(&["title"]));
        let answer = shop.visitor().batch_get_products(masked).await.unwrap();

        assert!(first.products.len() < 60 && !first.next_page_token.is_empty());
        assert_eq!(first.products.len() + rest.products.len(), 60);
        assert_eq!(violated(&refused), ["product_ids"]);
        assert_eq!(answer.into_inner().products.len(), 60);
    }
}

/// What the filters are tried on: two mugs in the kitchen and a pot in the kitchen garden.
struct Shelf {
    kitchen: String,
    cups: String,
    gifts: String,
}

async fn shelf(shop: &Shop) -> Shelf {
    let kitchen = shop.category("Kitchen", "").await.unwrap().id;
    let cups = shop.category("Cups", &kitchen).await.unwrap().id;
    let garden = shop.category("Kitchen garden", "").await.unwrap().id;
    let make = async |handle: &str, vendor: &str, tags: &[&str], category: &str, minor_units| {
        shop.create(pb::Product {
            vendor: vendor.to_owned(),
            tags: text(tags),
            category_id: category.to_owned(),
            variants: vec![variant(handle, &[], minor_units)],
            ..mug(handle)
        })
        .await
    };
    let red = make("red-mug", "Potters", &["Gift", "Red"], &cups, 500).await;
    let blue = make("blue-mug", "Kiln & Co", &["Gift", "100%"], &kitchen, 900).await;
    make("pot", "Potters", &["Clay"], &garden, 1_500).await;
    let gifts = shop.collection("gifts", &[&blue, &red]).await.unwrap().id;
    Shelf { kitchen, cups, gifts }
}

fn text(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn everything_that_a_filter_says_must_hold() {
    type Ask = fn(&mut pb::ProductFilter, &Shelf);
    let cases: &[(&str, Ask, &[&str])] = &[
        ("nothing", |_, _| {}, &["pot", "blue-mug", "red-mug"]),
        ("words", |f, _| f.query = "RED potters".to_owned(), &["red-mug"]),
        ("a word within a tag", |f, _| f.query = "clay".to_owned(), &["pot"]),
        ("a sign of LIKE", |f, _| f.query = "100%".to_owned(), &["blue-mug"]),
        ("another sign of LIKE", |f, _| f.query = "r_d".to_owned(), &[]),
        ("a backslash", |f, _| f.query = "\\".to_owned(), &[]),
        ("a category with all below", |f, s| f.category_id = s.kitchen.clone(), &["blue-mug", "red-mug"]),
        ("a category below", |f, s| f.category_id = s.cups.clone(), &["red-mug"]),
        ("a collection", |f, s| f.collection_id = s.gifts.clone(), &["blue-mug", "red-mug"]),
        ("vendors", |f, _| f.vendors = text(&["Kiln & Co", "Nobody"]), &["blue-mug"]),
        ("types", |f, _| f.product_types = text(&["Mugs", "Pans"]), &["pot", "blue-mug", "red-mug"]),
        ("all tags in any case", |f, _| f.tags = text(&["gift", "RED"]), &["red-mug"]),
        ("a lowest price", |f, _| f.price_min = Some(pounds(900)), &["pot", "blue-mug"]),
        ("a highest price", |f, _| f.price_max = Some(pounds(900)), &["blue-mug", "red-mug"]),
        ("handles", |f, _| f.handles = text(&["pot", "pan"]), &["pot"]),
    ];
    for shop in shops().await {
        let shelf = shelf(&shop).await;
        for (name, ask, expected) in cases {
            let mut filter = pb::ProductFilter::default();
            ask(&mut filter, &shelf);
            let mut request = filtered(filter);
            assert_eq!(list(&mut shop.visitor(), request.clone()).await, *expected, "{name}");
            request.with_total_size = true;
            let answer = shop.visitor().list_products(request).await.unwrap().into_inner();
            assert_eq!(answer.total_size, i64::try_from(expected.len()).ok(), "{name}");
        }
    }
}

#[tokio::test]
async fn filters_are_taken_together() {
    for shop in shops().await {
        let shelf = shelf(&shop).await;
        let filter = pb::ProductFilter {
            query: "mug".to_owned(),
            category_id: shelf.kitchen,
            collection_id: shelf.gifts,
            product_types: text(&["Mugs"]),
            tags: text(&["gift"]),
            price_min: Some(pounds(501)),
            price_max: Some(pounds(1_499)),
            ..Default::default()
        };

        for sort in 0..=4 {
            let request = pb::ListProductsRequest { sort, with_total_size: true, ..filtered(filter.clone()) };
            assert_eq!(list(&mut shop.visitor(), request).await, ["blue-mug"]);
        }
    }
}

#[tokio::test]
async fn a_price_is_the_lowest_of_its_currency_and_follows_every_change() {
    for shop in shops().await {
        let mut shirt = shirt("shirt");
        let euros = |minor_units| pb::Price {
            amount: Some(proto::common::Money { currency_code: "EUR".to_owned(), minor_units }),
            compare_at: None,
        };
        shirt.variants[2].prices = vec![price(1_000), euros(99)];
        let shirt = shop.create(shirt).await;
        shop.create(mug("mug")).await;
        let below = |limit: proto::common::Money| pb::ListProductsRequest {
            sort: pb::ProductSort::Price.into(),
            ..filtered(pb::ProductFilter { price_max: Some(limit), ..Default::default() })
        };

        let in_euros = below(euros(100).amount.unwrap());
        assert_eq!(list(&mut shop.visitor(), in_euros.clone()).await, ["shirt"]);
        assert_eq!(list(&mut shop.visitor(), below(pounds(9_999))).await, ["shirt", "mug"]);
        let mut dearer = shirt;
        dearer.variants[2].prices = vec![price(2_000)];
        shop.update(dearer, &["variants"]).await.unwrap();
        assert!(list(&mut shop.visitor(), in_euros).await.is_empty());
        assert_eq!(list(&mut shop.visitor(), below(pounds(9_999))).await, ["mug", "shirt"]);
    }
}

#[tokio::test]
async fn wrong_arguments_of_a_list_are_named() {
    for shop in shops().await {
        let cases: Vec<(pb::ListProductsRequest, &str)> = vec![
            (sorted(pb::ProductSort::Collection, false), "sort"),
            (pb::ListProductsRequest { sort: 77, ..Default::default() }, "sort"),
            (filtered(pb::ProductFilter { query: "x ".repeat(100), ..Default::default() }), "filter.query"),
            (
                filtered(pb::ProductFilter { category_id: "x".to_owned(), ..Default::default() }),
                "filter.category_id",
            ),
            (
                filtered(pb::ProductFilter { tags: vec!["x".to_owned(); 21], ..Default::default() }),
                "filter.tags",
            ),
            (
                filtered(pb::ProductFilter { handles: vec!["\0".to_owned()], ..Default::default() }),
                "filter.handles",
            ),
            (filtered(pb::ProductFilter { status: 9, ..Default::default() }), "filter.status"),
            (
                filtered(pb::ProductFilter {
                    price_min: Some(pounds(1)),
                    price_max: Some(proto::common::Money { currency_code: "EUR".to_owned(), minor_units: 2 }),
                    ..Default::default()
                }),
                "filter.price_max",
            ),
        ];
        for (request, field) in cases {
            let refused = shop.visitor().list_products(request).await.unwrap_err();
            assert_eq!(violated(&refused), [field]);
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_while_products_come_and_go() {
    for shop in shops().await {
        let mut products = Vec::new();
        for handle in ["a", "b", "c", "d"] {
            products.push(shop.create(mug(handle)).await);
        }
        let mut request = sorted(pb::ProductSort::Title, false);
        request.page_size = 2;
        let first = shop.visitor().list_products(request.clone()).await.unwrap().into_inner();

        shop.clock.advance(Duration::from_secs(1));
        shop.archive(&products[0].id).await;
        shop.archive(&products[1].id).await;
        shop.create(mug("aa")).await;
        request.page_token = first.next_page_token;
        let second = list(&mut shop.visitor(), request).await;

        assert_eq!(handles(&first.products), ["a", "b"]);
        assert_eq!(second, ["c", "d"]);
    }
}
