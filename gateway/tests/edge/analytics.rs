//! What staff see of sales, and what it costs in calls.

use mesh::testing;
use proto::analytics as pb;
use proto::catalogue;
use serde_json::json;
use tonic::Code;

use crate::pages::product;
use crate::support::{Shop, money, shop, uuid};

const REPORT: &str = r#"query Report {
    analytics(startDate: "2011-01-01", endDate: "2011-12-31") {
        currencyCode
        sales(interval: MONTH) {
            totals { orderCount unitCount revenue { amount currencyCode } averageOrderValue { amount } }
            intervals { startDate endDate figures { orderCount revenue { amount } averageOrderValue { amount } } }
            otherCurrencyCodes
        }
        countries(first: 1) { nodes { country figures { revenue { amount } } } pageInfo { hasNextPage } }
        products(first: 2, sortKey: UNITS) { nodes { product { title } sku unitCount viewCount revenue { amount } } }
        funnel { productViewCount cartCount checkoutCount paidCount abandonmentRate }
        payments { paymentCount authorizedCount successRate captured { amount } }
    }
}"#;

fn figures(orders: i64, revenue: i64) -> Option<pb::SalesFigures> {
    Some(pb::SalesFigures {
        orders,
        units: orders * 2,
        revenue: money(revenue),
        average_order_value: (orders > 0).then(|| money(revenue / orders)).flatten(),
        ..Default::default()
    })
}

/// A shop whose service of figures answers.
fn reporting() -> Shop {
    let shop = shop();
    shop.analytics.on("GetSales", |request: pb::GetSalesRequest| {
        assert_eq!(request.interval(), pb::SalesInterval::Month);
        assert_eq!(
            (request.range.unwrap().start_date.as_str(), request.currency_code.as_str()),
            ("2011-01-01", "GBP")
        );
        let point = |start: &str, end: &str, figures| pb::SalesPoint {
            start_date: start.to_owned(),
            end_date: end.to_owned(),
            figures,
        };
        Ok(pb::GetSalesResponse {
            totals: figures(2, 3_998),
            points: vec![
                point("2011-01-01", "2011-01-31", figures(2, 3_998)),
                point("2011-02-01", "2011-02-28", figures(0, 0)),
            ],
            other_currency_codes: vec!["EUR".to_owned()],
        })
    });
    shop.analytics.on("ListCountrySales", |request: pb::ListCountrySalesRequest| {
        assert_eq!(request.page_size, 1);
        let sales = pb::CountrySales { country: "United Kingdom".to_owned(), figures: figures(1, 999) };
        Ok(pb::ListCountrySalesResponse { countries: vec![sales], next_page_token: "more".to_owned() })
    });
    shop.analytics.on("ListProductSales", |request: pb::ListProductSalesRequest| {
        assert_eq!(request.sort(), pb::ProductSalesSort::Units);
        let sold = |product_id: String, sku: &str| pb::ProductSales {
            product_id,
            sku: sku.to_owned(),
            units: 3,
            views: 7,
            revenue: money(900),
        };
        let products = vec![sold(uuid(1), ""), sold(String::new(), "OLD")];
        Ok(pb::ListProductSalesResponse { products, next_page_token: String::new() })
    });
    shop.analytics.on("GetFunnel", |_: pb::GetFunnelRequest| {
        Ok(pb::GetFunnelResponse {
            product_views: 90,
            carts: 10,
            carts_with_checkout: 5,
            carts_paid: 3,
            abandonment_ppm: Some(700_000),
        })
    });
    shop.analytics.on("GetPaymentOutcomes", |_: pb::GetPaymentOutcomesRequest| {
        Ok(pb::GetPaymentOutcomesResponse {
            payments: 4,
            authorized: 3,
            captured: money(3_998),
            ..Default::default()
        })
    });
    shop.catalogue.on("BatchGetProducts", |request: catalogue::BatchGetProductsRequest| {
        assert_eq!(request.product_ids, [uuid(1)]);
        Ok(catalogue::BatchGetProductsResponse { products: vec![product(1)], missing: Vec::new() })
    });
    shop
}

#[tokio::test]
async fn a_report_is_one_call_for_each_of_its_parts_and_one_for_all_products() {
    let shop = reporting();
    let staff = testing::staff(&["analytics.read"]);

    let answer = shop.ask(REPORT, json!({})).by(&staff).answer().await;

    let report = &answer.data()["analytics"];
    assert_eq!(report["currencyCode"], "GBP");
    let totals = json!({ "orderCount": 2, "unitCount": 4, "revenue": { "amount": "39.98", "currencyCode": "GBP" },
        "averageOrderValue": { "amount": "19.99" } });
    assert_eq!(report["sales"]["totals"], totals);
    let empty = json!({ "startDate": "2011-02-01", "endDate": "2011-02-28",
        "figures": { "orderCount": 0, "revenue": { "amount": "0.00" }, "averageOrderValue": null } });
    assert_eq!(report["sales"]["intervals"][1], empty);
    assert_eq!(report["sales"]["otherCurrencyCodes"], json!(["EUR"]));
    assert_eq!(report["countries"]["nodes"][0]["country"], "United Kingdom");
    assert_eq!(report["countries"]["pageInfo"]["hasNextPage"], true);
    let products = json!([
        { "product": { "title": "Thing 1" }, "sku": null, "unitCount": 3, "viewCount": 7, "revenue": { "amount": "9.00" } },
        { "product": null, "sku": "OLD", "unitCount": 3, "viewCount": 7, "revenue": { "amount": "9.00" } },
    ]);
    assert_eq!(report["products"]["nodes"], products);
    let funnel = json!({ "productViewCount": 90, "cartCount": 10, "checkoutCount": 5, "paidCount": 3, "abandonmentRate": "0.7" });
    assert_eq!(report["funnel"], funnel);
    let payments = json!({ "paymentCount": 4, "authorizedCount": 3, "successRate": null, "captured": { "amount": "39.98" } });
    assert_eq!(report["payments"], payments);
    let calls = [
        "BatchGetProducts",
        "GetFunnel",
        "GetPaymentOutcomes",
        "GetSales",
        "ListCountrySales",
        "ListProductSales",
    ];
    assert_eq!(shop.calls(), calls.map(|method| (method.to_owned(), 1)));
}

#[tokio::test]
async fn figures_are_for_staff_who_see_figures() {
    let shop = reporting();
    let others = [
        (None, "UNAUTHENTICATED"),
        (Some(testing::customer()), "PERMISSION_DENIED"),
        (Some(testing::staff(&["orders.read"])), "PERMISSION_DENIED"),
    ];

    for (user, code) in others {
        let ask = shop.ask(REPORT, json!({}));
        let answer = match &user {
            Some(user) => ask.by(user).answer().await,
            None => ask.answer().await,
        };
        assert_eq!(answer.code(), code);
        let report = &answer.json["data"]["analytics"];
        for part in ["sales", "countries", "products", "funnel", "payments"] {
            assert!(report[part].is_null(), "{part}");
        }
    }
    // Refused before anything was sent.
    assert_eq!(shop.calls(), []);
}

#[tokio::test]
async fn a_part_that_fails_leaves_the_others() {
    let shop = reporting();
    shop.analytics.fails("ListProductSales", Code::Internal);
    shop.analytics.fails("GetFunnel", Code::Unavailable);

    let answer = shop.ask(REPORT, json!({})).by(&testing::staff(&["analytics.read"])).answer().await;

    let report = &answer.json["data"]["analytics"];
    assert!(report["products"].is_null() && report["funnel"].is_null());
    assert_eq!(report["sales"]["totals"]["orderCount"], 2);
    let codes: Vec<&str> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["extensions"]["code"].as_str())
        .collect();
    assert!(codes.contains(&"INTERNAL") && codes.contains(&"UPSTREAM_UNAVAILABLE"), "{codes:?}");
}

#[tokio::test]
async fn what_is_no_date_never_reaches_the_service() {
    let shop = reporting();
    let staff = testing::staff(&["analytics.read"]);
    let ask = r#"{ analytics(startDate: "yesterday", endDate: "2011-12-31") { funnel { cartCount } } }"#;

    let answer = shop.ask(ask, json!({})).by(&staff).answer().await;

    assert_eq!(answer.code(), "BAD_REQUEST");
    assert_eq!(shop.calls(), []);
}
