//! Discounts, as staff keep them.

use mesh::testing::{customer, staff};
use proto::pricing as pb;
use proto::pricing::CodeOutcome;
use tonic::{Code, Status};

use crate::support::*;

fn updating(discount: pb::Discount, etag: &str, paths: &[&str]) -> pb::UpdateDiscountRequest {
    let paths = paths.iter().map(ToString::to_string).collect();
    pb::UpdateDiscountRequest {
        discount: Some(discount),
        update_mask: Some(prost_types::FieldMask { paths }),
        etag: etag.to_owned(),
        request_id: request_id(),
    }
}

async fn update(shop: &Shop, request: pb::UpdateDiscountRequest) -> Result<pb::Discount, Status> {
    Ok(shop.staff().update_discount(request).await?.into_inner().discount.unwrap())
}

#[tokio::test]
async fn a_discount_is_kept_as_it_was_written() {
    for shop in shops().await {
        let now = shop.clock.now();
        let written = pb::Discount {
            code: "spring-10".into(),
            value: Some(pb::discount::Value::Amount(money("GBP", 500).unwrap())),
            minimum: money("GBP", 2_000),
            limit_total: 100,
            limit_per_customer: 1,
            start_time: Some(kit::time::to_proto(now)),
            end_time: Some(kit::time::to_proto(now + std::time::Duration::from_secs(60))),
            combinable: true,
            ..Default::default()
        };

        let created = shop.discount(written.clone()).await;

        let expected = pb::Discount {
            id: created.id.clone(),
            code: "SPRING-10".into(),
            etag: "1".into(),
            create_time: Some(kit::time::to_proto(now)),
            ..written
        };
        assert_eq!(created, expected);
        assert_eq!(shop.stored(&created).await, expected);
        let mug = shop.sell(1_999, |_| {});
        assert_eq!(shop.outcome(&mug, "SPRING-10", "").await, CodeOutcome::BelowMinimum);
        let free = Some(pb::discount::Value::FreeShipping(true));
        let post = shop.discount(pb::Discount { value: free.clone(), ..percent("POST", 1) }).await;
        assert_eq!(post.value, free);
    }
}

#[tokio::test]
async fn a_code_is_taken_whatever_its_case_however_many_ask_at_once() {
    for shop in shops().await {
        let tries = (0..10).map(|number| {
            let mut client = shop.staff();
            let code = if number % 2 == 0 { "summer" } else { "SUMMER" };
            let discount = Some(percent(code, 1_000));
            let request = pb::CreateDiscountRequest { discount, request_id: request_id() };
            async move { client.create_discount(request).await }
        });

        let answers = futures::future::join_all(tries).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 9);
        for status in refused {
            assert_eq!((status.code(), reason(status).as_str()), (Code::AlreadyExists, "CODE_TAKEN"));
        }
        let other = shop.discount(percent("WINTER", 1_000)).await;
        let renamed = updating(pb::Discount { code: "Summer".into(), ..other.clone() }, "", &["code"]);
        assert_eq!(reason(&update(&shop, renamed).await.unwrap_err()), "CODE_TAKEN");
        assert_eq!(shop.stored(&other).await, other);
    }
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_only_the_state_that_was_read() {
    for shop in shops().await {
        let terms = pb::Discount { limit_total: 5, combinable: true, ..percent("TEN", 100_000) };
        let created = shop.discount(terms).await;
        let change = pb::Discount { id: created.id.clone(), ..percent("OTHER", 200_000) };
        let request = updating(change.clone(), &created.etag, &["percent_ppm", "disabled"]);

        let updated = update(&shop, request.clone()).await.unwrap();

        let expected = pb::Discount { value: change.value.clone(), etag: "2".into(), ..created.clone() };
        assert_eq!(updated, expected);
        assert_eq!(update(&shop, request).await.unwrap(), expected, "the same request, the same answer");
        let stale = update(&shop, updating(change.clone(), &created.etag, &["code"])).await.unwrap_err();
        assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let whichever = update(&shop, updating(change.clone(), "", &["code", "limit_total"])).await.unwrap();
        assert_eq!((whichever.code.as_str(), whichever.limit_total), ("OTHER", 0));
        let unknown = updating(pb::Discount { id: id(), ..change }, "", &["code"]);
        let unknown = update(&shop, unknown).await.unwrap_err();
        assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "DISCOUNT_NOT_FOUND"));
    }
}

#[tokio::test]
async fn no_limit_is_set_below_the_uses_that_there_are() {
    for shop in shops().await {
        let created = shop.discount(percent("TEN", 100_000)).await;
        let keen = account();
        for _ in 0..2 {
            shop.hold(shop.holding(&id(), &["TEN"], &keen)).await.unwrap();
        }
        shop.hold(shop.holding(&id(), &["TEN"], &account())).await.unwrap();
        let limits = |total, per_customer| {
            let terms =
                pb::Discount { limit_total: total, limit_per_customer: per_customer, ..created.clone() };
            updating(terms, &created.etag, &["limit_total", "limit_per_customer"])
        };

        let refused = update(&shop, limits(2, 0)).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["discount.limit_total"]);
        let refused = update(&shop, limits(3, 1)).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["discount.limit_per_customer"]);
        assert_eq!(shop.stored(&created).await, pb::Discount { use_count: 3, ..created.clone() });

        let updated = update(&shop, limits(3, 2)).await.unwrap();
        assert_eq!((updated.limit_total, updated.limit_per_customer, updated.use_count), (3, 2, 3));
    }
}

#[tokio::test]
async fn changes_of_terms_and_uses_at_once_lose_neither() {
    for shop in shops().await {
        let created = shop.discount(percent("TEN", 100_000)).await;
        let holds = futures::future::join_all((0..20).map(|_| async {
            shop.hold(shop.holding(&id(), &["TEN"], &account())).await.unwrap();
        }));
        let updates = async {
            for number in 1..=10 {
                let value = Some(pb::discount::Value::PercentPpm(number));
                let terms = pb::Discount { value, ..created.clone() };
                update(&shop, updating(terms, "", &["percent_ppm"])).await.unwrap();
            }
        };

        tokio::join!(holds, updates);

        let stored = shop.stored(&created).await;
        assert_eq!((stored.use_count, stored.etag.as_str()), (20, "11"));
        assert_eq!(stored.value, Some(pb::discount::Value::PercentPpm(10)));
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_discount_is_named() {
    for shop in shops().await {
        let now = kit::time::to_proto(shop.clock.now());
        let wrong = pb::Discount {
            code: "no spaces please".into(),
            value: Some(pb::discount::Value::PercentPpm(1_000_001)),
            minimum: money("XXX", -1),
            limit_total: -1,
            limit_per_customer: -1,
            ..Default::default()
        };
        let create = async |discount: Option<pb::Discount>| {
            let request = pb::CreateDiscountRequest { discount, request_id: request_id() };
            wrong_fields(&shop.staff().create_discount(request).await.unwrap_err())
        };
        let fields = [
            "discount.code",
            "discount.percent_ppm",
            "discount.minimum.currency_code",
            "discount.limit_total",
            "discount.limit_per_customer",
        ];
        assert_eq!(create(Some(wrong)).await, fields);
        assert_eq!(create(None).await, ["discount"]);
        let reversed = pb::Discount { start_time: Some(now), end_time: Some(now), ..percent("TEN", 1) };
        assert_eq!(create(Some(reversed)).await, ["discount.end_time"]);
        for value in [
            None,
            Some(pb::discount::Value::FreeShipping(false)),
            Some(pb::discount::Value::Amount(money("GBP", 0).unwrap())),
            Some(pb::discount::Value::PercentPpm(0)),
        ] {
            assert_eq!(create(Some(pb::Discount { value, ..percent("TEN", 1) })).await.len(), 1);
        }

        let created = shop.discount(percent("TEN", 1)).await;
        for (paths, field) in
            [(&[][..], "update_mask"), (&["use_count"], "update_mask"), (&["amount"], "discount.percent_ppm")]
        {
            let refused = update(&shop, updating(created.clone(), "", paths)).await.unwrap_err();
            assert_eq!(wrong_fields(&refused), [field]);
        }
        let etag = update(&shop, updating(created.clone(), "first", &["code"])).await.unwrap_err();
        assert_eq!(wrong_fields(&etag), ["etag"]);
    }
}

#[tokio::test]
async fn discounts_are_listed_newest_first_to_the_end_and_fetched_in_the_order_asked() {
    for shop in shops().await {
        let mut created = Vec::new();
        for number in 0..7 {
            // Some of them in the same moment.
            shop.clock.advance(std::time::Duration::from_micros(number % 3));
            created.push(shop.discount(percent(&format!("CODE-{number}"), 1_000)).await);
        }
        created.sort_by_key(|discount| {
            let at = discount.create_time.unwrap();
            std::cmp::Reverse((at.seconds, at.nanos, discount.id.clone()))
        });
        let mut request = pb::ListDiscountsRequest { page_size: 3, ..Default::default() };
        let mut listed = Vec::new();
        loop {
            let page = shop.staff().list_discounts(request.clone()).await.unwrap().into_inner();
            listed.extend(page.discounts);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, created);

        let unknown = id();
        let (first, last) = (created[0].clone(), created[6].clone());
        let discount_ids = vec![last.id.clone(), unknown.clone(), first.id.clone(), last.id.clone()];
        let request = pb::BatchGetDiscountsRequest { discount_ids };
        let batch = shop.staff().batch_get_discounts(request).await.unwrap().into_inner();
        assert_eq!((batch.discounts, batch.missing), (vec![last, first], vec![unknown]));
        let many = |count| pb::BatchGetDiscountsRequest { discount_ids: (0..count).map(|_| id()).collect() };
        let answer = shop.staff().batch_get_discounts(many(1_500)).await.unwrap().into_inner();
        assert_eq!(answer.missing.len(), 1_500);
        let refused = shop.staff().batch_get_discounts(many(1_501)).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["discount_ids"]);
        let foreign = pb::ListDiscountsRequest { page_size: -1, page_token: String::new() };
        let refused = shop.staff().list_discounts(foreign).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["page_size"]);
    }
}

#[tokio::test]
async fn discounts_are_for_staff_with_the_permission() {
    for shop in shops().await {
        let create =
            || pb::CreateDiscountRequest { discount: Some(percent("TEN", 1_000)), request_id: request_id() };
        let guest = shop.as_guest().create_discount(create()).await.unwrap_err();
        assert_eq!((guest.code(), reason(&guest).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        for user in [customer(), staff(&["pricing.read"])] {
            let refused = shop.as_user(&user).create_discount(create()).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::PermissionDenied, "PERMISSION_MISSING")
            );
        }
        let list = pb::ListDiscountsRequest::default();
        let refused = shop.as_user(&customer()).list_discounts(list.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(shop.staff().list_discounts(list).await.unwrap().into_inner().discounts.is_empty());
    }
}
