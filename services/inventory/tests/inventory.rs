//! What inventory promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "cases/meeting.rs"]
mod meeting;
mod support;
#[path = "cases/verifying.rs"]
mod verifying;

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use proto::inventory as pb;
use proto::inventory::stock_adjustment::Change;
use support::{Shop, adjustment, id, line, reason, request_id, shops};
use tonic::Code;

#[tokio::test]
async fn a_basket_is_reserved_whole_or_not_at_all() {
    for shop in shops().await {
        shop.count("A", 5).await;
        shop.count("B", 1).await;

        let refused = shop.reserve(&id(), &[("A", 2), ("B", 3), ("C", 1)]).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::FailedPrecondition, "INSUFFICIENT_STOCK")
        );
        assert_eq!(mesh::status::metadata_of(&refused)["skus"], "B=1,C=0");
        assert_eq!(shop.figures("A").await, (5, 5, 0, 0));

        shop.reserve(&id(), &[("A", 2), ("B", 1), ("A", 1)]).await.unwrap();
        assert_eq!(shop.figures("A").await, (5, 2, 3, 0));
        assert_eq!(shop.figures("B").await, (1, 0, 1, 0));
        assert_eq!(shop.rows_that_differ_from_the_ledger().await, 0);
    }
}

#[tokio::test]
async fn fifty_buyers_of_the_last_ten_get_exactly_ten() {
    for shop in shops().await {
        shop.count("LAST", 10).await;
        shop.count("OTHER", 1_000).await;

        let tries = (0..50).map(|number| {
            let shop = &shop;
            // Both orders of the lines: a lock taken in the basket's order would deadlock.
            let lines = match number % 2 {
                0 => [("LAST", 1), ("OTHER", 1)],
                _ => [("OTHER", 1), ("LAST", 1)],
            };
            async move { shop.reserve(&id(), &lines).await }
        });
        let answers = join_all(tries).await;

        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
        let reasons = answers.iter().filter_map(|answer| answer.as_ref().err()).map(reason);
        assert!(reasons.into_iter().all(|reason| reason == "INSUFFICIENT_STOCK"));
        assert_eq!(shop.figures("LAST").await, (10, 0, 10, 0));
        assert_eq!(shop.figures("OTHER").await, (1_000, 990, 10, 0));
    }
}

#[tokio::test]
async fn a_reservation_asked_for_again_is_the_one_there_is() {
    for shop in shops().await {
        shop.count("A", 5).await;
        let reservation = id();
        let request = shop.reserving(&reservation, &[("A", 2)]);

        let first = shop.orders().reserve_stock(request.clone()).await.unwrap().into_inner();
        assert_eq!(shop.orders().reserve_stock(request.clone()).await.unwrap().into_inner(), first);
        shop.reserve(&reservation, &[("A", 2)]).await.unwrap();
        assert_eq!(shop.figures("A").await, (5, 3, 2, 0));

        let other = shop.reserve(&reservation, &[("A", 3)]).await.unwrap_err();
        assert_eq!(reason(&other), "RESERVATION_CLOSED");
        let reused = pb::ReserveStockRequest { lines: vec![line("A", 1)], ..request };
        let refused = shop.orders().reserve_stock(reused).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(shop.figures("A").await, (5, 3, 2, 0));
    }
}

#[tokio::test]
async fn what_is_confirmed_is_sold_and_what_is_released_is_free_again() {
    for shop in shops().await {
        shop.count("A", 9).await;
        let (kept, dropped) = (id(), id());
        shop.reserve(&kept, &[("A", 4)]).await.unwrap();
        shop.reserve(&dropped, &[("A", 5)]).await.unwrap();

        shop.confirm(&kept).await.unwrap();
        shop.confirm(&kept).await.unwrap();
        shop.release(&dropped).await.unwrap();
        shop.release(&dropped).await.unwrap();

        assert_eq!(shop.figures("A").await, (9, 5, 0, 4));
        assert_eq!(reason(&shop.release(&kept).await.unwrap_err()), "RESERVATION_CLOSED");
        assert_eq!(reason(&shop.confirm(&dropped).await.unwrap_err()), "RESERVATION_CLOSED");
        assert_eq!(reason(&shop.confirm(&id()).await.unwrap_err()), "RESERVATION_NOT_FOUND");
        assert_eq!(shop.figures("A").await, (9, 5, 0, 4));
        assert_eq!(shop.rows_that_differ_from_the_ledger().await, 0);
    }
}

#[tokio::test]
async fn a_reservation_that_is_let_go_before_it_comes_takes_nothing() {
    for shop in shops().await {
        shop.count("A", 3).await;
        let late = id();

        let closed = shop.release(&late).await.unwrap();

        assert_eq!((closed.state(), closed.lines.len()), (pb::ReservationState::Released, 0));
        assert_eq!(reason(&shop.reserve(&late, &[("A", 1)]).await.unwrap_err()), "RESERVATION_CLOSED");
        assert_eq!(shop.release(&late).await.unwrap().state(), pb::ReservationState::Released);
        assert_eq!(shop.figures("A").await, (3, 3, 0, 0));
    }
}

#[tokio::test]
async fn a_reservation_that_nobody_confirms_ends_by_itself() {
    for shop in shops().await {
        shop.count("A", 3).await;
        let (late, longer) = (id(), id());
        shop.reserve(&late, &[("A", 1)]).await.unwrap();
        let until = shop.clock.now() + Duration::from_secs(3_600);
        let asked = pb::ReserveStockRequest {
            expire_time: Some(kit::time::to_proto(until)),
            ..shop.reserving(&longer, &[("A", 1)])
        };
        shop.orders().reserve_stock(asked).await.unwrap();

        shop.clock.advance(Duration::from_secs(601));
        let stop = tokio_util::sync::CancellationToken::new();
        let work = tokio::spawn(inventory::work(shop.database.clone(), shop.clock.clone(), stop.clone()));
        while shop.figures("A").await != (3, 2, 1, 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        work.await.unwrap();

        assert_eq!(reason(&shop.confirm(&late).await.unwrap_err()), "RESERVATION_CLOSED");
        shop.confirm(&longer).await.unwrap();
        let ended = shop.release(&late).await.unwrap();
        assert_eq!(ended.state(), pb::ReservationState::Expired, "a release later is no obstacle");
    }
}

#[tokio::test]
async fn what_comes_back_is_available_again_or_written_off_but_never_more_than_was_sold() {
    for shop in shops().await {
        shop.count("A", 10).await;
        let reservation = id();
        shop.reserve(&reservation, &[("A", 4)]).await.unwrap();
        assert_eq!(
            reason(&shop.take_back(&reservation, "A", 1, true).await.unwrap_err()),
            "RESERVATION_CLOSED"
        );
        shop.confirm(&reservation).await.unwrap();

        shop.take_back(&reservation, "A", 1, true).await.unwrap();
        shop.take_back(&reservation, "A", 2, false).await.unwrap();

        assert_eq!(shop.figures("A").await, (8, 7, 0, 1));
        let refused = shop.take_back(&reservation, "A", 2, true).await.unwrap_err();
        assert_eq!(reason(&refused), "RETURN_EXCEEDS_SALE");
        assert_eq!(mesh::status::metadata_of(&refused)["open"], "1");
        assert_eq!(shop.rows_that_differ_from_the_ledger().await, 0);
    }
}

#[tokio::test]
async fn adjustments_are_made_all_or_none() {
    for shop in shops().await {
        shop.count("A", 5).await;
        let wrong =
            vec![adjustment("A", Change::AvailableDelta(7)), adjustment("B", Change::AvailableDelta(-1))];
        assert_eq!(reason(&shop.adjust(wrong).await.unwrap_err()), "INSUFFICIENT_STOCK");
        assert_eq!(shop.figures("A").await, (5, 5, 0, 0));

        let right = vec![
            adjustment("B", Change::AvailableDelta(3)),
            adjustment("A", Change::AvailableDelta(-2)),
            adjustment("C", Change::AvailableCount(0)),
        ];
        let rows = shop.adjust(right).await.unwrap();
        let seen: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.available)).collect();
        assert_eq!(seen, [("B", 3), ("A", 3), ("C", 0)]);
        assert_eq!(shop.figures("A").await, (3, 3, 0, 0));
        assert_eq!(shop.rows_that_differ_from_the_ledger().await, 0);
    }
}

#[tokio::test]
async fn a_stale_etag_a_repeated_sku_or_an_unknown_place_changes_nothing() {
    for shop in shops().await {
        let row = shop.count("A", 5).await;
        shop.count("A", 6).await;

        let stale = pb::StockAdjustment { etag: row.etag, ..adjustment("A", Change::AvailableCount(1)) };
        assert_eq!(reason(&shop.adjust(vec![stale]).await.unwrap_err()), "ETAG_MISMATCH");
        let twice =
            vec![adjustment("A", Change::AvailableDelta(1)), adjustment("A", Change::AvailableDelta(1))];
        assert_eq!(reason(&shop.adjust(twice).await.unwrap_err()), "INVALID_FIELDS");
        let nowhere = pb::StockAdjustment { location_id: id(), ..adjustment("A", Change::AvailableCount(1)) };
        assert_eq!(reason(&shop.adjust(vec![nowhere]).await.unwrap_err()), "LOCATION_NOT_FOUND");

        assert_eq!(shop.figures("A").await, (6, 6, 0, 0));
    }
}

#[tokio::test]
async fn the_ledger_names_who_did_what_and_refuses_to_be_changed() {
    for shop in shops().await {
        shop.count("A", 5).await;
        let reservation = id();
        shop.reserve(&reservation, &[("A", 2)]).await.unwrap();
        shop.confirm(&reservation).await.unwrap();

        let mut request = pb::ListMovementsRequest { sku: "A".into(), page_size: 2, ..Default::default() };
        let first = shop.staff().list_movements(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;
        let second = shop.staff().list_movements(request).await.unwrap().into_inner();
        let all: Vec<_> = first.movements.into_iter().chain(second.movements).collect();
        let kinds: Vec<_> = all.iter().map(pb::Movement::kind).collect();
        assert_eq!(kinds, [pb::MovementKind::Sold, pb::MovementKind::Reserved, pb::MovementKind::Counted]);
        assert_eq!((all[1].actor.as_str(), &all[1].reason), ("service:orders", &reservation));
        assert_eq!((all[2].reason.as_str(), all[2].available_delta), ("a test", 5));
        assert!(all[2].actor.starts_with("account:"));

        for sql in ["UPDATE movements SET actor = 'nobody'", "DELETE FROM movements"] {
            let tx = shop.database.begin().await.unwrap();
            assert!(kit::execute(&tx, sql, []).await.is_err(), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_wrong_statement_cannot_break_the_equation() {
    for shop in shops().await {
        shop.count("A", 5).await;
        for sql in [
            "UPDATE stock SET available = -1, received = -1",
            "UPDATE stock SET sold = sold + 1",
            "UPDATE stock SET available = available + 1",
        ] {
            let tx = shop.database.begin().await.unwrap();
            assert!(kit::execute(&tx, sql, []).await.is_err(), "{sql}");
        }
    }
}

#[tokio::test]
async fn each_change_is_told_once_and_in_order() {
    for shop in shops().await {
        shop.count("A", 5).await;
        let reservation = id();
        shop.reserve(&reservation, &[("A", 5)]).await.unwrap();
        shop.release(&reservation).await.unwrap();

        let events = kit::testing::unsent(&shop.database, 100).await.unwrap();
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                let changed: pb::StockChanged = event.decode().unwrap();
                assert_eq!((event.kind.as_str(), event.subject.as_str()), ("stock.changed", "A"));
                (event.subject_version, changed.available, changed.back_in_stock)
            })
            .collect();
        assert_eq!(told, [(1, 5, true), (2, 0, false), (3, 5, true)]);
    }
}

#[tokio::test]
async fn whoever_watches_sees_the_present_and_then_each_change() {
    for shop in shops().await {
        shop.count("A", 5).await;
        shop.count("B", 1).await;
        let request = pb::WatchStockRequest { skus: vec!["B".into(), "A".into(), "NONE".into()] };
        let mut watching = shop.guest().watch_stock(request).await.unwrap().into_inner();
        let mut next = async || {
            let stock = watching.next().await.unwrap().unwrap().stock.unwrap();
            (stock.sku, stock.available)
        };
        assert_eq!(next().await, ("A".to_owned(), 5));
        assert_eq!(next().await, ("B".to_owned(), 1));

        shop.reserve(&id(), &[("A", 2)]).await.unwrap();

        assert_eq!(next().await, ("A".to_owned(), 3));
    }
}

#[tokio::test]
async fn lists_and_batches_keep_their_order() {
    for shop in shops().await {
        for (sku, available) in [("C", 3), ("A", 1), ("B", 2), ("D", 9)] {
            shop.count(sku, available).await;
        }
        let request = pb::BatchGetStockRequest { skus: ["D", "X", "A", "D"].map(String::from).to_vec() };
        let answer = shop.guest().batch_get_stock(request).await.unwrap().into_inner();
        let skus: Vec<_> = answer.stock.iter().map(|row| row.sku.as_str()).collect();
        assert_eq!((skus, answer.missing), (vec!["D", "A"], vec!["X".to_owned()]));
        let many =
            |count| pb::BatchGetStockRequest { skus: (0..count).map(|at| format!("X-{at}")).collect() };
        let answer = shop.guest().batch_get_stock(many(1_500)).await.unwrap().into_inner();
        assert_eq!(answer.missing.len(), 1_500);
        assert_eq!(reason(&shop.guest().batch_get_stock(many(1_501)).await.unwrap_err()), "INVALID_FIELDS");

        let mut request = pb::ListStockRequest { page_size: 2, available_max: Some(3), ..Default::default() };
        let first = shop.staff().list_stock(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;
        let second = shop.staff().list_stock(request.clone()).await.unwrap().into_inner();
        let skus: Vec<_> = first.stock.iter().chain(&second.stock).map(|row| row.sku.as_str()).collect();
        assert_eq!((skus, second.next_page_token.as_str()), (vec!["A", "B", "C"], ""));
        request.available_max = None;
        assert_eq!(reason(&shop.staff().list_stock(request).await.unwrap_err()), "PAGE_TOKEN_INVALID");

        let locations = shop.staff().list_locations(pb::ListLocationsRequest::default()).await.unwrap();
        assert!(locations.into_inner().locations[0].is_default);
    }
}

#[tokio::test]
async fn a_basket_of_twelve_hundred_lines_is_one_basket() {
    for shop in shops().await {
        let skus: Vec<String> = (0..1_200).map(|number| format!("SKU-{number:04}")).collect();
        for some in skus.chunks(1_000) {
            let adjusted = statements(&shop, shop.adjust(counts(some, 10_000))).await;
            assert!(adjusted <= STATEMENTS_MAX, "{adjusted}");
        }
        let lines: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 10_000)).collect();
        let reservation = id();

        // Whoever changes stock keeps all others waiting on SQLite, and a call has three seconds. A basket of 517 lines that
        // took a statement for each was seen to be under way for a minute on a busy machine; what held it up was not.
        let reserved = statements(&shop, shop.reserve(&reservation, &lines)).await;
        let confirmed = statements(&shop, shop.confirm(&reservation)).await;
        let released = id();
        shop.adjust(counts(&skus[..1_000], 20_000)).await.unwrap();
        shop.reserve(&released, &lines[..1_000]).await.unwrap();
        let released = statements(&shop, shop.release(&released)).await;

        assert!(reserved <= STATEMENTS_MAX, "{reserved}");
        assert!(confirmed <= STATEMENTS_MAX, "{confirmed}");
        assert!(released <= STATEMENTS_MAX, "{released}");
        assert_eq!(shop.figures("SKU-1199").await, (10_000, 0, 0, 10_000));
        assert_eq!(shop.rows_that_differ_from_the_ledger().await, 0);
        let too_many: Vec<_> = lines.iter().chain(&[("ONE-MORE", 1)]).copied().collect();
        assert_eq!(reason(&shop.reserve(&id(), &too_many).await.unwrap_err()), "INVALID_FIELDS");
    }
}

/// Five for each hundred lines: lock, figures, ledger, news, and what was promised or came back; and a few for the request.
const STATEMENTS_MAX: u64 = 5 * 12 + 8;

/// How many statements something takes.
async fn statements<T>(shop: &Shop, work: impl Future<Output = Result<T, tonic::Status>>) -> u64 {
    let before = shop.database.statements();
    work.await.unwrap();
    shop.database.statements() - before
}

fn counts(skus: &[String], count: i64) -> Vec<pb::StockAdjustment> {
    skus.iter().map(|sku| adjustment(sku, Change::AvailableCount(count))).collect()
}

#[tokio::test]
async fn only_orders_reserves_and_only_staff_adjust() {
    for shop in shops().await {
        let edge = shop.staff().reserve_stock(shop.reserving(&id(), &[("A", 1)])).await.unwrap_err();
        assert_eq!(reason(&edge), "CALLER_NOT_ALLOWED");
        let request = pb::AdjustStockRequest {
            adjustments: vec![adjustment("A", Change::AvailableCount(1))],
            reason: "mine".into(),
            request_id: request_id(),
        };
        let guest = shop.guest().adjust_stock(request).await.unwrap_err();
        assert_eq!((guest.code(), reason(&guest).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        assert!(kit::testing::unsent(&shop.database, 1).await.unwrap().is_empty());
    }
}
