//! What pages cost, in calls, and what is left of them when a service is down.

use proto::{catalogue as pb, inventory, reviews};
use serde_json::json;
use tonic::Code;

use crate::support::{Shop, money, shop, uuid};

pub const PAGE: &str = "query Page($first: Int!) { products(first: $first) {
    nodes { title id handle availableForSale
        priceRange { minVariantPrice { amount currencyCode } }
        rating { count average }
        reviews(first: 3) { nodes { rating title } }
    }
    pageInfo { hasNextPage endCursor }
} }";

pub fn product(number: usize) -> pb::Product {
    pb::Product {
        id: uuid(number),
        handle: format!("thing-{number}"),
        title: format!("Thing {number}"),
        status: pb::ProductStatus::Active.into(),
        category_id: uuid(7_000),
        variants: vec![pb::Variant {
            id: uuid(10_000 + number),
            product_id: uuid(number),
            sku: format!("SKU-{number}"),
            prices: vec![pb::Price { amount: money(1_999), compare_at: None }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A shop of so many products.
pub fn stocked(count: usize) -> Shop {
    let shop = shop();
    shop.catalogue.on("ListProducts", move |request: pb::ListProductsRequest| {
        let from: usize = request.page_token.parse().unwrap_or(0);
        let size = usize::try_from(request.page_size).unwrap();
        let to = (from + size).min(count);
        Ok(pb::ListProductsResponse {
            products: (from..to).map(product).collect(),
            next_page_token: if to < count { to.to_string() } else { String::new() },
            total_size: request.with_total_size.then_some(count as i64),
        })
    });
    shop.catalogue.on("BatchGetCategories", |request: pb::BatchGetCategoriesRequest| {
        let category = |id| pb::Category { id, name: "Things".to_owned(), ..Default::default() };
        let categories = request.category_ids.into_iter().map(category).collect();
        Ok(pb::BatchGetCategoriesResponse { categories, missing: Vec::new() })
    });
    shop.inventory.on("BatchGetStock", |request: inventory::BatchGetStockRequest| {
        let stock = |sku| inventory::Stock { sku, available: 5, ..Default::default() };
        let stock = request.skus.into_iter().map(stock).collect();
        Ok(inventory::BatchGetStockResponse { stock, missing: Vec::new() })
    });
    rated(&shop);
    shop
}

fn rated(shop: &Shop) {
    shop.reviews.on("BatchGetSummaries", |request: reviews::BatchGetSummariesRequest| {
        let summary = |product_id| reviews::Summary {
            product_id,
            review_count: 3,
            rating_sum: 13,
            histogram: vec![0, 0, 0, 2, 1],
        };
        let summaries = request.product_ids.into_iter().map(summary).collect();
        Ok(reviews::BatchGetSummariesResponse { summaries })
    });
    shop.reviews.on("BatchListReviews", |request: reviews::BatchListReviewsRequest| {
        let review = |number: i32| reviews::Review {
            id: uuid(usize::try_from(number).unwrap()),
            rating: 4,
            title: format!("Review {number}"),
            ..Default::default()
        };
        let page = |product_id| reviews::ProductReviews {
            product_id,
            reviews: (0..request.reviews_each).map(review).collect(),
            next_page_token: "more".to_owned(),
        };
        let products = request.product_ids.iter().cloned().map(page).collect();
        Ok(reviews::BatchListReviewsResponse { products })
    });
}

#[tokio::test]
async fn a_page_costs_one_call_of_each_kind_whatever_its_length() {
    for first in [1, 100] {
        let shop = stocked(150);

        let answer = shop.ask(PAGE, json!({ "first": first })).answer().await;

        let nodes = answer.data()["products"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), first);
        assert_eq!(nodes[0]["reviews"]["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(nodes[0]["rating"]["average"], "4.33");
        assert_eq!(nodes[0]["availableForSale"], true);
        let wanted = ["BatchGetStock", "BatchGetSummaries", "BatchListReviews", "ListProducts"];
        assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
        assert_eq!(answer.json["extensions"]["rpcs"]["count"], 4);
        assert_eq!(answer.json["extensions"]["rpcs"]["calls"][0]["method"], "catalogue.ListProducts");
    }
}

#[tokio::test]
async fn what_is_not_asked_for_costs_nothing() {
    let shop = stocked(3);

    let answer = shop.ask("{ products { nodes { title } } }", json!({})).answer().await;

    assert_eq!(answer.data()["products"]["nodes"][2]["title"], "Thing 2");
    assert_eq!(shop.calls(), [("ListProducts".to_owned(), 1)]);
}

#[tokio::test]
async fn only_the_fields_that_are_asked_for_are_read() {
    let shop = stocked(3);
    shop.catalogue.on("ListProducts", |request: pb::ListProductsRequest| {
        let mut paths = request.read_mask.unwrap().paths;
        paths.sort_unstable();
        assert_eq!(paths, ["handle", "id", "title"]);
        Ok(pb::ListProductsResponse::default())
    });

    let answer =
        shop.ask("{ products { edges { node { title } } nodes { handle } } }", json!({})).answer().await;

    assert_eq!(answer.data()["products"]["nodes"], json!([]));
}

#[tokio::test]
async fn keys_stand_in_the_order_of_the_selection() {
    let shop = stocked(1);
    let query = "{ products { pageInfo { hasNextPage } nodes { title ...more id } } }
        fragment more on Product { reviews { nodes { title rating } } handle rating { count } }";

    let answer = shop.ask(query, json!({})).answer().await;

    let places: Vec<usize> = [
        "\"pageInfo\"",
        "\"nodes\"",
        "\"title\":\"Thing",
        "\"reviews\"",
        "\"handle\"",
        "\"count\"",
        "\"id\"",
    ]
    .map(|key| answer.text.find(key).unwrap_or_else(|| panic!("{key} in {}", answer.text)))
    .into();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(places, sorted, "{}", answer.text);
}

#[tokio::test]
async fn a_page_stays_when_reviews_are_down() {
    let shop = stocked(5);
    shop.reviews.fails("BatchGetSummaries", Code::Unavailable);
    shop.reviews.fails("BatchListReviews", Code::Internal);

    let answer = shop.ask(PAGE, json!({ "first": 5 })).answer().await;

    let nodes = answer.json["data"]["products"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    assert!(nodes.iter().all(|node| node["rating"].is_null() && node["reviews"].is_null()));
    assert!(nodes.iter().all(|node| node["availableForSale"] == true));
    let errors = answer.json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "one error for each call that failed, not for each product");
    let mut codes: Vec<_> =
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["INTERNAL", "UPSTREAM_UNAVAILABLE"]);
    assert!(errors.iter().all(|error| error["extensions"]["service"] == "reviews"));
    assert!(errors.iter().all(|error| error["path"][0] == "products"));
    assert!(!answer.text.contains("internal words"));
}

#[tokio::test]
async fn a_root_that_fails_leaves_the_others() {
    let shop = stocked(1);
    shop.catalogue.fails("ListCategories", Code::Unavailable);

    let answer = shop.ask("{ categories { name } products { nodes { title } } }", json!({})).answer().await;

    assert!(answer.json["data"]["categories"].is_null());
    assert_eq!(answer.json["data"]["products"]["nodes"][0]["title"], "Thing 0");
    assert_eq!(answer.code(), "UPSTREAM_UNAVAILABLE");
    assert_eq!(answer.json["errors"][0]["extensions"]["retryable"], true);
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let shop = stocked(23);
    let query = "query($after: String) { products(first: 10, after: $after) {
        totalCount nodes { title } edges { cursor } pageInfo { hasNextPage endCursor } } }";
    let mut titles = Vec::new();
    let mut after = json!(null);
    for _ in 0..3 {
        let answer = shop.ask(query, json!({ "after": after })).answer().await;
        let page = &answer.data()["products"];
        assert_eq!(page["totalCount"], 23);
        titles.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["title"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        assert_eq!(page["pageInfo"]["hasNextPage"], titles.len() < 23);
    }

    assert_eq!(titles.len(), 23);
    assert_eq!(titles[22], "Thing 22");
}

#[tokio::test]
async fn more_than_a_hundred_at_once_is_refused() {
    let shop = stocked(1);

    let answer = shop.ask("{ products(first: 101) { nodes { id } } }", json!({})).answer().await;

    assert_eq!(answer.code(), "BAD_REQUEST");
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn prices_follow_the_country_of_the_context() {
    let shop = stocked(1);
    shop.catalogue.on("ListProducts", |_: pb::ListProductsRequest| {
        let mut product = product(1);
        let euros = proto::common::Money { currency_code: "EUR".to_owned(), minor_units: 2_450 };
        product.variants[0].prices.push(pb::Price { amount: Some(euros), compare_at: None });
        Ok(pb::ListProductsResponse { products: vec![product], ..Default::default() })
    });
    let query = |context: &str| {
        format!(
            "query {context} {{ products {{ nodes {{ variants {{ nodes {{ price {{ amount currencyCode }} }} }} }} }} }}"
        )
    };
    let price = |answer: &crate::support::Answer| {
        answer.data()["products"]["nodes"][0]["variants"]["nodes"][0]["price"].clone()
    };

    let home = shop.ask(&query(""), json!({})).answer().await;
    let away = shop.ask(&query("@inContext(country: DE, language: \"en\")"), json!({})).answer().await;
    let by_variable =
        shop.ask(&query("($c: CountryCode) @inContext(country: $c)"), json!({ "c": "DE" })).answer().await;

    assert_eq!(price(&home), json!({ "amount": "19.99", "currencyCode": "GBP" }));
    assert_eq!(price(&away), json!({ "amount": "24.50", "currencyCode": "EUR" }));
    assert_eq!(price(&by_variable), price(&away));
}

#[tokio::test]
async fn a_product_that_is_not_there_is_null() {
    let shop = stocked(1);
    shop.catalogue.on("GetProduct", |_: pb::GetProductRequest| {
        Err::<pb::GetProductResponse, _>(crate::support::refused(
            Code::NotFound,
            "catalogue",
            "REASON_PRODUCT_NOT_FOUND",
        ))
    });

    let answer = shop.ask("{ product(handle: \"nothing\") { title } }", json!({})).answer().await;

    assert!(answer.data()["product"].is_null());
}

#[tokio::test]
async fn collections_bring_their_products_in_one_call() {
    let shop = stocked(1);
    shop.catalogue.on("ListCollections", |_: pb::ListCollectionsRequest| {
        let collection = |number: usize| pb::Collection {
            id: uuid(500 + number),
            title: format!("Shelf {number}"),
            product_ids: (0..30).map(|n| uuid(number + n)).collect(),
            ..Default::default()
        };
        Ok(pb::ListCollectionsResponse {
            collections: (0..20).map(collection).collect(),
            ..Default::default()
        })
    });
    shop.catalogue.on("BatchGetProducts", |request: pb::BatchGetProductsRequest| {
        let products =
            (0..50).map(product).filter(|it| request.product_ids.contains(&it.id) && it.id != uuid(3));
        Ok(pb::BatchGetProductsResponse { products: products.collect(), missing: Vec::new() })
    });

    let query = "{ collections { nodes { title products(first: 5) { nodes { title rating { count } } pageInfo { hasNextPage } } } } }";
    let answer = shop.ask(query, json!({})).answer().await;

    let shelves = answer.data()["collections"]["nodes"].as_array().unwrap();
    assert_eq!(shelves.len(), 20);
    let titles = |at: usize| {
        let nodes = shelves[at]["products"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        titles(0),
        ["Thing 0", "Thing 1", "Thing 2", "Thing 4"],
        "what is not in the shop is left out"
    );
    assert_eq!(titles(10), ["Thing 10", "Thing 11", "Thing 12", "Thing 13", "Thing 14"]);
    let wanted = ["BatchGetProducts", "BatchGetSummaries", "ListCollections"];
    assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
}

#[tokio::test]
async fn nodes_come_in_the_order_asked_with_one_call_for_each_kind() {
    let shop = stocked(1);
    shop.catalogue.on("BatchGetProducts", |request: pb::BatchGetProductsRequest| {
        let products = (0..9).map(product).filter(|it| request.product_ids.contains(&it.id));
        Ok(pb::BatchGetProductsResponse { products: products.collect(), missing: Vec::new() })
    });
    shop.reviews.on("BatchGetReviews", |request: reviews::BatchGetReviewsRequest| {
        let review = |id| reviews::Review { id, title: "Good".to_owned(), ..Default::default() };
        let reviews = request.review_ids.into_iter().map(review).collect();
        Ok(reviews::BatchGetReviewsResponse { reviews, missing: Vec::new() })
    });
    let id = |kind: &str, number| format!("{kind}_{}", uuid(number).replace('-', ""));
    let ids = [id("product", 2), id("review", 1), id("product", 99), id("product", 1)];

    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Product { title } ... on Review { title } } }";
    let answer = shop.ask(query, json!({ "ids": ids })).answer().await;

    let nodes = &answer.data()["nodes"];
    assert_eq!(nodes[0]["title"], "Thing 2");
    assert_eq!(nodes[1], json!({ "id": ids[1], "__typename": "Review", "title": "Good" }));
    assert!(nodes[2].is_null());
    assert_eq!(nodes[3]["title"], "Thing 1");
    assert_eq!(shop.calls(), [("BatchGetProducts".to_owned(), 1), ("BatchGetReviews".to_owned(), 1)]);
}

#[tokio::test]
async fn an_id_of_another_type_is_a_typed_error() {
    let shop = stocked(1);

    let wrong = shop
        .ask("{ product(id: \"order_01934c2e7b6a7c3e9a510a1b2c3d4e5f\") { title } }", json!({}))
        .answer()
        .await;
    let none = shop.ask("{ node(id: \"; drop table\") { id } }", json!({})).answer().await;

    assert_eq!(wrong.code(), "INVALID_ID");
    assert_eq!(none.code(), "INVALID_ID");
    assert!(shop.calls().is_empty());
}
