//! Tax rules and shipping methods, as staff keep them.

use proto::pricing as pb;
use tonic::Code;

use crate::support::*;

fn setting(country: &str, class: &str, rate_ppm: i64, included: bool) -> pb::SetTaxRuleRequest {
    let rule = pb::TaxRule {
        country_code: country.into(),
        tax_class: class.into(),
        rate_ppm,
        included_in_prices: included,
    };
    pb::SetTaxRuleRequest { tax_rule: Some(rule), request_id: request_id() }
}

#[tokio::test]
async fn tax_rules_are_listed_by_country_and_class_to_the_end() {
    for shop in shops().await {
        let all = pb::ListTaxRulesRequest::default();
        let whole = shop.staff().list_tax_rules(all).await.unwrap().into_inner().tax_rules;
        let british: Vec<_> = whole
            .iter()
            .filter(|rule| rule.country_code == "GB")
            .map(|rule| (rule.tax_class.as_str(), rule.rate_ppm, rule.included_in_prices))
            .collect();
        assert_eq!(british, [("reduced", 50_000, true), ("standard", 200_000, true), ("zero", 0, true)]);
        assert!(whole.is_sorted_by_key(|rule| (rule.country_code.clone(), rule.tax_class.clone())));

        let mut request = pb::ListTaxRulesRequest { page_size: 7, ..Default::default() };
        let mut listed = Vec::new();
        loop {
            let page = shop.staff().list_tax_rules(request.clone()).await.unwrap().into_inner();
            listed.extend(page.tax_rules);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, whole);
        let forged = pb::ListTaxRulesRequest { page_token: "forged".into(), ..Default::default() };
        let refused = shop.staff().list_tax_rules(forged).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_rule_that_is_set_holds_for_the_next_quote() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let set = setting("NZ", "standard", 150_000, true);

        let rule = shop.staff().set_tax_rule(set.clone()).await.unwrap().into_inner();
        let again = shop.staff().set_tax_rule(set.clone()).await.unwrap().into_inner();

        assert_eq!((rule.tax_rule.as_ref(), &again), (set.tax_rule.as_ref(), &rule));
        let request = || pb::QuoteRequest { destination: Some(to("NZ")), ..asking(&[(&mug, 1)]) };
        assert_eq!(units(&shop.quote(request()).await.unwrap().tax_total), 130);

        // A price list cannot both contain the tax and not: the last word holds for the whole country.
        shop.staff().set_tax_rule(setting("NZ", "reduced", 50_000, false)).await.unwrap();
        let quote = shop.quote(request()).await.unwrap();
        assert_eq!((units(&quote.tax_total), units(&quote.total)), (150, 1_150));
        assert!(!quote.prices_include_tax);

        let reused = pb::SetTaxRuleRequest { request_id: set.request_id, ..setting("NZ", "zero", 0, true) };
        let refused = shop.staff().set_tax_rule(reused).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_tax_rule_is_named() {
    for shop in shops().await {
        let refused = shop
            .staff()
            .set_tax_rule(setting("Britain", "Standard Rate", 1_000_001, true))
            .await
            .unwrap_err();
        let fields = ["tax_rule.country_code", "tax_rule.tax_class", "tax_rule.rate_ppm"];
        assert_eq!(wrong_fields(&refused), fields);
        let nothing = pb::SetTaxRuleRequest { tax_rule: None, request_id: request_id() };
        let refused = shop.staff().set_tax_rule(nothing).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["tax_rule"]);
    }
}

fn drone() -> pb::ShippingMethod {
    let rate = |weight_grams_max, minor_units| pb::ShippingRate {
        weight_grams_max,
        price: money("GBP", minor_units),
    };
    pb::ShippingMethod {
        display_name: "Drone".into(),
        description: "Stand in the garden.".into(),
        country_codes: vec!["GB".into(), "IE".into()],
        rates: vec![rate(500, 100), rate(1_000, 200)],
        free_from: money("GBP", 100_000),
        days_min: 0,
        days_max: 1,
        ..Default::default()
    }
}

async fn created(shop: &Shop, method: pb::ShippingMethod) -> pb::ShippingMethod {
    let request = pb::CreateShippingMethodRequest { shipping_method: Some(method), request_id: request_id() };
    shop.staff().create_shipping_method(request).await.unwrap().into_inner().shipping_method.unwrap()
}

fn replacing(method: pb::ShippingMethod, etag: &str) -> pb::UpdateShippingMethodRequest {
    pb::UpdateShippingMethodRequest {
        shipping_method: Some(method),
        etag: etag.to_owned(),
        request_id: request_id(),
    }
}

#[tokio::test]
async fn a_method_that_is_created_is_offered_until_it_is_disabled() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let cheapest = async || {
            let request = pb::ListShippingOptionsRequest {
                lines: vec![line(&mug, 1)],
                currency_code: "GBP".into(),
                destination: Some(to("GB")),
                ..Default::default()
            };
            let answer = shop.as_guest().list_shipping_options(request).await.unwrap().into_inner();
            answer.options[0].method_id.clone()
        };

        let method = created(&shop, drone()).await;

        assert_eq!(method, pb::ShippingMethod { id: method.id.clone(), etag: "1".into(), ..drone() });
        assert_eq!(cheapest().await, method.id);
        let off = pb::ShippingMethod { disabled: true, ..method.clone() };
        let request = replacing(off.clone(), &method.etag);
        let updated = shop.staff().update_shipping_method(request.clone()).await.unwrap().into_inner();
        assert_eq!(updated.shipping_method, Some(pb::ShippingMethod { etag: "2".into(), ..off.clone() }));
        assert_eq!(shop.staff().update_shipping_method(request).await.unwrap().into_inner(), updated);
        assert_eq!(cheapest().await, STANDARD);

        let stale = shop.staff().update_shipping_method(replacing(off, "1")).await.unwrap_err();
        assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let unknown = pb::ShippingMethod { id: id(), ..drone() };
        let unknown = shop.staff().update_shipping_method(replacing(unknown, "")).await.unwrap_err();
        assert_eq!(
            (unknown.code(), reason(&unknown).as_str()),
            (Code::NotFound, "SHIPPING_METHOD_NOT_FOUND")
        );
    }
}

#[tokio::test]
async fn methods_are_listed_to_the_end_disabled_ones_too() {
    for shop in shops().await {
        let method = created(&shop, pb::ShippingMethod { disabled: true, ..drone() }).await;
        let mut request = pb::ListShippingMethodsRequest { page_size: 3, ..Default::default() };

        let first = shop.staff().list_shipping_methods(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;
        let second = shop.staff().list_shipping_methods(request).await.unwrap().into_inner();

        let ids: Vec<_> = first.shipping_methods.iter().map(|method| method.id.as_str()).collect();
        assert_eq!(ids, [STANDARD, EXPRESS, ABROAD]);
        assert_eq!((second.shipping_methods, second.next_page_token), (vec![method], String::new()));
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_method_is_named() {
    for shop in shops().await {
        let mut wrong = drone();
        wrong.display_name.clear();
        wrong.country_codes.push("gb".into());
        wrong.rates[1].price = money("GBP", -1);
        wrong.free_from = money("£", 1);
        wrong.days_min = 2;
        let request =
            pb::CreateShippingMethodRequest { shipping_method: Some(wrong), request_id: request_id() };
        let refused = shop.staff().create_shipping_method(request).await.unwrap_err();
        let fields = [
            "shipping_method.display_name",
            "shipping_method.country_codes[2]",
            "shipping_method.rates[1].price.minor_units",
            "shipping_method.free_from.currency_code",
            "shipping_method.days_min",
        ];
        assert_eq!(wrong_fields(&refused), fields);

        let mut unordered = drone();
        unordered.rates.reverse();
        let refused = shop.staff().update_shipping_method(replacing(unordered, "")).await.unwrap_err();
        assert_eq!(
            wrong_fields(&refused),
            ["shipping_method.id", "shipping_method.rates[1].weight_grams_max"]
        );
        let empty = pb::ShippingMethod { rates: Vec::new(), ..drone() };
        let request =
            pb::CreateShippingMethodRequest { shipping_method: Some(empty), request_id: request_id() };
        let refused = shop.staff().create_shipping_method(request).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["shipping_method.rates"]);
    }
}
