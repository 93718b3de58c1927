//! The same figures in whatever order, and however often, events arrive.

use kit::outbox::Event;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::support::{Order, Shop, added, checkout, merged, order, payment, product, shops};

const DAYS: [&str; 4] =
    ["2011-01-31T09:00:00Z", "2011-02-01T10:00:00Z", "2011-02-28T11:00:00Z", "2011-03-01T12:00:00Z"];
const SKUS: [&str; 4] = ["A", "B", "C", "D"];
const SUBJECTS_MAX: usize = 6;

/// What happens in a shop, as numbers that point into the lists above.
fn history() -> impl Strategy<Value = Vec<(u8, [usize; 4], i64)>> {
    proptest::collection::vec(
        (0..12_u8, [0..SUBJECTS_MAX, 0..DAYS.len(), 0..SKUS.len(), 0..2_usize], 1..500_i64),
        1..40,
    )
}

fn events(history: &[(u8, [usize; 4], i64)]) -> Vec<Event> {
    let orders: Vec<Order> = (0..SUBJECTS_MAX).map(some_order).collect();
    let ids: Vec<Uuid> = (0..SUBJECTS_MAX).map(|_| Uuid::now_v7()).collect();
    let mut events: Vec<Event> = orders.iter().map(Order::placed).collect();
    events.extend(history.iter().map(|(what, [subject, day, sku, other], amount)| {
        let (id, order, at) = (ids[*subject], &orders[*subject], DAYS[*day]);
        match what {
            0 => order.cancelled(),
            1 | 2 => order.refunded((*amount).min(order.total())),
            3 => added(id, at),
            4 => checkout("started", id, at),
            5 => checkout("completed", id, at),
            // Guests are of the lower half, what they go into of the upper, and each goes into one.
            6 => merged(ids[subject / 2], ids[SUBJECTS_MAX - 1 - subject / 2], at),
            7 => payment("declined", id, *amount, at),
            8 => payment("captured", id, *amount, at),
            9 => payment("refunded", id, *amount, at),
            10 => payment("authorized", id, *amount, at),
            _ => product(ids[*other], &[SKUS[*sku]], at),
        }
    }));
    events
}

fn some_order(number: usize) -> Order {
    let price = i64::try_from(number).unwrap() * 7 + 100;
    // The same SKU twice, at two prices.
    let lines = [(SKUS[number % 4], 2, price), ("A", 1, price + 1), ("A", 3, price)];
    let mut order = order(DAYS[number % 4], &lines);
    order.country = if number.is_multiple_of(2) { "GB" } else { "FR" };
    order.currency = if number.is_multiple_of(3) { "EUR" } else { "GBP" };
    order
}

/// Each event, some of them twice, shuffled.
fn disturbed(events: &[Event], again: &[Index], places: &[Index]) -> Vec<Event> {
    let mut disturbed = events.to_vec();
    disturbed.extend(again.iter().map(|index| index.get(events).clone()));
    for (place, index) in (0..disturbed.len()).rev().zip(places) {
        disturbed.swap(place, index.index(place + 1));
    }
    disturbed
}

#[test]
fn figures_do_not_depend_on_the_order_or_the_repetition_of_events() {
    // Each case needs two fresh stores of each kind.
    let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let again = proptest::collection::vec(any::<Index>(), 0..40);
    let places = proptest::collection::vec(any::<Index>(), 100);
    runner
        .run(&(history(), again, places), |(history, again, places)| {
            let events = events(&history);
            let disturbed = disturbed(&events, &again, &places);
            runtime.block_on(async {
                let (straight, shuffled) = (shops().await, shops().await);
                for (straight, shuffled) in straight.iter().zip(&shuffled) {
                    straight.hear_all(&events).await;
                    shuffled.hear_all(&disturbed).await;
                    prop_assert_eq!(shuffled.everything().await, straight.everything().await);
                }
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test]
async fn events_of_one_order_may_be_applied_at_once() {
    for shop in shops().await {
        let orders: Vec<Order> = (0..8).map(some_order).collect();
        let events: Vec<Event> = orders
            .iter()
            .flat_map(|order| [order.refunded(50), order.placed(), order.refunded(100), order.placed()])
            .collect();

        let heard = futures::future::join_all(events.iter().map(|event| eventually(&shop, event)));
        heard.await;

        let pounds: i64 = orders.iter().filter(|order| order.currency == "GBP").map(Order::total).sum();
        let totals = shop.totals().await;
        assert_eq!((totals.orders, totals.revenue.unwrap().minor_units), (5, pounds));
        assert_eq!(totals.refunded.unwrap().minor_units, 500);
    }
}

/// As the relay does it: what a store cannot take now is brought again.
async fn eventually(shop: &Shop, event: &Event) {
    for _ in 0..20 {
        if shop.hear(event).await.is_ok() {
            return;
        }
    }
    panic!("{} is never applied", event.kind);
}
