//! Uses of codes: held, committed, given back, and never above a limit.

use std::time::Duration;

use audit::broken;
use audit::damage;
use futures::future::join_all;
use mesh::testing::customer;
use proto::pricing as pb;
use proto::pricing::CodeOutcome;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn a_use_is_held_committed_and_given_back() {
    for shop in shops().await {
        let discount = shop.discount(percent("TEN", 100_000)).await;
        let checkout = id();

        shop.hold(shop.holding(&checkout, &["ten"], &account())).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 1);
        shop.commit(&checkout).await.unwrap();
        shop.commit(&checkout).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 1);

        shop.release(&checkout).await.unwrap();
        shop.release(&checkout).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 0);
        let late = shop.commit(&checkout).await.unwrap_err();
        assert_eq!((late.code(), reason(&late).as_str()), (Code::FailedPrecondition, "HOLD_CLOSED"));
        assert_eq!(named(&late, "state"), "RELEASED");
    }
}

#[tokio::test]
async fn of_twenty_who_want_the_last_use_at_once_one_gets_it() {
    for shop in shops().await {
        let discount = shop.discount(pb::Discount { limit_total: 3, ..percent("LAST", 100_000) }).await;
        for _ in 0..2 {
            shop.hold(shop.holding(&id(), &["LAST"], &account())).await.unwrap();
        }

        let tries = (0..20).map(|_| shop.hold(shop.holding(&id(), &["LAST"], &account())));
        let answers = join_all(tries).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 19);
        for status in refused {
            assert_eq!(
                (status.code(), reason(status).as_str(), named(status, "outcome").as_str()),
                (Code::FailedPrecondition, "CODE_NOT_USABLE", "USED_UP")
            );
            assert_eq!(named(status, "code"), "LAST");
        }
        assert_eq!(shop.stored(&discount).await.use_count, 3);
        let mug = shop.sell(1_000, |_| {});
        assert_eq!(shop.outcome(&mug, "LAST", "").await, CodeOutcome::UsedUp);
    }
}

#[tokio::test]
async fn of_twenty_checkouts_of_one_customer_as_many_get_a_code_as_he_may() {
    for shop in shops().await {
        let terms = pb::Discount { limit_per_customer: 2, ..percent("TWICE", 100_000) };
        let discount = shop.discount(terms).await;
        let (keen, other) = (account(), format!("email:{}", "ab".repeat(32)));

        let answers = join_all((0..20).map(|_| shop.hold(shop.holding(&id(), &["TWICE"], &keen)))).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 18);
        assert!(refused.iter().all(|status| named(status, "outcome") == "USED_BY_CUSTOMER"));
        shop.hold(shop.holding(&id(), &["TWICE"], &other)).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 3);
        let mug = shop.sell(1_000, |_| {});
        assert_eq!(shop.outcome(&mug, "TWICE", &keen).await, CodeOutcome::UsedByCustomer);
        assert_eq!(shop.outcome(&mug, "TWICE", &other).await, CodeOutcome::Applied);
        assert_eq!(shop.outcome(&mug, "TWICE", "").await, CodeOutcome::Applied);
    }
}

#[tokio::test]
async fn holds_releases_and_expiries_at_once_leave_the_count_of_what_is_held() {
    for shop in shops().await {
        let one = shop.discount(pb::Discount { combinable: true, ..percent("ONE", 1_000) }).await;
        let two = shop.discount(pb::Discount { combinable: true, ..percent("TWO", 1_000) }).await;
        let keen = account();
        let checkouts: Vec<String> = (0..20).map(|_| id()).collect();
        let held = checkouts.iter().enumerate().map(|(number, checkout)| {
            let codes = if number % 2 == 0 { ["ONE", "TWO"] } else { ["TWO", "ONE"] };
            shop.hold(shop.holding(checkout, &codes, &keen))
        });
        assert!(join_all(held).await.iter().all(Result::is_ok));

        let ended = checkouts[..10].iter().map(|checkout| async {
            let (one, two) = tokio::join!(shop.release(checkout), shop.release(checkout));
            one.and(two)
        });
        assert!(join_all(ended).await.iter().all(Result::is_ok));
        let committed = checkouts[10..15].iter().map(|checkout| shop.commit(checkout));
        assert!(join_all(committed).await.iter().all(Result::is_ok));

        for discount in [&one, &two] {
            assert_eq!(shop.stored(discount).await.use_count, 10);
        }
        shop.clock.advance(Duration::from_secs(601));
        shop.work().await;
        for discount in [&one, &two] {
            assert_eq!(shop.stored(discount).await.use_count, 5, "only the committed ones are left");
        }
    }
}

#[tokio::test]
async fn codes_are_held_all_or_none() {
    for shop in shops().await {
        let good = shop.discount(pb::Discount { combinable: true, ..percent("GOOD", 1_000) }).await;
        let rare = pb::Discount { combinable: true, limit_total: 1, ..percent("RARE", 1_000) };
        let rare = shop.discount(rare).await;
        shop.hold(shop.holding(&id(), &["RARE"], &account())).await.unwrap();
        let checkout = id();
        let holding = shop.holding(&checkout, &["GOOD", "RARE"], &account());

        let refused = shop.hold(holding.clone()).await.unwrap_err();

        assert_eq!((named(&refused, "code"), named(&refused, "outcome")), ("RARE".into(), "USED_UP".into()));
        assert_eq!(shop.stored(&good).await.use_count, 0);
        // A refusal burns neither the key nor the checkout.
        let more = pb::Discount { limit_total: 2, id: rare.id.clone(), ..Default::default() };
        let update_mask = Some(prost_types::FieldMask { paths: vec!["limit_total".into()] });
        let update = pb::UpdateDiscountRequest {
            discount: Some(more),
            update_mask,
            etag: rare.etag.clone(),
            request_id: request_id(),
        };
        shop.staff().update_discount(update).await.unwrap();
        shop.hold(holding).await.unwrap();
        assert_eq!((shop.stored(&good).await.use_count, shop.stored(&rare).await.use_count), (1, 2));
    }
}

#[tokio::test]
async fn a_hold_that_is_asked_for_again_is_the_same_hold() {
    for shop in shops().await {
        let discount = shop.discount(pb::Discount { combinable: true, ..percent("ONE", 1_000) }).await;
        shop.discount(pb::Discount { combinable: true, ..percent("TWO", 1_000) }).await;
        let (checkout, keen) = (id(), account());
        let first = shop.holding(&checkout, &["ONE", "two"], &keen);

        shop.hold(first.clone()).await.unwrap();
        shop.hold(first.clone()).await.unwrap();
        // The same again under another key, in another order and case.
        shop.hold(shop.holding(&checkout, &["Two", "one", "ONE"], &keen)).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 1);

        let reused = pb::HoldCodesRequest { codes: vec!["TWO".into()], ..first };
        let reused = shop.hold(reused).await.unwrap_err();
        assert_eq!((reused.code(), reason(&reused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        for other in
            [shop.holding(&checkout, &["ONE"], &keen), shop.holding(&checkout, &["ONE", "TWO"], &account())]
        {
            let refused = shop.hold(other).await.unwrap_err();
            assert_eq!((reason(&refused), named(&refused, "state")), ("HOLD_CLOSED".into(), "HELD".into()));
        }
        let racing = (0..20).map(|_| shop.hold(shop.holding(&checkout, &["ONE", "TWO"], &keen)));
        assert!(join_all(racing).await.iter().all(Result::is_ok));
        assert_eq!(shop.stored(&discount).await.use_count, 1);
    }
}

#[tokio::test]
async fn a_hold_that_comes_after_its_release_takes_nothing() {
    for shop in shops().await {
        let discount = shop.discount(percent("TEN", 100_000)).await;
        let checkout = id();

        shop.release(&checkout).await.unwrap();
        let late = shop.hold(shop.holding(&checkout, &["TEN"], &account())).await.unwrap_err();

        assert_eq!((reason(&late), named(&late, "state")), ("HOLD_CLOSED".into(), "RELEASED".into()));
        assert_eq!(shop.stored(&discount).await.use_count, 0);
        let unknown = shop.commit(&id()).await.unwrap_err();
        assert_eq!((reason(&unknown), named(&unknown, "state")), ("HOLD_CLOSED".into(), "UNKNOWN".into()));
    }
}

#[tokio::test]
async fn a_hold_ends_by_itself_unless_it_was_committed() {
    for shop in shops().await {
        let terms = pb::Discount { limit_total: 2, limit_per_customer: 1, ..percent("TEN", 100_000) };
        let discount = shop.discount(terms).await;
        let (kept, left, keen) = (id(), id(), account());
        shop.hold(shop.holding(&kept, &["TEN"], &account())).await.unwrap();
        shop.hold(shop.holding(&left, &["TEN"], &keen)).await.unwrap();
        shop.commit(&kept).await.unwrap();
        shop.clock.advance(Duration::from_secs(599));
        shop.work().await;
        assert_eq!(shop.stored(&discount).await.use_count, 2);

        shop.clock.advance(Duration::from_secs(2));
        shop.work().await;

        assert_eq!(shop.stored(&discount).await.use_count, 1);
        let late = shop.commit(&left).await.unwrap_err();
        assert_eq!((reason(&late), named(&late, "state")), ("HOLD_CLOSED".into(), "EXPIRED".into()));
        shop.release(&left).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 1);
        // The customer may try again, and his limit counts what he has now.
        shop.hold(shop.holding(&id(), &["TEN"], &keen)).await.unwrap();
    }
}

#[tokio::test]
async fn closed_holds_are_forgotten_after_a_month_and_committed_ones_never() {
    for shop in shops().await {
        let discount = shop.discount(percent("TEN", 100_000)).await;
        let (kept, released, keen) = (id(), id(), account());
        shop.hold(shop.holding(&kept, &["TEN"], &keen)).await.unwrap();
        shop.commit(&kept).await.unwrap();
        shop.release(&released).await.unwrap();
        let again = || shop.hold(shop.holding(&released, &["TEN"], &keen));
        shop.clock.advance(Duration::from_secs(29 * 24 * 3_600));
        shop.work().await;
        assert_eq!(reason(&again().await.unwrap_err()), "HOLD_CLOSED");

        shop.clock.advance(Duration::from_secs(2 * 24 * 3_600));
        shop.work().await;

        again().await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 2);
        shop.release(&kept).await.unwrap();
        assert_eq!(shop.stored(&discount).await.use_count, 1);
    }
}

#[tokio::test]
async fn a_code_that_does_not_hold_is_not_held_and_the_refusal_says_why() {
    for shop in shops().await {
        let soon = kit::time::to_proto(shop.clock.now() + Duration::from_secs(60));
        let now = kit::time::to_proto(shop.clock.now());
        shop.discount(pb::Discount { start_time: Some(soon), ..percent("SOON", 1_000) }).await;
        shop.discount(pb::Discount { end_time: Some(now), ..percent("OVER", 1_000) }).await;
        shop.discount(pb::Discount { disabled: true, ..percent("OFF", 1_000) }).await;
        shop.discount(pb::Discount { combinable: true, ..percent("BOTH", 1_000) }).await;
        shop.discount(percent("ALONE", 1_000)).await;
        let mug = shop.sell(1_000, |_| {});
        for (codes, code, outcome) in [
            (&["SOON"][..], "SOON", CodeOutcome::NotYet),
            (&["OVER"], "OVER", CodeOutcome::Expired),
            (&["OFF"], "OFF", CodeOutcome::Unknown),
            (&["no such code"], "NO SUCH CODE", CodeOutcome::Unknown),
            (&["BOTH", "ALONE"], "BOTH", CodeOutcome::NotCombinable),
        ] {
            let refused = shop.hold(shop.holding(&id(), codes, &account())).await.unwrap_err();
            assert_eq!(reason(&refused), "CODE_NOT_USABLE");
            assert_eq!(named(&refused, "code"), code);
            assert_eq!(format!("CODE_OUTCOME_{}", named(&refused, "outcome")), outcome.as_str_name());
            if codes.len() == 1 {
                assert_eq!(shop.outcome(&mug, codes[0], "").await, outcome);
            }
        }
        shop.clock.advance(Duration::from_secs(60));
        assert_eq!(shop.outcome(&mug, "SOON", "").await, CodeOutcome::Applied);
    }
}

#[tokio::test]
async fn only_orders_holds_codes_and_it_says_for_whom() {
    for shop in shops().await {
        shop.discount(percent("TEN", 100_000)).await;
        let holding = shop.holding(&id(), &["TEN"], &account());
        let edge = shop.as_user(&customer()).hold_codes(holding.clone()).await.unwrap_err();
        assert_eq!((edge.code(), reason(&edge).as_str()), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));

        let nobody = pb::HoldCodesRequest {
            checkout_id: "?".into(),
            codes: Vec::new(),
            customer_key: String::new(),
            expire_time: None,
            ..holding
        };
        let refused = shop.hold(nobody).await.unwrap_err();

        assert_eq!(wrong_fields(&refused), ["checkout_id", "codes", "customer_key", "expire_time"]);
        let unkeyed = pb::CommitCodesRequest { checkout_id: id(), request_id: String::new() };
        let refused = shop.as_service("orders").commit_codes(unkeyed).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["request_id"]);
    }
}

#[tokio::test]
async fn uses_that_nobody_holds_or_that_outlive_their_time_are_found_and_named() {
    for shop in shops().await {
        let discount = shop.discount(percent("TEN", 100_000)).await;
        let checkout = id();
        shop.hold(shop.holding(&checkout, &["TEN"], &account())).await.unwrap();
        let now = shop.clock.now();
        let whole = pricing::verify(&shop.database, now).await.unwrap();
        assert!(whole.iter().all(|check| check.broken.is_empty()), "{whole:?}");

        let late = now + Duration::from_secs(25 * 60 * 60);
        let overdue = pricing::verify(&shop.database, late).await.unwrap();
        assert_eq!(broken(&overdue, "INV-9"), [checkout]);

        let lost = "UPDATE customer_uses SET use_count = 2; UPDATE discounts SET use_count = 2";
        damage(&shop.database, "discounts", lost).await;
        let checks = pricing::verify(&shop.database, now).await.unwrap();
        assert_eq!(broken(&checks, "INV-8"), [discount.id.clone(), discount.id]);
    }
}
