//! Several at once.

use futures::future::join_all;
use mesh::testing::customer;
use proto::cart as pb;
use sea_orm::DbBackend;

use crate::support::{Remains, lines, merging, moving, opening, reason, shops};

/// Runs all at once, each in a task of its own.
async fn together<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_changes_at_once_lose_no_line() {
    for shop in shops().await {
        let shared = shop.sell(900, 1_000);
        let variants: Vec<String> = (0..50).map(|_| shop.sell(100, 9)).collect();
        let (cart, key) = shop.open(&[]).await;

        let answers = together(variants.clone().into_iter().map(|variant| {
            let (shop, key, shared) = (shop.clone(), key.clone(), shared.clone());
            async move { shop.add(&key, &[(&variant, 1), (&shared, 1)]).await }
        }))
        .await;

        for answer in &answers {
            assert!(answer.as_ref().is_ok_and(|answer| answer.warnings.is_empty()), "{answer:?}");
        }
        let read = shop.get(&key).await.unwrap();
        assert_eq!((read.version, read.lines.len()), (51, 51));
        for (variant, quantity) in lines(&read) {
            assert_eq!(quantity, if variant == shared { 50 } else { 1 });
        }
        let versions: Vec<i64> = shop.news(&cart.id).await.into_iter().map(|(_, version)| version).collect();
        assert_eq!(versions, (1..=51).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_changes_of_one_version_one_is_made() {
    for shop in shops().await {
        let mug = shop.sell(900, 1_000);
        let (cart, key) = shop.open(&[]).await;

        let answers = together((0..50).map(|_| {
            let (shop, key, mug, etag) = (shop.clone(), key.clone(), mug.clone(), cart.etag.clone());
            async move {
                let request = pb::AddCartLinesRequest { etag, ..crate::support::adding(&key, &[(&mug, 1)]) };
                shop.guest().add_cart_lines(request).await
            }
        }))
        .await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).map(reason).collect();
        assert_eq!(refused, vec!["ETAG_MISMATCH"; 49]);
        assert_eq!(lines(&shop.get(&key).await.unwrap()), [(mug.as_str(), 1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_that_opens_twenty_carts_at_once_has_one() {
    for shop in shops().await {
        let variants: Vec<String> = (0..20).map(|_| shop.sell(100, 9)).collect();
        let ada = customer();

        let answers = together(variants.into_iter().map(|variant| {
            let (shop, ada) = (shop.clone(), ada.clone());
            async move { shop.as_user(&ada).create_cart(opening(&[(&variant, 1)])).await }
        }))
        .await;

        let ids: std::collections::HashSet<String> =
            answers.into_iter().map(|answer| answer.unwrap().into_inner().cart.unwrap().id).collect();
        assert_eq!(ids.len(), 1);
        let read = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap();
        assert_eq!(read.into_inner().cart.unwrap().lines.len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_guests_cart_is_merged_once_whoever_asks_how_often() {
    for shop in shops().await {
        let mug = shop.sell(900, 1_000);
        let (_, key) = shop.open(&[(&mug, 2)]).await;
        let ada = customer();
        let same = merging(&key);

        // Ten tabs with the same request, ten with one of their own.
        let answers = together((0..20).map(|number| {
            let (shop, ada) = (shop.clone(), ada.clone());
            let request = if number % 2 == 0 { same.clone() } else { merging(&key) };
            async move { shop.as_user(&ada).merge_carts(request).await.map(tonic::Response::into_inner) }
        }))
        .await;

        let merged: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert!(merged.len() == 1 || merged.len() == 10, "{answers:?}");
        assert!(merged.iter().all(|answer| answer == &merged[0]));
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        assert!(refused.into_iter().all(|status| reason(status) == "CART_NOT_FOUND"));
        let read = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap();
        assert_eq!(lines(&read.into_inner().cart.unwrap()), [(mug.as_str(), 2)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_of_currency_loses_no_line_that_is_added_meanwhile() {
    for shop in shops().await {
        let variants: Vec<String> = (0..20).map(|_| shop.sell(100, 9)).collect();
        for variant in &variants {
            shop.price(variant, &[("GBP", 100), ("EUR", 120)]);
        }
        let (_, key) = shop.open(&[]).await;
        let adding = together(variants.into_iter().map(|variant| {
            let (shop, key) = (shop.clone(), key.clone());
            async move { shop.add(&key, &[(&variant, 1)]).await.is_ok() }
        }));
        let moving = async {
            for currency in ["EUR", "GBP", "EUR"] {
                // It may be outrun; then nothing has happened.
                let _ = shop.guest().set_cart_context(moving(&key, currency, "IE")).await;
            }
        };

        let (added, ()) = tokio::join!(adding, moving);

        let read = shop.get(&key).await.unwrap();
        assert_eq!(read.lines.len(), added.iter().filter(|added| **added).count());
        let expected = if read.currency_code == "EUR" { 120 } else { 100 };
        for line in &read.lines {
            let seen = line.seen_price.as_ref().unwrap();
            assert_eq!(
                (seen.currency_code.as_str(), seen.minor_units),
                (read.currency_code.as_str(), expected)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_bought_leaves_the_cart_also_while_a_guests_is_merged() {
    for shop in shops().await {
        let mug = shop.sell(900, 1_000);
        for _ in 0..20 {
            let (guest, key) = shop.open(&[(&mug, 2)]).await;
            let ada = customer();

            let merged = shop.as_user(&ada);
            let merging = merging(&key);
            let merging = tokio::spawn(async move { merged.clone().merge_carts(merging).await });
            let cleared = together((0..8).map(|_| {
                let (shop, guest, mug) = (shop.clone(), guest.clone(), mug.clone());
                async move { shop.clear(&guest, 1, &[(&mug, 2)]).await }
            }));
            let (merged, cleared) = tokio::join!(merging, cleared);

            merged.unwrap().unwrap();
            for answer in cleared {
                answer.unwrap();
            }
            let read = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap();
            assert!(read.into_inner().cart.unwrap().lines.is_empty());
        }
    }
}

#[tokio::test]
async fn whoever_tidies_with_an_old_list_removes_no_cart_that_was_touched_since() {
    for shop in shops().await {
        let Some((mut redis, outbox, _)) = shop.store.stream() else { continue };
        let mug = shop.sell(900, 50);
        let (_, old) = shop.open(&[(&mug, 1)]).await;
        shop.clock.advance(std::time::Duration::from_secs(91 * 86_400));
        let ((_, touched), (_, merged)) = (shop.open(&[(&mug, 1)]).await, shop.open(&[(&mug, 1)]).await);
        let ada = customer();
        shop.as_user(&ada).merge_carts(merging(&merged)).await.unwrap();

        // Who chose these two before that has them before the old one still.
        for key in [&touched, &merged] {
            let list = outbox.replace("outbox", "touched");
            redis::AsyncCommands::zadd::<_, _, _, ()>(&mut redis, list, &key.cart_id, 1).await.unwrap();
        }
        let stop = tokio_util::sync::CancellationToken::new();
        let work = tokio::spawn(cart::work(shop.store.clone(), shop.clock.clone(), stop.clone()));
        while shop.get(&old).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        stop.cancel();
        work.await.unwrap();

        assert_eq!(lines(&shop.get(&touched).await.unwrap()), [(mug.as_str(), 1)]);
        let own = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap();
        assert_eq!(lines(&own.into_inner().cart.unwrap()), [(mug.as_str(), 1)]);
    }
}

#[tokio::test]
async fn what_an_account_is_answered_while_it_is_erased_is_forgotten_too() {
    for shop in shops().await {
        let Some(database) = shop.database.clone().filter(|it| it.backend() == DbBackend::Postgres) else {
            continue;
        };
        let (mug, ada) = (shop.sell(900, 50), customer());
        let cart = shop.as_user(&ada).create_cart(opening(&[])).await.unwrap().into_inner().cart.unwrap();
        let key = pb::CartKey { cart_id: cart.id.clone(), token: String::new() };
        let (mut client, request) = (shop.as_user(&ada), crate::support::adding(&key, &[(&mug, 1)]));
        let add = async move { client.add_cart_lines(request).await };
        let (erasing, account) = (shop.clone(), ada.account);
        let erase = async move { erasing.try_erase(account).await };

        let row = format!("SELECT 1 FROM carts WHERE id = '{}' FOR UPDATE", cart.id);
        let (added, erased) = audit::meeting(&database, &row, add, erase).await;

        added.unwrap();
        erased.unwrap();
        let sql = "SELECT 1 FROM requests WHERE answer <> 'null'";
        assert!(kit::query(database.read(), sql, []).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_remains_of_whoever_is_erased_amid_changes() {
    for shop in shops().await {
        let (mug, ada) = (shop.sell(900, 50), customer());
        shop.as_user(&ada).create_cart(opening(&[(&mug, 1)])).await.unwrap();
        let changes = (0..20).map(async |_| {
            let (_, guest) = shop.open(&[(&mug, 1)]).await;
            // Done, or too late.
            shop.as_user(&ada).merge_carts(merging(&guest)).await.map(drop)
        });
        let erased = async {
            // As the road of news does: until it is done.
            while shop.try_erase(ada.account).await.is_err() {}
        };

        let (merged, ()) = futures::join!(join_all(changes), erased);

        let remains = shop.remains(ada.account).await;
        let late = merged.iter().filter(|merged| merged.is_err()).count();
        assert_eq!(remains, Remains { carts: late, lines: late, merged: 0, answers: 0 });
    }
}
