//! What a reader sees: problems, and changes as they come.

use std::time::{Duration, Instant};

use futures::StreamExt;
use mesh::testing::customer;
use proto::cart as pb;
use proto::cart::ProblemKind;
use tonic::{Code, Status};

use crate::support::{lines, merging, reason, removing, replicas, setting, shops, sku};

#[tokio::test]
async fn a_cart_shows_what_has_gone_wrong_with_it() {
    for shop in shops().await {
        let variants: Vec<String> = (0..6).map(|_| shop.sell(900, 9)).collect();
        let wanted: Vec<_> = variants.iter().map(|variant| (variant.as_str(), 3)).collect();
        let (cart, key) = shop.open(&wanted).await;
        assert!(cart.problems.is_empty() && !cart.problems_unknown);

        shop.catalogue.take_away(&variants[0]);
        shop.stock(&variants[1], 0);
        shop.stock(&variants[2], 2);
        shop.price(&variants[3], &[("GBP", 950)]);
        // A SKU that was renamed is still in stock.
        shop.catalogue.change(&variants[4], |summary| summary.variant.as_mut().unwrap().sku = "NEW".into());
        shop.inventory.count("NEW", 9);

        let read = shop.get(&key).await.unwrap();

        let seen: Vec<_> = read
            .problems
            .iter()
            .map(|problem| {
                let line = read.lines.iter().position(|line| line.id == problem.line_id).unwrap();
                let price = problem.present_price.as_ref().map_or(0, |price| price.minor_units);
                (line, problem.kind(), problem.available_quantity, price)
            })
            .collect();
        let expected = [
            (0, ProblemKind::Gone, 0, 0),
            (1, ProblemKind::OutOfStock, 0, 0),
            (2, ProblemKind::Short, 2, 0),
            (3, ProblemKind::PriceChanged, 0, 950),
        ];
        assert_eq!(seen, expected);
        assert_eq!(read.version, 1);

        // Setting a line again takes the new price for seen, and the new name of the SKU.
        let (dearer, renamed) = (read.lines[3].id.as_str(), read.lines[4].id.as_str());
        let request = setting(&key, &[(dearer, 3), (renamed, 4)]);
        let answer = shop.guest().update_cart_lines(request).await.unwrap().into_inner().cart.unwrap();
        assert_eq!((answer.version, answer.problems.len()), (2, 3));
        assert_eq!(answer.lines[3].seen_price.as_ref().unwrap().minor_units, 950);
        assert_eq!(answer.lines[3].sku, sku(&variants[3]));
    }
}

#[tokio::test]
async fn a_cart_is_still_there_when_those_it_asks_are_not() {
    for shop in shops().await {
        let mug = shop.sell(900, 9);
        let (cart, key) = shop.open(&[(&mug, 3)]).await;
        shop.stock(&mug, 0);
        let away = Some(Status::unavailable("/var/run/secret"));

        for (catalogue, inventory) in [(away.clone(), None), (None, away)] {
            shop.catalogue.fail(catalogue);
            shop.inventory.fail(inventory);
            let read = shop.get(&key).await.unwrap();
            assert_eq!((lines(&read), read.version), (lines(&cart), 1));
            assert!(read.problems.is_empty() && read.problems_unknown);

            let line = cart.lines[0].id.as_str();
            let refused = [
                shop.add(&key, &[(&mug, 1)]).await.unwrap_err(),
                shop.guest().update_cart_lines(setting(&key, &[(line, 1)])).await.unwrap_err(),
                shop.guest().set_cart_context(crate::support::moving(&key, "EUR", "IE")).await.unwrap_err(),
                shop.guest().create_cart(crate::support::opening(&[(&mug, 1)])).await.unwrap_err(),
            ];
            for refused in refused {
                assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "UNAVAILABLE"));
                assert!(!refused.message().contains("secret"), "{refused:?}");
            }
        }

        // Whatever they break with, it is not the buyer's mistake.
        shop.inventory.fail(Some(Status::internal("a bug")));
        assert_eq!(shop.add(&key, &[(&mug, 1)]).await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(shop.get(&key).await.unwrap().version, 1);

        // What needs to know nothing is done all the same.
        let request = removing(&key, &[&cart.lines[0].id]);
        let removed = shop.guest().remove_cart_lines(request).await.unwrap().into_inner().cart.unwrap();
        assert_eq!((removed.lines.len(), removed.version), (0, 2));
    }
}

#[tokio::test]
async fn nobody_waits_long_for_problems() {
    let shop = shops().await.remove(0);
    let mug = shop.sell(900, 9);
    let (_, key) = shop.open(&[(&mug, 3)]).await;
    shop.catalogue.slow_down(Duration::from_secs(10));

    let asked = Instant::now();
    let read = shop.get(&key).await.unwrap();

    assert!(read.problems_unknown && asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_change_asks_the_catalogue_once_and_inventory_once() {
    for shop in shops().await {
        let variants: Vec<String> = (0..100).map(|_| shop.sell(900, 9)).collect();
        let (_, key) = shop.open(&[(&variants[0], 1)]).await;
        let mut calls = (shop.catalogue.calls(), shop.inventory.calls());
        assert_eq!(calls, (1, 1));

        for some in [&variants[..1], &variants[1..]] {
            let wanted: Vec<_> = some.iter().map(|variant| (variant.as_str(), 1)).collect();
            shop.add(&key, &wanted).await.unwrap();
            calls = (calls.0 + 1, calls.1 + 1);
            assert_eq!((shop.catalogue.calls(), shop.inventory.calls()), calls);
        }
    }
}

#[tokio::test]
async fn whoever_watches_sees_the_present_and_then_each_change_until_the_cart_is_gone() {
    for shop in shops().await {
        let mug = shop.sell(900, 9);
        let (cart, key) = shop.open(&[(&mug, 1)]).await;
        let request = pb::WatchCartRequest { key: Some(key.clone()) };
        let mut watching = shop.guest().watch_cart(request).await.unwrap().into_inner();
        let first = watching.next().await.unwrap().unwrap().cart.unwrap();
        assert_eq!(first, cart);

        shop.add(&key, &[(&mug, 1)]).await.unwrap();
        let next = watching.next().await.unwrap().unwrap().cart.unwrap();
        assert_eq!((next.version, lines(&next)), (2, vec![(mug.as_str(), 2)]));

        shop.as_user(&customer()).merge_carts(merging(&key)).await.unwrap();
        let last = tokio::time::timeout(Duration::from_secs(5), watching.next()).await.unwrap();
        assert!(last.is_none(), "{last:?}");
    }
}

#[tokio::test]
async fn whoever_watches_at_one_replica_sees_what_another_changes() {
    for (one, other) in replicas().await {
        let mug = one.sell(900, 9);
        let (_, key) = one.open(&[(&mug, 1)]).await;
        let request = pb::WatchCartRequest { key: Some(key.clone()) };
        let mut watching = one.guest().watch_cart(request).await.unwrap().into_inner();
        watching.next().await.unwrap().unwrap();

        other.add(&key, &[(&mug, 2)]).await.unwrap();

        let next = watching.next().await.unwrap().unwrap().cart.unwrap();
        assert_eq!((next.version, lines(&next)), (2, vec![(mug.as_str(), 3)]));
        assert_eq!(other.get(&key).await.unwrap(), next);
    }
}
