//! What shoppers look for, in calls, and what is left of it when search is down.

use mesh::testing;
use proto::catalogue as catalogue_pb;
use proto::search as pb;
use proto::search::filter::Condition;
use serde_json::{Value, json};
use tonic::Code;

use crate::pages::{product, stocked};
use crate::support::{Shop, money, uuid};

const SEARCH: &str = "query Search($words: String!, $filters: [SearchFilter!], $after: String) {
    search(query: $words, filters: $filters, first: 2, after: $after) {
        totalCount correctedQuery
        nodes { title }
        edges { cursor node { title availableForSale rating { count } } highlights { field spans { text matched } } }
        pageInfo { hasNextPage endCursor }
        filters { id label type values { id label count selected input } }
    } }";

/// One filter of each kind, as values of facets.
fn conditions() -> Vec<Condition> {
    vec![
        Condition::CategoryId(uuid(7_000)),
        Condition::Price(pb::PriceRange { min: money(500), max: money(999) }),
        Condition::Price(pb::PriceRange { min: None, max: money(99) }),
        Condition::Option(pb::OptionValue { name: "Size".to_owned(), value: "M".to_owned() }),
        Condition::RatingMin(4),
        Condition::Available(true),
        Condition::Vendor("Acme".to_owned()),
    ]
}

/// A shop in which search finds the products 1, 2 and 3, and repeats the filters that it is asked for.
fn searchable() -> Shop {
    let shop = stocked(10);
    shop.search.on("SearchProducts", |request: pb::SearchProductsRequest| {
        let from: usize = request.page_token.parse().unwrap_or(0);
        let to = (from + usize::try_from(request.page_size).unwrap()).min(3);
        let hit = |number: usize| pb::Hit {
            product_id: uuid(number + 1),
            score: 900,
            highlights: vec![pb::Highlight {
                field: "title".to_owned(),
                spans: vec![pb::Span { text: "Thing".to_owned(), matched: true }],
            }],
        };
        let value = |condition: Condition| pb::FacetValue {
            label: "A label".to_owned(),
            count: 2,
            selected: request.filters.iter().any(|filter| filter.condition.as_ref() == Some(&condition)),
            filter: Some(pb::Filter { condition: Some(condition) }),
        };
        let facet = pb::Facet {
            kind: pb::FacetKind::Vendor.into(),
            name: String::new(),
            values: conditions().into_iter().map(value).collect(),
        };
        Ok(pb::SearchProductsResponse {
            hits: (from..to).map(hit).collect(),
            next_page_token: if to < 3 { to.to_string() } else { String::new() },
            total_size: 3,
            facets: if request.facets.is_empty() { Vec::new() } else { vec![facet] },
            corrected_query: "thing".to_owned(),
        })
    });
    shop.catalogue.on("BatchGetProducts", |request: catalogue_pb::BatchGetProductsRequest| {
        let all: Vec<_> = (0..10).map(product).collect();
        let known = |id: &String| all.iter().find(|product| product.id == *id).cloned();
        let products = request.product_ids.iter().filter_map(known).collect();
        Ok(catalogue_pb::BatchGetProductsResponse { products, missing: Vec::new() })
    });
    shop
}

fn titles(nodes: &Value) -> Vec<&str> {
    nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_page_of_results_costs_one_call_of_each_service() {
    let shop = searchable();

    let answer = shop.ask(SEARCH, json!({ "words": "thimg" })).answer().await;

    let found = &answer.data()["search"];
    assert_eq!(titles(&found["nodes"]), ["Thing 1", "Thing 2"]);
    assert_eq!(found["totalCount"], 3);
    assert_eq!(found["correctedQuery"], "thing");
    assert_eq!(found["edges"][0]["highlights"][0]["spans"][0]["matched"], true);
    let calls: Vec<(String, usize)> =
        ["BatchGetProducts", "BatchGetStock", "BatchGetSummaries", "SearchProducts"]
            .map(|method| (method.to_owned(), 1))
            .to_vec();
    assert_eq!(shop.calls(), calls);
}

#[tokio::test]
async fn results_go_on_behind_their_cursor() {
    let shop = searchable();
    let first = shop.ask(SEARCH, json!({ "words": "thing" })).answer().await;
    let page = &first.data()["search"]["pageInfo"];
    assert_eq!(page["hasNextPage"], true);

    let variables = json!({ "words": "thing", "after": page["endCursor"] });
    let second = shop.ask(SEARCH, variables).answer().await;

    assert_eq!(titles(&second.data()["search"]["nodes"]), ["Thing 3"]);
    assert_eq!(second.data()["search"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn the_input_of_every_value_can_be_sent_back() {
    let shop = searchable();
    let answer = shop.ask(SEARCH, json!({ "words": "thing" })).answer().await;
    let values = answer.data()["search"]["filters"][0]["values"].as_array().unwrap().clone();
    assert_eq!(values.len(), conditions().len());

    for (place, value) in values.iter().enumerate() {
        let variables = json!({ "words": "thing", "filters": [value["input"]] });
        let answer = shop.ask(SEARCH, variables).answer().await;

        let again = answer.data()["search"]["filters"][0]["values"].as_array().unwrap();
        let selected: Vec<bool> = again.iter().map(|value| value["selected"].as_bool().unwrap()).collect();
        let wanted: Vec<bool> = (0..values.len()).map(|other| other == place).collect();
        assert_eq!(selected, wanted, "{}", value["input"]);
    }
}

#[tokio::test]
async fn a_shop_without_search_still_lists_its_products() {
    let shop = searchable();
    shop.search.fails("SearchProducts", Code::Unavailable);

    let query = "{ search(query: \"thing\") { totalCount } products(first: 2) { nodes { title } } }";
    let answer = shop.ask(query, json!({})).answer().await;

    assert_eq!(answer.json["data"]["search"], Value::Null);
    assert_eq!(answer.code(), "UPSTREAM_UNAVAILABLE");
    assert_eq!(titles(&answer.json["data"]["products"]["nodes"]), ["Thing 0", "Thing 1"]);
}

#[tokio::test]
async fn what_catalogue_no_longer_has_is_left_out() {
    let shop = searchable();
    shop.catalogue.on("BatchGetProducts", |request: catalogue_pb::BatchGetProductsRequest| {
        let products = (0..10).map(product).filter(|product| request.product_ids.contains(&product.id));
        let products = products.filter(|product| product.id != uuid(1)).collect();
        Ok(catalogue_pb::BatchGetProductsResponse { products, missing: vec![uuid(1)] })
    });

    let answer = shop.ask(SEARCH, json!({ "words": "thing" })).answer().await;

    assert_eq!(titles(&answer.data()["search"]["nodes"]), ["Thing 2"]);
    assert_eq!(answer.data()["search"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn what_is_being_typed_becomes_queries_and_products() {
    let shop = searchable();
    shop.search.on("PredictSearch", |request: pb::PredictSearchRequest| {
        assert_eq!((request.completions_max, request.products_max), (5, 5));
        let completion = pb::Completion { query: "thing".to_owned(), product_count: 3 };
        let hit = pb::Hit { product_id: uuid(2), ..Default::default() };
        Ok(pb::PredictSearchResponse { completions: vec![completion], hits: vec![hit] })
    });

    let query = "{ predictiveSearch(query: \"thi\") { queries { text productCount } products { title } } }";
    let answer = shop.ask(query, json!({})).answer().await;

    let predicted = &answer.data()["predictiveSearch"];
    assert_eq!(predicted["queries"][0], json!({ "text": "thing", "productCount": 3 }));
    assert_eq!(titles(&predicted["products"]), ["Thing 2"]);
    assert_eq!(shop.calls(), [("BatchGetProducts".to_owned(), 1), ("PredictSearch".to_owned(), 1)]);
}

const PRODUCTS: &str = "query Products($filters: ProductFilter!, $sortKey: ProductSortKey, $after: String) {
    products(filters: $filters, sortKey: $sortKey, first: 2, after: $after) {
        totalCount nodes { title } pageInfo { hasNextPage endCursor }
    } }";

#[tokio::test]
async fn words_in_a_list_of_products_are_understood_by_search() {
    let shop = searchable();
    let filters = json!({ "query": "thimg" });

    let first = shop.ask(PRODUCTS, json!({ "filters": filters })).answer().await;
    let after = &first.data()["products"]["pageInfo"]["endCursor"];
    let second = shop.ask(PRODUCTS, json!({ "filters": filters, "after": after })).answer().await;

    assert_eq!(titles(&first.data()["products"]["nodes"]), ["Thing 1", "Thing 2"]);
    assert_eq!(first.data()["products"]["totalCount"], 3);
    assert_eq!(titles(&second.data()["products"]["nodes"]), ["Thing 3"]);
    assert_eq!(second.data()["products"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(shop.calls(), [("BatchGetProducts".to_owned(), 2), ("SearchProducts".to_owned(), 2)]);
}

#[tokio::test]
async fn search_is_told_what_the_list_is_filtered_by() {
    let shop = stocked(10);
    shop.search.on("SearchProducts", |request: pb::SearchProductsRequest| {
        let conditions: Vec<_> =
            request.filters.iter().filter_map(|filter| filter.condition.clone()).collect();
        assert_eq!(
            conditions,
            [
                Condition::CategoryId(uuid(7_000)),
                Condition::Price(pb::PriceRange { min: money(500), max: None }),
                Condition::Vendor("Acme".to_owned()),
                Condition::Vendor("Bolt".to_owned()),
                Condition::ProductType("Mug".to_owned()),
                Condition::Tag("new".to_owned()),
            ]
        );
        assert_eq!((request.currency_code.as_str(), request.sort()), ("GBP", pb::SearchSort::Newest));
        // The oldest first, as catalogue would list them.
        assert!(request.reverse);
        Ok(pb::SearchProductsResponse::default())
    });
    let filters = json!({
        "query": "mug", "categoryId": format!("category_{}", uuid(7_000).replace('-', "")), "vendors": ["Acme", "Bolt"], "productTypes": ["Mug"],
        "tags": ["new"], "priceMin": { "amount": "5.00", "currencyCode": "GBP" },
    });

    let answer = shop.ask(PRODUCTS, json!({ "filters": filters, "sortKey": "CREATED" })).answer().await;

    assert_eq!(answer.data()["products"]["totalCount"], 0);
}

#[tokio::test]
async fn what_only_catalogue_knows_is_listed_by_catalogue() {
    let shop = searchable();
    let only_there = [
        json!({ "query": " " }),
        json!({ "query": "thing", "tags": ["new", "blue"] }),
        json!({ "query": "thing", "handles": ["thing-1"] }),
        json!({ "query": "thing", "status": "ACTIVE" }),
    ];
    for filters in &only_there {
        shop.ask(PRODUCTS, json!({ "filters": filters })).answer().await.data();
    }
    let staff = shop.ask(PRODUCTS, json!({ "filters": { "query": "thing" } }));
    staff.by(&testing::staff(&["catalogue.read"])).answer().await.data();

    assert_eq!(shop.calls(), [("ListProducts".to_owned(), only_there.len() + 1)]);
}
