//! The rules of learning and ranking, without a store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{HashMap, HashSet};

use kit::{Id, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::neighbours::{NEIGHBOURS_KEPT, NEIGHBOURS_MAX};
use super::order::{BASKET_ITEMS_MAX, PAIR_DISTANCE_MAX};
use super::*;

fn item(number: u128) -> ItemId {
    Id::from_uuid(Uuid::from_u128(number))
}

fn product(number: u128, order_count: i64, demand: f64) -> Product {
    Product { id: Id::from_uuid(Uuid::from_u128(number)), category: None, offered: true, order_count, demand }
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_timestamp(days * 86_400, 0).unwrap()
}

fn order(days: i64) -> Order {
    Order { customer: None, bought: Vec::new(), placed: at(days) }
}

fn known(products: &[Product]) -> Known {
    let by_item = |product: &Product| (Id::from_uuid(product.id.as_uuid()), *product);
    Known { products: products.iter().map(by_item).collect(), ..Known::default() }
}

#[test]
fn an_item_meets_those_near_it_and_the_nearest_most() {
    let items: Vec<ItemId> = (0..1_112).map(item).collect();
    let mut list = Neighbours::default();

    meet_around(&mut list, &items, 500);

    assert_eq!(list.len(), 2 * PAIR_DISTANCE_MAX);
    assert!(list.iter().all(|met| met.item != item(500) && met.order_count == 1));
    let heaviest = list.iter().max_by(|left, right| left.weight.total_cmp(&right.weight)).unwrap();
    assert!([item(499), item(501)].contains(&heaviest.item));
    let mut first = Neighbours::default();
    meet_around(&mut first, &items, 0);
    assert_eq!(first.len(), PAIR_DISTANCE_MAX);
}

#[test]
fn a_meeting_says_less_in_a_large_basket() {
    let weight = |size: u128| {
        let mut list = Neighbours::default();
        meet_around(&mut list, &(0..size).map(item).collect::<Vec<_>>(), 0);
        list.iter().find(|met| met.item == item(1)).unwrap().weight
    };

    assert!(weight(2) > weight(20) && weight(20) > weight(1_000));
}

#[test]
fn a_list_that_is_full_forgets_the_weakest() {
    let mut list = Neighbours::default();
    for _ in 0..5 {
        list.meet(item(7), 1.0);
    }
    for number in 1_000..1_000 + NEIGHBOURS_MAX as u128 {
        list.meet(item(number), 0.1);
        list.settle();
    }

    assert_eq!(list.len(), NEIGHBOURS_KEPT);
    let kept = list.iter().find(|met| met.item == item(7)).unwrap();
    assert_eq!(kept.order_count, 5);
}

#[test]
fn an_item_stands_once_in_an_order_and_a_sku_stands_for_its_product() {
    let line = |product: Option<u128>, sku: u128| Bought {
        product: product.map(|number| Id::from_uuid(Uuid::from_u128(number))),
        sku: Some(item(sku)),
    };
    let bought = vec![line(Some(1), 10), line(None, 20), line(Some(1), 11), line(None, 30), line(None, 20)];
    let order = Order { bought, ..order(0) };
    let found = HashMap::from([(item(20), product(2, 0, 0.0).id)]);

    assert_eq!(order.items(&found), [item(1), item(2), item(30)]);
    assert_eq!(order.unknown_skus(), [item(20), item(30), item(20)]);
    let huge = (0..2 * BASKET_ITEMS_MAX as u128).map(|number| line(None, number)).collect();
    assert_eq!(Order { bought: huge, ..order }.items(&HashMap::new()).len(), BASKET_ITEMS_MAX);
}

#[test]
fn a_sale_of_a_month_ago_is_half_of_one_today_and_no_date_breaks_the_figure() {
    let ratio = order(20_530).demand() / order(20_500).demand();

    assert!((ratio - 2.0).abs() < 1e-9, "{ratio}");
    for extreme in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
        let demand = Order { placed: extreme, ..order(0) }.demand();
        assert!(demand.is_finite() && demand > 0.0, "{demand}");
    }
}

#[test]
fn a_basket_ranks_what_was_bought_with_it_above_what_merely_sells() {
    let (asked, near, far, best) =
        (product(1, 40, 1.0), product(2, 30, 1.0), product(3, 30, 1.0), product(4, 900, 90.0));
    let mut neighbours = Neighbours::default();
    for _ in 0..3 {
        neighbours.meet(item(2), 0.5);
    }
    neighbours.meet(item(3), 0.1);
    let speaker = Speaker { product: asked.id, voice: 1.0, order_count: asked.order_count, neighbours };
    let mut known = known(&[asked, near, far]);
    known.popular = vec![best, asked];

    let candidates = candidates(&[speaker], 10);
    let ranked = bought_together(&HashSet::from([asked.id]), &candidates, &known);

    let order: Vec<ProductId> = ranked.iter().map(|it| it.product).collect();
    assert_eq!(order, [near.id, far.id, best.id]);
    assert_eq!(ranked[0].because, Explanation::BoughtTogether { with: asked.id, orders: 3 });
    assert_eq!(ranked[2].because, Explanation::Popular { orders: 900 });
}

#[test]
fn what_is_not_offered_is_not_ranked() {
    let (asked, gone) = (product(1, 4, 1.0), Product { offered: false, ..product(2, 4, 9.0) });
    let mut neighbours = Neighbours::default();
    neighbours.meet(item(2), 1.0);
    let speaker = Speaker { product: asked.id, voice: 1.0, order_count: 4, neighbours };
    let known = known(&[asked, gone]);
    let candidates = candidates(&[speaker], 10);

    assert!(bought_together(&HashSet::from([asked.id]), &candidates, &known).is_empty());
    let history = [Purchase { product: gone.id, order_count: 3, last: at(1) }];
    let ranked = for_customer(&history, &candidates, &known);
    assert_eq!(ranked.iter().map(|it| it.product).collect::<Vec<_>>(), [asked.id]);
}

#[test]
fn a_customer_is_shown_first_what_he_buys_again_and_again() {
    let (often, once, goes_with, sells) =
        (product(1, 40, 8.0), product(2, 40, 8.0), product(3, 40, 8.0), product(4, 90, 9.0));
    let history = [(often, 4), (once, 1)].map(|(product, order_count)| Purchase {
        product: product.id,
        order_count,
        last: at(1),
    });
    let mut neighbours = Neighbours::default();
    neighbours.meet(item(3), 0.7);
    let speaker = Speaker { product: often.id, voice: 2.0, order_count: 40, neighbours };
    let mut known = known(&[often, once, goes_with]);
    known.popular = vec![sells];

    let ranked = for_customer(&history, &candidates(&[speaker], 10), &known);

    let order: Vec<ProductId> = ranked.iter().map(|it| it.product).collect();
    assert_eq!(order, [often.id, once.id, goes_with.id, sells.id]);
    assert_eq!(ranked[0].because, Explanation::BoughtBefore { orders: 4 });
    assert_eq!(ranked[2].because, Explanation::BoughtTogether { with: often.id, orders: 1 });
    assert_eq!(favourites(&history)[0], (often.id, 2.0));
}

proptest! {
    #[test]
    fn a_list_stays_sorted_and_bounded_whatever_meets(meetings in proptest::collection::vec((0_u128..400, 1_u8..9), 0..600)) {
        let mut list = Neighbours::default();
        let mut truth: HashMap<ItemId, u32> = HashMap::new();
        for (number, weight) in meetings {
            list.meet(item(number), f32::from(weight));
            list.settle();
            *truth.entry(item(number)).or_default() += 1;
        }

        prop_assert!(list.len() <= NEIGHBOURS_MAX);
        let items: Vec<ItemId> = list.iter().map(|met| met.item).collect();
        prop_assert!(items.is_sorted_by(|left, right| left < right));
        prop_assert!(list.iter().all(|met| met.order_count <= truth[&met.item]));
    }
}
