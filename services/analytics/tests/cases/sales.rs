//! Revenue, orders, units and baskets.

use mesh::testing::{customer, staff};
use proto::analytics as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Shop, event, gbp, order, product, range, reason, shops, time};

#[tokio::test]
async fn orders_count_on_the_day_they_were_placed() {
    for shop in shops().await {
        let winter = order("2011-01-31T23:59:59Z", &[("A", 2, 250), ("B", 1, 500)]);
        let spring = order("2011-03-01T00:00:00Z", &[("A", 1, 333)]);
        shop.hear_all(&[winter.placed(), spring.placed()]).await;

        let sales = shop.sales("2011-01-01", "2011-03-31").await;

        let totals = sales.totals.unwrap();
        assert_eq!((totals.orders, totals.units, totals.revenue), (2, 4, gbp(1_333)));
        // 666.5 pence.
        assert_eq!(totals.average_order_value, gbp(667));
        let points = sales.points.iter().map(|point| {
            let figures = point.figures.as_ref().unwrap();
            (point.start_date.as_str(), point.end_date.as_str(), figures.orders, figures.revenue.clone())
        });
        assert_eq!(
            points.collect::<Vec<_>>(),
            [
                ("2011-01-01", "2011-01-31", 1, gbp(1_000)),
                ("2011-02-01", "2011-02-28", 0, gbp(0)),
                ("2011-03-01", "2011-03-31", 1, gbp(333)),
            ]
        );
        assert_eq!(sales.points[1].figures.as_ref().unwrap().average_order_value, None);
    }
}

#[tokio::test]
async fn a_cancelled_order_is_no_sale_and_a_refund_is_taken_off() {
    for shop in shops().await {
        let kept = order("2011-05-01T10:00:00Z", &[("A", 2, 500)]);
        let gone = order("2011-05-01T11:00:00Z", &[("A", 1, 500), ("B", 1, 700)]);
        shop.hear_all(&[kept.placed(), gone.placed(), gone.refunded(1_200), gone.cancelled()]).await;
        shop.hear_all(&[kept.refunded(100), kept.refunded(300)]).await;

        let totals = shop.totals().await;

        assert_eq!((totals.orders, totals.units, totals.cancelled_orders), (1, 2, 1));
        assert_eq!((totals.revenue, totals.refunded, totals.net_revenue), (gbp(1_000), gbp(300), gbp(700)));
        let products = shop.products().await;
        assert_eq!(products.len(), 1);
        assert_eq!((products[0].sku.as_str(), products[0].units), ("A", 2));
    }
}

#[tokio::test]
async fn currencies_are_never_added_together() {
    for shop in shops().await {
        let mut euros = order("2011-05-01T10:00:00Z", &[("A", 1, 900)]);
        euros.currency = "EUR";
        shop.hear_all(&[euros.placed(), order("2011-05-01T10:00:00Z", &[("A", 1, 100)]).placed()]).await;

        let sales = shop.sales("2011-05-01", "2011-05-31").await;

        assert_eq!(sales.totals.unwrap().revenue, gbp(100));
        assert_eq!(sales.other_currency_codes, ["EUR"]);
        assert_eq!(shop.products().await[0].revenue, gbp(100));
    }
}

#[tokio::test]
async fn countries_come_by_revenue_page_by_page() {
    for shop in shops().await {
        for (country, price) in [("FR", 300), ("GB", 700), ("EIRE", 300), ("DE", 200), ("", 100)] {
            let mut order = order("2011-05-01T10:00:00Z", &[("A", 1, price)]);
            order.country = country;
            shop.hear(&order.placed()).await.unwrap();
        }

        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let request = pb::ListCountrySalesRequest {
                range: range("2011-05-01", "2011-05-01"),
                currency_code: "GBP".into(),
                page_size: 2,
                page_token: token,
            };
            let page = shop.staff().list_country_sales(request).await.unwrap().into_inner();
            seen.extend(page.countries.into_iter().map(|sales| sales.country));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }

        assert_eq!(seen, ["GB", "EIRE", "FR", "DE", ""]);
    }
}

#[tokio::test]
async fn products_come_by_what_was_sold_of_all_their_variants() {
    for shop in shops().await {
        let (mug, lamp) = (Uuid::now_v7(), Uuid::now_v7());
        let sold = order(
            "2011-05-01T10:00:00Z",
            &[("MUG-S", 1, 300), ("MUG-L", 1, 500), ("LAMP", 1, 790), ("OLD", 9, 10)],
        );
        // The catalogue is heard of afterwards, and the lamp's SKU belonged to the mug once.
        shop.hear_all(&[
            sold.placed(),
            product(lamp, &["LAMP"], "2011-05-03T00:00:00Z"),
            product(mug, &["MUG-S", "MUG-L", "LAMP"], "2011-05-02T00:00:00Z"),
        ])
        .await;

        let listed = |sort: pb::ProductSalesSort| {
            let shop = &shop;
            async move {
                let mut seen = Vec::new();
                let mut token = String::new();
                loop {
                    let request = pb::ListProductSalesRequest {
                        range: range("2011-05-01", "2011-05-01"),
                        currency_code: "GBP".into(),
                        sort: sort.into(),
                        page_size: 1,
                        page_token: token,
                    };
                    let page = shop.staff().list_product_sales(request).await.unwrap().into_inner();
                    seen.extend(page.products);
                    token = page.next_page_token;
                    if token.is_empty() {
                        return seen;
                    }
                }
            }
        };
        let by_revenue = listed(pb::ProductSalesSort::Revenue).await;
        let by_units = listed(pb::ProductSalesSort::Units).await;

        let shown = |sales: &pb::ProductSales| {
            (
                sales.product_id.clone(),
                sales.sku.clone(),
                sales.units,
                sales.revenue.clone().unwrap().minor_units,
            )
        };
        let wanted = [
            (mug.to_string(), String::new(), 2, 800),
            (lamp.to_string(), String::new(), 1, 790),
            (String::new(), "OLD".to_owned(), 9, 90),
        ];
        assert_eq!(by_revenue.iter().map(shown).collect::<Vec<_>>(), wanted);
        let units: Vec<i64> = by_units.iter().map(|sales| sales.units).collect();
        assert_eq!(units, [9, 2, 1]);
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_counted_changes_nothing() {
    for shop in shops().await {
        let good = order("2011-05-01T10:00:00Z", &[("A", 1, 100)]);
        let mut mixed: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        mixed.lines[0].unit_price.as_mut().unwrap().currency_code = "EUR".into();
        let mut enormous: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        enormous.total = gbp(i64::MAX);
        let mut negative: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        negative.lines[0].quantity = -1;
        let mut countless: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        countless.lines[0].unit_price = gbp(0);
        countless.lines[0].quantity = i64::MAX;
        let mut timeless: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        timeless.place_time = "soon".into();
        let mut nameless: proto::orders::OrderPlaced = good.placed().decode().unwrap();
        nameless.order_id = "?".into();

        for wrong in [mixed, enormous, negative, countless, timeless, nameless] {
            let event = event("order.placed", time("2011-05-01T10:00:00Z"), &wrong);
            assert!(shop.hear(&event).await.is_err());
        }
        assert_eq!(shop.totals().await.orders, 0);

        shop.hear(&good.placed()).await.unwrap();
        assert_eq!(shop.totals().await.orders, 1);
    }
}

#[tokio::test]
async fn only_staff_who_see_figures_see_them() {
    for shop in shops().await {
        let request = || pb::GetFunnelRequest { range: range("2011-05-01", "2011-05-01") };
        let others = [
            (None, Code::Unauthenticated),
            (Some(customer()), Code::PermissionDenied),
            (Some(staff(&["orders.read", "payments.read"])), Code::PermissionDenied),
        ];
        for (user, code) in others {
            let refused = shop.as_user(user).get_funnel(request()).await.unwrap_err();
            assert_eq!(refused.code(), code);
        }
        assert!(shop.staff().get_funnel(request()).await.is_ok());
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let wrong = async |start: &str, end: &str, currency: &str, interval: i32| {
            let request =
                pb::GetSalesRequest { range: range(start, end), currency_code: currency.into(), interval };
            let refused = shop.staff().get_sales(request).await.unwrap_err();
            assert_eq!(reason(&refused), "INVALID_FIELDS");
            let violations = mesh::status::violations_of(&refused);
            violations.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
        };

        assert_eq!(
            wrong("2011-13-01", "", "XXY", 9).await,
            ["range.start_date", "range.end_date", "currency_code", "interval"]
        );
        assert_eq!(wrong("2011-02-01", "2011-01-01", "GBP", 0).await, ["range.end_date"]);
        assert_eq!(wrong("2001-01-01", "2011-12-31", "GBP", 0).await, ["range.end_date"]);
        assert_eq!(wrong("2005-01-01", "2011-12-31", "GBP", 1).await, ["interval"]);
        let rangeless = shop.staff().get_funnel(pb::GetFunnelRequest { range: None }).await.unwrap_err();
        assert_eq!(rangeless.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_service() {
    for shop in shops().await {
        shop.database.read().close_by_ref().await.unwrap();

        let request = pb::GetFunnelRequest { range: range("2011-01-01", "2011-12-31") };
        let refused = shop.staff().get_funnel(request).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    }
}

#[tokio::test]
async fn a_token_of_another_list_is_refused() {
    for shop in shops().await {
        let shop: &Shop = &shop;
        for price in [100, 200] {
            let mut order = order("2011-05-01T10:00:00Z", &[("A", 1, price)]);
            order.country = if price == 100 { "FR" } else { "DE" };
            shop.hear(&order.placed()).await.unwrap();
        }
        let request = |end: &str, page_token: String| pb::ListCountrySalesRequest {
            range: range("2011-05-01", end),
            currency_code: "GBP".into(),
            page_size: 1,
            page_token,
        };
        let page = shop.staff().list_country_sales(request("2011-05-01", String::new())).await.unwrap();
        let token = page.into_inner().next_page_token;

        let refused = shop.staff().list_country_sales(request("2011-05-02", token)).await.unwrap_err();

        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    }
}
