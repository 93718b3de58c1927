//! What recommendations promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod quality;
mod support;

use mesh::testing::{customer, staff};
use proto::catalogue::ProductStatus;
use proto::recommendations as pb;
use proto::recommendations::ExplanationKind as Kind;
use proto::recommendations::list_for_account_request::Customer;
use support::{id, products, reason, shops, why};
use tonic::Code;

#[tokio::test]
async fn what_was_bought_together_is_recommended_with_the_number_of_orders() {
    for shop in shops().await {
        let (mug, tea, plate, lamp) = (id(), id(), id(), id());
        shop.sell(&[&mug, &tea], 3).await;
        shop.sell(&[&mug, &plate], 1).await;
        shop.sell(&[&lamp], 9).await;

        let found = shop.with(&[&mug]).await;

        assert_eq!(products(&found), [&tea, &plate, &lamp]);
        assert_eq!(why(&found[0]), (Kind::BoughtTogether, 3));
        assert_eq!(found[0].explanation.as_ref().unwrap().with_product_id, mug);
        assert_eq!(why(&found[1]), (Kind::BoughtTogether, 1));
        assert_eq!(why(&found[2]), (Kind::Popular, 9));
        assert!(found.is_sorted_by(|left, right| left.score > right.score));
    }
}

#[tokio::test]
async fn a_basket_is_answered_as_a_whole_and_never_with_itself() {
    for shop in shops().await {
        let (mug, tea, biscuits, saw) = (id(), id(), id(), id());
        shop.sell(&[&mug, &biscuits], 2).await;
        shop.sell(&[&tea, &biscuits], 2).await;
        shop.sell(&[&mug, &saw], 2).await;
        shop.sell(&[&mug, &tea], 5).await;

        let found = shop.with(&[&mug, &tea]).await;

        assert_eq!(products(&found), [&biscuits, &saw]);
    }
}

#[tokio::test]
async fn events_that_come_twice_or_in_another_order_change_nothing() {
    for shop in shops().await {
        let buyer = customer();
        let (mug, tea, plate) = (id(), id(), id());
        let mut events = vec![
            shop.order(Some(buyer.account), &[&mug, &tea]),
            shop.order(Some(buyer.account), &[&mug, &tea, &plate]),
            shop.listing(&tea, 1, "", ProductStatus::Draft, &[]),
            shop.listing(&tea, 2, "", ProductStatus::Active, &[]),
        ];
        events.reverse();
        for event in events.iter().chain(&events) {
            shop.tell(event).await;
        }

        let found = shop.with(&[&mug]).await;

        assert_eq!(
            (products(&found), why(&found[0])),
            (vec![tea.as_str(), &plate], (Kind::BoughtTogether, 2))
        );
        let own = shop.own(&buyer).await;
        let again = own.iter().find(|it| it.product_id == mug).unwrap();
        assert_eq!(why(again), (Kind::BoughtBefore, 2));
    }
}

#[tokio::test]
async fn orders_at_the_same_time_are_all_learnt() {
    for shop in shops().await {
        let buyer = customer();
        let (mug, tea, plate) = (id(), id(), id());
        let orders: Vec<_> = (0..24)
            .map(|number| match number % 2 {
                0 => shop.order(Some(buyer.account), &[&mug, &tea]),
                _ => shop.order(Some(buyer.account), &[&plate, &tea, &mug]),
            })
            .collect();

        futures::future::join_all(orders.iter().map(|order| shop.tell(order))).await;

        let found = shop.with(&[&mug]).await;
        assert_eq!(
            (products(&found), why(&found[0])),
            (vec![tea.as_str(), &plate], (Kind::BoughtTogether, 24))
        );
        let own = shop.own(&buyer).await;
        let again = own.iter().find(|it| it.product_id == tea).unwrap();
        assert_eq!(why(again), (Kind::BoughtBefore, 24));
    }
}

#[tokio::test]
async fn an_order_learnt_while_its_sku_finds_its_product_counts_for_the_product() {
    for shop in shops().await {
        let (mug, other) = (id(), id());
        for number in 1..=25 {
            let sku = format!("SKU-{number}");
            let order = shop.imported("C-1", &[&sku], "2025-05-04T10:00:00Z");
            let listing = shop.listing(&mug, number, "", ProductStatus::Active, &[&sku]);

            futures::join!(shop.tell(&order), shop.tell(&listing));

            let found = shop.with(&[&other]).await;
            assert_eq!((products(&found), why(&found[0])), (vec![mug.as_str()], (Kind::Popular, number)));
        }
    }
}

#[tokio::test]
async fn what_is_no_longer_offered_is_not_recommended_until_it_is_again() {
    for shop in shops().await {
        let (mug, tea) = (id(), id());
        shop.sell(&[&mug, &tea], 2).await;

        shop.tell(&shop.listing(&tea, 3, "", ProductStatus::Archived, &[])).await;
        assert!(shop.with(&[&mug]).await.is_empty());
        // What is gone still says what went with it.
        assert_eq!(products(&shop.with(&[&tea]).await), [&mug]);

        shop.tell(&shop.listing(&tea, 4, "", ProductStatus::Active, &[])).await;
        assert_eq!(products(&shop.with(&[&mug]).await), [&tea]);
    }
}

#[tokio::test]
async fn a_new_shop_offers_the_same_category_then_what_sells() {
    for shop in shops().await {
        let (mugs, lamps) = (id(), id());
        let (new, sold, unsold, lamp, draft) = (id(), id(), id(), id(), id());
        for (product, category) in [(&new, &mugs), (&sold, &mugs), (&unsold, &mugs), (&lamp, &lamps)] {
            shop.tell(&shop.listing(product, 1, category, ProductStatus::Active, &[])).await;
        }
        shop.tell(&shop.listing(&draft, 1, &mugs, ProductStatus::Draft, &[])).await;
        shop.sell(&[&sold], 2).await;
        shop.sell(&[&lamp], 5).await;

        let found = shop.with(&[&new]).await;

        assert_eq!(products(&found), [&sold, &unsold, &lamp]);
        let why: Vec<_> = found.iter().map(why).collect();
        assert_eq!(why, [(Kind::PopularInCategory, 2), (Kind::SameCategory, 0), (Kind::Popular, 5)]);
        assert_eq!(found[0].explanation.as_ref().unwrap().category_id, mugs);
        let batch = pb::BatchListBoughtTogetherRequest {
            product_ids: vec![new.clone(), lamp.clone(), new.clone(), id()],
            recommendations_each: 2,
        };
        let lists = shop.as_guest().batch_list_bought_together(batch).await.unwrap().into_inner().products;
        assert_eq!(lists.iter().map(|list| &list.product_id).collect::<Vec<_>>()[..2], [&new, &lamp]);
        assert_eq!(lists.len(), 3);
        assert_eq!(products(&lists[0].recommendations), [&sold, &unsold]);
        assert_eq!(products(&lists[1].recommendations), [&sold]);
        assert_eq!(products(&lists[2].recommendations), [&lamp, &sold]);
    }
}

#[tokio::test]
async fn a_batch_answers_each_product_as_if_it_were_asked_alone() {
    for shop in shops().await {
        let all: Vec<String> = (0..8).map(|_| id()).collect();
        for (number, first) in all.iter().enumerate() {
            for other in all.iter().skip(number + 1) {
                shop.sell(&[first, other], 1 + number % 3).await;
            }
        }
        let batch = pb::BatchListBoughtTogetherRequest { product_ids: all.clone(), recommendations_each: 4 };

        let lists = shop.as_guest().batch_list_bought_together(batch).await.unwrap().into_inner().products;

        for (list, product) in lists.iter().zip(&all) {
            assert_eq!(&list.product_id, product);
            assert_eq!(list.recommendations, shop.with(&[product]).await[..4]);
        }
    }
}

#[tokio::test]
async fn a_customer_sees_what_he_buys_again_and_what_goes_with_it() {
    for shop in shops().await {
        let buyer = customer();
        let (coffee, filters, kettle, lamp) = (id(), id(), id(), id());
        for _ in 0..4 {
            shop.tell(&shop.order(Some(buyer.account), &[&coffee])).await;
        }
        shop.tell(&shop.order(Some(buyer.account), &[&kettle])).await;
        shop.sell(&[&coffee, &filters], 3).await;
        for sells in [&lamp, &kettle] {
            shop.sell(&[sells], 3).await;
        }

        let own = shop.own(&buyer).await;

        assert_eq!(products(&own), [&coffee, &kettle, &filters, &lamp]);
        let why: Vec<_> = own.iter().map(why).collect();
        assert_eq!(why[..2], [(Kind::BoughtBefore, 4), (Kind::BoughtBefore, 1)]);
        assert_eq!(why[2..], [(Kind::BoughtTogether, 3), (Kind::Popular, 3)]);
        let stranger = shop.own(&customer()).await;
        assert!(stranger.iter().all(|it| support::why(it).0 == Kind::Popular));
    }
}

#[tokio::test]
async fn a_history_is_shown_to_its_owner_and_to_staff_who_may_read_orders() {
    for shop in shops().await {
        let buyer = customer();
        let coffee = id();
        shop.tell(&shop.order(Some(buyer.account), &[&coffee])).await;
        let of_the_buyer = || pb::ListForAccountRequest {
            customer: Some(Customer::AccountId(buyer.account.to_string())),
            ..Default::default()
        };

        let guest = shop.as_guest().list_for_account(of_the_buyer()).await.unwrap_err();
        assert_eq!((guest.code(), reason(&guest).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        for other in [customer(), staff(&["reviews.moderate"])] {
            let refused = shop.as_user(&other).list_for_account(of_the_buyer()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert_eq!(reason(&refused), "HISTORY_OF_ANOTHER");
        }
        let service = shop
            .as_service("orders")
            .list_bought_together(pb::ListBoughtTogetherRequest::default())
            .await
            .unwrap_err();
        assert_eq!(reason(&service), "CALLER_NOT_ALLOWED");

        for entitled in [buyer.clone(), staff(&["orders.read"])] {
            let seen = shop.as_user(&entitled).list_for_account(of_the_buyer()).await.unwrap().into_inner();
            assert_eq!(why(&seen.recommendations[0]), (Kind::BoughtBefore, 1));
        }
    }
}

#[tokio::test]
async fn an_erased_account_is_forgotten_even_if_its_orders_come_later() {
    for shop in shops().await {
        let buyer = customer();
        let (coffee, filters) = (id(), id());
        shop.tell(&shop.order(Some(buyer.account), &[&coffee, &filters])).await;
        let late = shop.order(Some(buyer.account), &[&coffee, &filters]);

        shop.tell(&shop.erased(buyer.account)).await;
        shop.tell(&late).await;

        assert!(shop.own(&buyer).await.iter().all(|it| why(it).0 == Kind::Popular));
        assert_eq!(why(&shop.with(&[&coffee]).await[0]), (Kind::BoughtTogether, 2));
        let left = kit::query(shop.database.read(), "SELECT 1 FROM purchases", []).await.unwrap();
        assert!(left.is_empty());
    }
}

#[tokio::test]
async fn an_imported_history_counts_for_the_products_that_its_skus_belong_to() {
    for shop in shops().await {
        let (mug, tea) = (id(), id());
        shop.tell(&shop.imported("17850", &["85123A", "71053"], "2010-12-01T08:26:00Z")).await;
        assert!(shop.with(&[&mug]).await.is_empty());

        // Two SKUs of the mug; the import knew one of them.
        shop.tell(&shop.listing(&mug, 1, "", ProductStatus::Active, &["85123A", "85123B"])).await;
        shop.tell(&shop.listing(&tea, 1, "", ProductStatus::Active, &["71053"])).await;
        shop.tell(&shop.imported("17850", &["85123B", "71053"], "2010-12-02T08:26:00Z")).await;

        let found = shop.with(&[&mug]).await;
        assert_eq!((products(&found), why(&found[0])), (vec![tea.as_str()], (Kind::BoughtTogether, 2)));
        let request = |name: &str| pb::ListForAccountRequest {
            customer: Some(Customer::ExternalCustomer(name.to_owned())),
            ..Default::default()
        };
        let mut clerk = shop.as_user(&staff(&["orders.read"]));
        let history = clerk.list_for_account(request("17850")).await.unwrap().into_inner().recommendations;
        let again: Vec<_> = history.iter().map(|it| (it.product_id.as_str(), why(it))).collect();
        assert!(again.contains(&(mug.as_str(), (Kind::BoughtBefore, 2))), "{again:?}");
        assert!(again.contains(&(tea.as_str(), (Kind::BoughtBefore, 2))), "{again:?}");
        let other = clerk.list_for_account(request("12346")).await.unwrap().into_inner().recommendations;
        assert!(other.iter().all(|it| why(it).0 == Kind::Popular));
        let refused = shop.as_user(&customer()).list_for_account(request("17850")).await.unwrap_err();
        assert_eq!(reason(&refused), "HISTORY_OF_ANOTHER");
    }
}

#[tokio::test]
async fn an_order_from_the_future_sells_no_better_than_one_of_today() {
    for shop in shops().await {
        let (mug, tea) = (id(), id());
        shop.tell(&shop.listing(&mug, 1, "", ProductStatus::Active, &["85123A"])).await;
        shop.tell(&shop.imported("", &["85123A"], "9999-12-31T23:59:59Z")).await;
        shop.sell(&[&tea], 2).await;

        let found = shop.with(&[&id()]).await;

        assert_eq!(products(&found), [&tea, &mug]);
    }
}

#[tokio::test]
async fn an_order_of_a_thousand_lines_writes_little_and_is_learnt() {
    for shop in shops().await {
        let buyer = customer();
        let all: Vec<String> = (0..1_112).map(|_| id()).collect();
        let lines: Vec<&str> = all.iter().map(String::as_str).collect();

        shop.tell(&shop.order(Some(buyer.account), &lines)).await;

        let found = shop.with(&[&all[500]]).await;
        assert_eq!(found.iter().filter(|it| why(it).0 == Kind::BoughtTogether).count(), 10);
        assert!([&all[499], &all[501]].contains(&&found[0].product_id));
        let sizes = kit::query(
            shop.database.read(),
            "SELECT COUNT(*) AS lists, MAX(LENGTH(list)) AS longest FROM neighbours",
            [],
        );
        let sizes = &sizes.await.unwrap()[0];
        assert_eq!(sizes.try_get::<i64>("", "lists").unwrap(), 1_112);
        // 24 meetings of 24 bytes each.
        assert!(i64::from(sizes.try_get::<i32>("", "longest").unwrap()) <= 24 * 24);
        let kept = kit::query(shop.database.read(), "SELECT 1 FROM purchases", []).await.unwrap();
        assert_eq!(kept.len(), 500);
    }
}

#[tokio::test]
async fn a_ranking_pages_to_the_end_without_gap_or_repeat() {
    for shop in shops().await {
        let mug = id();
        let others: Vec<String> = (0..11).map(|_| id()).collect();
        for (number, other) in others.iter().enumerate() {
            shop.sell(&[&mug, other], 1 + number / 4).await;
        }
        let mut request = pb::ListBoughtTogetherRequest {
            page_size: 4,
            product_ids: vec![mug.clone()],
            ..Default::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = shop.as_guest().list_bought_together(request.clone()).await.unwrap().into_inner();
            seen.extend(page.recommendations);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }

        assert_eq!(seen.len(), 11);
        let distinct: std::collections::HashSet<_> = products(&seen).into_iter().collect();
        assert_eq!(distinct.len(), 11);
        request.product_ids.push(others[0].clone());
        let changed = shop.as_guest().list_bought_together(request).await.unwrap_err();
        assert_eq!(reason(&changed), "PAGE_TOKEN_INVALID");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let mut guest = shop.as_guest();
        let fields = |status: &tonic::Status| -> Vec<String> {
            let violations = mesh::status::violations_of(status);
            violations.into_iter().map(|violation| violation.field).collect()
        };

        let nothing = guest.list_bought_together(pb::ListBoughtTogetherRequest::default()).await.unwrap_err();
        assert_eq!(fields(&nothing), ["product_ids"]);
        let batch = pb::BatchListBoughtTogetherRequest {
            product_ids: vec![id(), "?".into()],
            recommendations_each: 21,
        };
        let wrong = guest.batch_list_bought_together(batch).await.unwrap_err();
        assert_eq!(fields(&wrong), ["product_ids[1]", "recommendations_each"]);
        let whose = pb::ListForAccountRequest {
            customer: Some(Customer::ExternalCustomer(String::new())),
            ..Default::default()
        };
        let nobody = shop.as_user(&customer()).list_for_account(whose).await.unwrap_err();
        assert_eq!(fields(&nobody), ["external_customer"]);
        let many = pb::ListBoughtTogetherRequest { product_ids: vec![id(); 1_501], ..Default::default() };
        assert_eq!(reason(&guest.list_bought_together(many).await.unwrap_err()), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_service() {
    for shop in shops().await {
        shop.database.read().close_by_ref().await.unwrap();

        let request = pb::ListBoughtTogetherRequest { product_ids: vec![id()], ..Default::default() };
        let refused = shop.as_guest().list_bought_together(request).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    }
}

#[tokio::test]
async fn on_real_orders_it_is_clearly_better_than_a_simple_script() {
    let Some(folder) = std::env::var_os("SHOP_REFERENCE_DATA") else {
        println!("not run: SHOP_REFERENCE_DATA names no folder of reference data");
        return;
    };

    let figures = quality::measure(&quality::orders(folder.as_ref()), quality::HELD_OUT).await;

    println!("{figures}");
    assert_eq!((figures.learnt, figures.asked, figures.items), (14_201, 5_572, 3_630));
    assert_eq!((figures.completion.cases, figures.next.cases), (4_880, 1_835));
    // The script reaches here what it reaches in the reference scores: these are the same cases.
    assert!((figures.completion_baseline.at_10 - 0.2455).abs() < 0.000_1);
    // Beyond the reference scores of 0.2455 and 0.2799, with room for ties that fall otherwise.
    assert!(figures.completion.at_10 > 0.30, "{}", figures.completion.at_10);
    assert!(figures.next.recall_20 > 0.29, "{}", figures.next.recall_20);
}
