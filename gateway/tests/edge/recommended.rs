//! Recommendations: what they cost in calls, what of them is shown, and what is left when their service is down.

use proto::{cart, catalogue as pb, recommendations};
use serde_json::{Value, json};
use tonic::Code;

use crate::cart::{cart_id, wire_cart};
use crate::pages::{product, stocked};
use crate::support::{Shop, uuid};

const TOGETHER: &str = "boughtTogether(first: 3) {
    product { title rating { count } }
    explanation { reason orderCount message withProduct { title } category { name } }
}";

fn recommended(number: usize, with: usize) -> recommendations::Recommendation {
    recommendations::Recommendation {
        product_id: uuid(number),
        score: 1.0 / (number + 1) as f64,
        explanation: Some(recommendations::Explanation {
            kind: recommendations::ExplanationKind::BoughtTogether.into(),
            with_product_id: uuid(with),
            order_count: 37,
            ..Default::default()
        }),
    }
}

/// A shop in which the products 500, 501 … go with everything; the catalogue no longer offers 500 and does not know 501.
fn shop(count: usize) -> Shop {
    let shop = stocked(count);
    shop.catalogue.on("BatchGetProducts", |request: pb::BatchGetProductsRequest| {
        assert!(request.read_mask.unwrap().paths.contains(&"status".to_owned()));
        let found = request.product_ids.iter().filter(|id| **id != uuid(501));
        let found = found.map(|id| {
            let status =
                if *id == uuid(500) { pb::ProductStatus::Archived } else { pb::ProductStatus::Active };
            let number = (0..600).find(|number| *id == uuid(*number)).unwrap();
            pb::Product { status: status.into(), ..product(number) }
        });
        Ok(pb::BatchGetProductsResponse { products: found.collect(), missing: Vec::new() })
    });
    shop.recommendations.on(
        "BatchListBoughtTogether",
        |request: recommendations::BatchListBoughtTogetherRequest| {
            assert!(request.recommendations_each > 3, "some may have to be left out");
            let list = |(place, product_id): (usize, String)| recommendations::ProductRecommendations {
                product_id,
                recommendations: (500..505).map(|number| recommended(number, place)).collect(),
            };
            let products = request.product_ids.into_iter().enumerate().map(list).collect();
            Ok(recommendations::BatchListBoughtTogetherResponse { products })
        },
    );
    shop
}

fn titles(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|it| it["product"]["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_page_with_recommendations_costs_the_same_calls_whatever_its_length() {
    for first in [1, 100] {
        let shop = shop(150);
        let query = format!("{{ products(first: {first}) {{ nodes {{ title {TOGETHER} }} }} }}");

        let answer = shop.ask(&query, json!({})).answer().await;

        let nodes = answer.data()["products"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), first);
        for (place, node) in nodes.iter().enumerate() {
            let together = &node["boughtTogether"];
            // What the catalogue does not offer is left out, whatever recommendations believes.
            assert_eq!(titles(together), ["Thing 502", "Thing 503", "Thing 504"]);
            let explanation = &together[0]["explanation"];
            assert_eq!(explanation["reason"], "BOUGHT_TOGETHER");
            assert_eq!(explanation["message"], "Bought together 37 times");
            assert_eq!(explanation["withProduct"]["title"], format!("Thing {place}"));
        }
        // Products twice: those recommended, and those that they go with.
        let wanted = [
            ("BatchGetProducts", 2),
            ("BatchGetSummaries", 1),
            ("BatchListBoughtTogether", 1),
            ("ListProducts", 1),
        ];
        assert_eq!(shop.calls(), wanted.map(|(method, count)| (method.to_owned(), count)));
    }
}

#[tokio::test]
async fn a_page_stays_when_recommendations_are_down_or_their_products_cannot_be_had() {
    let query = format!("{{ products(first: 2) {{ nodes {{ title {TOGETHER} }} }} }}");
    for service in ["recommendations", "catalogue"] {
        let shop = shop(2);
        match service {
            "recommendations" => shop.recommendations.fails("BatchListBoughtTogether", Code::Unavailable),
            _ => shop.catalogue.fails("BatchGetProducts", Code::Unavailable),
        }

        let answer = shop.ask(&query, json!({})).answer().await;

        let nodes = &answer.json["data"]["products"]["nodes"];
        assert_eq!((&nodes[1]["title"], &nodes[1]["boughtTogether"]), (&json!("Thing 1"), &Value::Null));
        assert_eq!(answer.json["errors"][0]["extensions"]["service"], service);
        assert_eq!(answer.json["errors"][0]["extensions"]["code"], "UPSTREAM_UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_recommended_product_has_no_recommendations_of_its_own() {
    let shop = shop(1);
    let query = "{ products(first: 1) { nodes { boughtTogether {
        product { title boughtTogether { product { title } } } } } } }";

    let answer = shop.ask(query, json!({})).answer().await;

    let first = &answer.json["data"]["products"]["nodes"][0]["boughtTogether"][0]["product"];
    assert_eq!((&first["title"], &first["boughtTogether"]), (&json!("Thing 502"), &Value::Null));
    assert_eq!(answer.json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    let calls = shop.calls().into_iter().filter(|(method, _)| method == "BatchListBoughtTogether");
    assert_eq!(calls.map(|(_, count)| count).sum::<usize>(), 1);
}

#[tokio::test]
async fn more_than_twenty_are_refused() {
    let shop = shop(1);
    let query = "{ products(first: 1) { nodes { title boughtTogether(first: 21) { score } } } }";

    let answer = shop.ask(query, json!({})).answer().await;

    assert_eq!(answer.json["data"]["products"]["nodes"][0]["boughtTogether"], Value::Null);
    assert_eq!(answer.json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_cart_asks_once_for_all_that_is_in_it() {
    let shop = shop(1);
    shop.cart
        .on("GetCart", |_: cart::GetCartRequest| Ok(cart::GetCartResponse { cart: Some(wire_cart(30)) }));
    shop.recommendations.on("ListBoughtTogether", |request: recommendations::ListBoughtTogetherRequest| {
        assert_eq!(request.product_ids, (0..30).map(uuid).collect::<Vec<_>>());
        let recommendations = (502..506).map(|number| recommended(number, 7)).collect();
        Ok(recommendations::ListBoughtTogetherResponse { recommendations, ..Default::default() })
    });
    let query =
        "query($id: ID!) { cart(id: $id, token: \"secret\") { totalQuantity boughtTogether(first: 2) {
        product { title } explanation { message orderCount } } } }";
    let variables = json!({ "id": cart_id() });

    let answer = shop.ask(query, variables.clone()).answer().await;

    assert_eq!(titles(&answer.data()["cart"]["boughtTogether"]), ["Thing 502", "Thing 503"]);
    let wanted = [("BatchGetProducts", 1), ("GetCart", 1), ("ListBoughtTogether", 1)];
    assert_eq!(shop.calls(), wanted.map(|(method, count)| (method.to_owned(), count)));
    shop.recommendations.fails("ListBoughtTogether", Code::Unavailable);
    let answer = shop.ask(query, variables).answer().await;
    assert_eq!(answer.json["data"]["cart"], json!({ "totalQuantity": 60, "boughtTogether": null }));
}

#[tokio::test]
async fn what_is_for_me_is_nobodys_for_a_guest_and_ones_own_for_a_customer() {
    let shop = shop(1);
    shop.recommendations.on("ListForAccount", |request: recommendations::ListForAccountRequest| {
        // The edge names nobody: the service asks the token who it is.
        assert_eq!(request.customer, None);
        let explanation = recommendations::Explanation {
            kind: recommendations::ExplanationKind::BoughtBefore.into(),
            order_count: 4,
            ..Default::default()
        };
        let popular = recommendations::Explanation {
            kind: recommendations::ExplanationKind::PopularInCategory.into(),
            category_id: uuid(7_000),
            order_count: 12,
            ..Default::default()
        };
        let because = |(number, explanation)| recommendations::Recommendation {
            product_id: uuid(number),
            score: 1.0,
            explanation: Some(explanation),
        };
        let recommendations = [(502, explanation), (503, popular)].map(because).to_vec();
        Ok(recommendations::ListForAccountResponse { recommendations, ..Default::default() })
    });
    let query = "{ recommendedForMe { product { title } explanation { message category { name } } } }";

    let guest = shop.ask(query, json!({})).answer().await;
    assert_eq!(guest.data()["recommendedForMe"], Value::Null);
    assert!(shop.calls().is_empty());

    let answer = shop.ask(query, json!({})).by(&mesh::testing::customer()).answer().await;

    let own = &answer.data()["recommendedForMe"];
    assert_eq!(titles(own), ["Thing 502", "Thing 503"]);
    assert_eq!(own[0]["explanation"], json!({ "message": "You bought this 4 times", "category": null }));
    let popular = json!({ "message": "Popular in Things", "category": { "name": "Things" } });
    assert_eq!(own[1]["explanation"], popular);
    let wanted = [("BatchGetCategories", 1), ("BatchGetProducts", 1), ("ListForAccount", 1)];
    assert_eq!(shop.calls(), wanted.map(|(method, count)| (method.to_owned(), count)));
}
