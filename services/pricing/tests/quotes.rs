//! Quotes and shipping options.

use proto::catalogue as catalogue_pb;
use proto::pricing as pb;
use tonic::{Code, Status};

use crate::support::*;

#[tokio::test]
async fn a_quote_says_what_each_line_costs_and_re_adds() {
    for shop in shops().await {
        let mug = shop.sell(1_400, |_| {});
        let book = shop.sell(999, |variant| variant.tax_class = "zero".into());
        shop.discount(percent("TEN", 100_000)).await;
        let request = pb::QuoteRequest {
            codes: vec!["ten".into()],
            shipping_method_id: EXPRESS.into(),
            ..asking(&[(&mug, 2), (&book, 1)])
        };

        let quote = shop.quote(request).await.unwrap();

        assert_eq!((units(&quote.subtotal), units(&quote.shipping_total)), (3_799, 795));
        assert_eq!((units(&quote.discount_total), units(&quote.total)), (380, 4_214));
        let lines: Vec<_> = quote
            .lines
            .iter()
            .map(|line| (line.variant_id.as_str(), units(&line.discount), units(&line.net), units(&line.tax)))
            .collect();
        assert_eq!(lines, [(mug.as_str(), 280, 2_100, 420), (book.as_str(), 100, 899, 0)]);
        let shipping = quote.shipping.unwrap();
        assert_eq!((shipping.method_id.as_str(), units(&shipping.tax)), (EXPRESS, 133));
        assert_eq!(units(&quote.tax_total), 553);
        let taxes: Vec<_> = quote.taxes.iter().map(|tax| tax.display_name.as_str()).collect();
        assert_eq!(taxes, ["GB standard", "GB zero"]);
        assert_eq!(
            (quote.prices_include_tax, quote.requires_shipping, quote.weight_grams),
            (true, true, 1_080)
        );
        let code = &quote.codes[0];
        assert_eq!((code.code.as_str(), code.outcome()), ("TEN", pb::CodeOutcome::Applied));
        assert_eq!(quote.lines[0].product_title, "Harbour Mug");
    }
}

#[tokio::test]
async fn the_same_purchase_has_the_same_id_until_a_price_changes() {
    for shop in shops().await {
        let mug = shop.sell(1_400, |_| {});
        let ask = || asking(&[(&mug, 2)]);

        let first = shop.quote(ask()).await.unwrap();
        let orders = shop.as_service("orders").quote(ask()).await.unwrap().into_inner().quote.unwrap();
        assert_eq!(first, orders);

        shop.sell(1_401, |variant| variant.id = mug.clone());
        let dearer = shop.quote(ask()).await.unwrap();
        assert_ne!(first.id, dearer.id);
    }
}

#[tokio::test]
async fn twelve_hundred_lines_cost_one_call_of_the_catalogue() {
    for shop in shops().await {
        let variants: Vec<String> = (0..1_200).map(|number| shop.sell(100 + number, |_| {})).collect();
        let lines: Vec<(&str, i64)> = variants.iter().map(|id| (id.as_str(), 10_000)).collect();

        let quote = shop.quote(asking(&lines)).await.unwrap();

        assert_eq!(shop.catalogue.calls(), 1);
        assert_eq!(units(&quote.subtotal), 10_000 * (100..1_300).sum::<i64>());
        let asked: Vec<&str> = quote.lines.iter().map(|line| line.variant_id.as_str()).collect();
        assert_eq!(asked, variants);

        let twice =
            shop.quote(asking(&[(&variants[0], 1), (&variants[1], 2), (&variants[0], 3)])).await.unwrap();
        let quantities: Vec<i64> = twice.lines.iter().map(|line| line.quantity).collect();
        assert_eq!(quantities, [1, 2, 3]);
        let mut too_many = lines.clone();
        too_many.push((&variants[0], 1));
        assert_eq!(wrong_fields(&shop.quote(asking(&too_many)).await.unwrap_err()), ["lines"]);
    }
}

#[tokio::test]
async fn taxes_are_those_of_the_destination_and_of_great_britain_by_default() {
    for shop in shops().await {
        let mug = shop.sell(1_190, |_| {});
        let taxed = async |country: &str| {
            let destination = (!country.is_empty()).then(|| to(country));
            let quote = shop.quote(pb::QuoteRequest { destination, ..asking(&[(&mug, 1)]) }).await.unwrap();
            let line = &quote.lines[0];
            (
                units(&line.net),
                units(&line.tax),
                quote.prices_include_tax,
                quote.taxes[0].display_name.clone(),
            )
        };

        assert_eq!(taxed("").await, (992, 198, true, "GB standard".into()));
        assert_eq!(taxed("DE").await, (1_000, 190, true, "DE standard".into()));
        assert_eq!(taxed("US").await, (1_190, 0, false, "US standard".into()));
        assert_eq!(taxed("AQ").await, (1_190, 0, false, "AQ untaxed".into()));
    }
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_known_where_to() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let request = pb::QuoteRequest {
            destination: None,
            shipping_method_id: EXPRESS.into(),
            ..asking(&[(&mug, 1)])
        };

        let quote = shop.quote(request).await.unwrap();

        assert_eq!((quote.shipping, units(&quote.shipping_total)), (None, 0));
    }
}

#[tokio::test]
async fn what_has_no_price_in_the_currency_is_refused_by_name() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let draft = shop.sell(1_000, |_| {});
        let product_status = catalogue_pb::ProductStatus::Draft.into();
        let variant = catalogue_pb::Variant { id: draft.clone(), product_id: id(), ..Default::default() };
        let summary = catalogue_pb::VariantSummary {
            variant: Some(variant),
            product_id: id(),
            product_status,
            ..Default::default()
        };
        shop.catalogue.put(summary);
        let unknown = id();
        let euros = pb::QuoteRequest { currency_code: "EUR".into(), ..asking(&[(&mug, 1)]) };
        for (request, variant) in
            [(euros, &mug), (asking(&[(&mug, 1), (&unknown, 1)]), &unknown), (asking(&[(&draft, 1)]), &draft)]
        {
            let refused = shop.quote(request).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::FailedPrecondition, "VARIANT_NOT_PRICED")
            );
            assert_eq!(&named(&refused, "variant_id"), variant);
        }
    }
}

#[tokio::test]
async fn a_method_that_does_not_go_there_or_does_not_exist_is_refused() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let anvil = shop.sell(1_000, |variant| variant.weight_grams = 31_000);
        let nowhere = id();
        for (variant, country, method) in [
            (&mug, "DE", EXPRESS),
            (&anvil, "GB", EXPRESS),
            (&mug, "GB", ABROAD),
            (&mug, "AQ", ABROAD),
            (&mug, "GB", nowhere.as_str()),
        ] {
            let request = pb::QuoteRequest {
                destination: Some(to(country)),
                shipping_method_id: method.into(),
                ..asking(&[(variant, 1)])
            };
            let refused = shop.quote(request).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::FailedPrecondition, "SHIPPING_METHOD_NOT_AVAILABLE")
            );
            assert_eq!(named(&refused, "shipping_method_id"), method);
        }
    }
}

#[tokio::test]
async fn an_amount_beyond_64_bits_is_refused_and_nothing_panics() {
    for shop in shops().await {
        let palace = shop.sell(i64::MAX, |_| {});
        let mountain = shop.sell(1, |variant| variant.weight_grams = i64::MAX);
        let fits = shop.quote(asking(&[(&palace, 1)])).await.unwrap();
        assert_eq!(units(&fits.total), i64::MAX);
        let shipped = pb::QuoteRequest { shipping_method_id: STANDARD.into(), ..asking(&[(&palace, 1)]) };
        assert_eq!(units(&shop.quote(shipped).await.unwrap().shipping_total), 0);
        let express = pb::QuoteRequest { shipping_method_id: EXPRESS.into(), ..asking(&[(&palace, 1)]) };

        for request in [
            asking(&[(&palace, 2)]),
            asking(&[(&palace, 1), (&mountain, 1)]),
            asking(&[(&mountain, 10_000)]),
            express,
        ] {
            let refused = shop.quote(request).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_str()), (Code::OutOfRange, "AMOUNT_TOO_LARGE"));
        }
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_quote_is_named() {
    for shop in shops().await {
        let request = pb::QuoteRequest {
            lines: vec![line("?", 1), line(&id(), 0), line(&id(), 10_001)],
            currency_code: "POUND".into(),
            destination: Some(to("gb")),
            codes: vec!["\u{7}".into()],
            shipping_method_id: "express".into(),
            customer_key: "jane@example.com".into(),
        };

        let refused = shop.quote(request).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
        let fields = [
            "lines[0].variant_id",
            "lines[1].quantity",
            "lines[2].quantity",
            "currency_code",
            "destination.country_code",
            "codes[0]",
            "shipping_method_id",
            "customer_key",
        ];
        assert_eq!(wrong_fields(&refused), fields);
        let many = pb::QuoteRequest { codes: vec!["CODE".into(); 11], ..asking(&[]) };
        assert_eq!(wrong_fields(&shop.quote(many).await.unwrap_err()), ["lines", "codes"]);
        assert_eq!(shop.catalogue.calls(), 0);
    }
}

#[tokio::test]
async fn a_catalogue_that_is_away_or_talks_nonsense_is_not_the_callers_fault() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |variant| variant.prices[0].amount = money("GBP", -1));
        let nonsense = shop.quote(asking(&[(&mug, 1)])).await.unwrap_err();
        assert_eq!((nonsense.code(), nonsense.message()), (Code::Internal, "internal error"));

        for (failure, code, why) in [
            (Status::unavailable("the table is locked"), Code::Unavailable, "UNAVAILABLE"),
            (Status::deadline_exceeded("slow"), Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Status::invalid_argument("secret"), Code::Internal, "INTERNAL"),
        ] {
            shop.catalogue.fail(failure);
            let failed = shop.quote(asking(&[(&mug, 1)])).await.unwrap_err();
            assert_eq!((failed.code(), reason(&failed).as_str()), (code, why));
            assert!(!failed.message().contains("secret") && !failed.message().contains("table"));
        }
    }
}

#[tokio::test]
async fn shipping_options_come_cheapest_first_and_page_to_the_end() {
    for shop in shops().await {
        let mug = shop.sell(1_000, |_| {});
        let ask = |variant: &str, country: &str| pb::ListShippingOptionsRequest {
            lines: vec![line(variant, 1)],
            currency_code: "GBP".into(),
            destination: (!country.is_empty()).then(|| to(country)),
            ..Default::default()
        };
        let list = async |request: pb::ListShippingOptionsRequest| {
            shop.as_guest().list_shipping_options(request).await.unwrap().into_inner()
        };

        let home = list(ask(&mug, "GB")).await.options;
        let priced: Vec<_> =
            home.iter().map(|option| (option.method_id.as_str(), units(&option.price))).collect();
        assert_eq!(priced, [(STANDARD, 395), (EXPRESS, 795)]);
        assert_eq!(list(ask(&mug, "")).await.options, home);
        let abroad = list(ask(&mug, "US")).await.options;
        assert_eq!((abroad[0].method_id.as_str(), units(&abroad[0].price)), (ABROAD, 895));
        assert!(list(ask(&mug, "AQ")).await.options.is_empty());

        let anvil = shop.sell(6_000, |variant| variant.weight_grams = 30_001);
        let heavy = list(ask(&anvil, "GB")).await.options;
        assert_eq!((heavy.len(), units(&heavy[0].price)), (1, 0), "free from fifty pounds");
        let download = shop.sell(1_000, |variant| variant.requires_shipping = false);
        assert!(list(ask(&download, "GB")).await.options.is_empty());

        let mut request = pb::ListShippingOptionsRequest { page_size: 1, ..ask(&mug, "GB") };
        let first = list(request.clone()).await;
        request.page_token = first.next_page_token;
        let second = list(request.clone()).await;
        assert_eq!([first.options, second.options].concat(), home);
        assert!(second.next_page_token.is_empty());
        request.lines[0].quantity = 2;
        let changed = shop.as_guest().list_shipping_options(request).await.unwrap_err();
        assert_eq!(reason(&changed), "PAGE_TOKEN_INVALID");
    }
}
