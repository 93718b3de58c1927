//! Lines, codes and places: what a change does, and what it refuses.

use proto::cart as pb;
use tonic::Code;

use crate::support::{
    adding, id, lines, moving, new_lines, opening, reason, removing, request_id, setting, shops,
};

#[tokio::test]
async fn lines_are_added_set_and_removed() {
    for shop in shops().await {
        let (mug, tea) = (shop.sell(900, 50), shop.sell(450, 50));
        let (cart, key) = shop.open(&[(&mug, 2)]).await;
        assert_eq!((cart.version, cart.etag.as_str(), lines(&cart)), (1, "1", vec![(mug.as_str(), 2)]));
        assert_eq!(cart.lines[0].seen_price.as_ref().unwrap().minor_units, 900);

        let cart = shop.add(&key, &[(&tea, 1), (&mug, 1), (&tea, 3)]).await.unwrap().cart.unwrap();
        assert_eq!((cart.version, lines(&cart)), (2, vec![(mug.as_str(), 3), (tea.as_str(), 4)]));

        let (first, second) = (cart.lines[0].id.as_str(), cart.lines[1].id.as_str());
        let request = setting(&key, &[(second, 7), (first, 0)]);
        let cart = shop.guest().update_cart_lines(request).await.unwrap().into_inner().cart.unwrap();
        assert_eq!((cart.version, lines(&cart)), (3, vec![(tea.as_str(), 7)]));

        let request = removing(&key, &[&cart.lines[0].id, &id()]);
        let cart = shop.guest().remove_cart_lines(request).await.unwrap().into_inner().cart.unwrap();
        assert_eq!((cart.version, cart.lines.len()), (4, 0));
        let read = shop.get(&key).await.unwrap();
        assert_eq!((read.version, read.lines.len(), read.problems_unknown), (4, 0, false));

        let expected = [("cart.created", 1), ("cart.changed", 2), ("cart.changed", 3), ("cart.changed", 4)];
        let expected = expected.map(|(kind, version)| (kind.to_owned(), version));
        assert_eq!(shop.news(&cart.id).await, expected);
    }
}

#[tokio::test]
async fn what_changes_nothing_is_no_new_version() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (cart, key) = shop.open(&[(&mug, 2)]).await;

        let removed = shop.guest().remove_cart_lines(removing(&key, &[&id()])).await.unwrap().into_inner();
        let line = cart.lines[0].id.as_str();
        let set = shop.guest().update_cart_lines(setting(&key, &[(line, 2)])).await.unwrap().into_inner();

        assert_eq!(removed.cart.as_ref(), Some(&cart));
        assert_eq!(set.cart.as_ref(), Some(&cart));
        assert_eq!(shop.news(&cart.id).await.len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_capped_or_left_out_with_a_warning() {
    for shop in shops().await {
        let (few, none, many) = (shop.sell(100, 3), shop.sell(100, 0), shop.sell(100, 1_000_000));
        let (_, key) = shop.open(&[]).await;

        let answer = shop.add(&key, &[(&few, 5), (&none, 1), (&many, 9_000), (&many, 9_000)]).await.unwrap();

        let seen: Vec<_> = answer.warnings.iter().map(|one| (one.kind(), one.actual_quantity)).collect();
        let expected = [
            (pb::WarningKind::CappedByStock, 3),
            (pb::WarningKind::Dropped, 0),
            (pb::WarningKind::CappedByLimit, 10_000),
        ];
        assert_eq!(seen, expected);
        assert_eq!(answer.warnings[2].requested_quantity, 18_000);
        let cart = answer.cart.unwrap();
        assert_eq!(lines(&cart), [(few.as_str(), 3), (many.as_str(), 10_000)]);

        // Nothing of what was there is taken away, but there is no more of it either.
        shop.stock(&few, 1);
        let answer = shop.add(&key, &[(&few, 1)]).await.unwrap();
        assert_eq!((answer.warnings[0].requested_quantity, answer.warnings[0].actual_quantity), (4, 3));
        assert_eq!(lines(&answer.cart.unwrap())[0], (few.as_str(), 3));
        let request = setting(&key, &[(&cart.lines[0].id, 8)]);
        let answer = shop.guest().update_cart_lines(request).await.unwrap().into_inner();
        assert_eq!(answer.warnings[0].kind(), pb::WarningKind::CappedByStock);
        assert_eq!(lines(&answer.cart.unwrap())[0], (few.as_str(), 3));
        shop.catalogue.take_away(&few);
        let request = setting(&key, &[(&cart.lines[0].id, 8)]);
        let answer = shop.guest().update_cart_lines(request).await.unwrap().into_inner();
        assert_eq!(answer.warnings[0].kind(), pb::WarningKind::Dropped);
        assert_eq!(answer.warnings[0].actual_quantity, 3);
        let request = setting(&key, &[(&cart.lines[0].id, 2)]);
        let answer = shop.guest().update_cart_lines(request).await.unwrap().into_inner();
        assert_eq!((answer.warnings.len(), lines(&answer.cart.unwrap())[0]), (0, (few.as_str(), 2)));
    }
}

#[tokio::test]
async fn a_set_with_one_wrong_line_changes_nothing() {
    for shop in shops().await {
        let (mug, foreign, draft) = (shop.sell(900, 50), shop.sell(900, 50), shop.sell(900, 50));
        shop.price(&foreign, &[("EUR", 1_000)]);
        shop.catalogue.change(&draft, |summary| summary.product_status = 1);
        let (cart, key) = shop.open(&[(&mug, 2)]).await;

        let unknown = id();
        for (wrong, code, expected) in [
            (&unknown, Code::NotFound, "VARIANT_NOT_FOUND"),
            (&draft, Code::NotFound, "VARIANT_NOT_FOUND"),
            (&foreign, Code::FailedPrecondition, "NOT_FOR_SALE"),
        ] {
            let refused = shop.add(&key, &[(&mug, 1), (wrong, 1)]).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_str()), (code, expected));
            assert_eq!(&mesh::status::metadata_of(&refused)["variant_id"], wrong);
        }
        let request = setting(&key, &[(&cart.lines[0].id, 1), (&unknown, 1)]);
        let refused = shop.guest().update_cart_lines(request).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "LINE_NOT_FOUND"));
        assert_eq!(mesh::status::metadata_of(&refused)["line_id"], unknown);

        assert_eq!(shop.get(&key).await.unwrap(), cart);
        assert_eq!(shop.news(&cart.id).await.len(), 1);
        let refused = shop.guest().create_cart(opening(&[(&unknown, 1)])).await.unwrap_err();
        assert_eq!(reason(&refused), "VARIANT_NOT_FOUND");
    }
}

/// Of one change of a cart, however many lines it has.
const STATEMENTS_MAX: u64 = 15;

#[tokio::test]
async fn a_cart_holds_twelve_hundred_lines_and_not_one_more() {
    for shop in shops().await {
        let variants: Vec<String> = (0..1_201).map(|_| shop.sell(100, 99)).collect();
        let (_, key) = shop.open(&[]).await;
        for some in variants[..1_200].chunks(250) {
            let wanted: Vec<_> = some.iter().map(|variant| (variant.as_str(), 1)).collect();
            let before = shop.statements();
            shop.add(&key, &wanted).await.unwrap();
            let taken = shop.statements() - before;
            assert!(taken <= STATEMENTS_MAX, "250 lines are one statement or two, not 250: {taken}");
        }

        let refused = shop.add(&key, &[(&variants[0], 1), (&variants[1_200], 1)]).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "LINE_LIMIT"));

        let before = (shop.catalogue.calls(), shop.inventory.calls());
        let cart = shop.get(&key).await.unwrap();
        assert_eq!((shop.catalogue.calls(), shop.inventory.calls()), (before.0 + 1, before.1 + 1));
        let expected: Vec<_> = variants[..1_200].iter().map(|variant| (variant.as_str(), 1)).collect();
        assert_eq!((lines(&cart), cart.problems_unknown), (expected, false));

        let bought = cart.lines.iter().map(|line| (line.variant_id.as_str(), 1)).collect::<Vec<_>>();
        let before = shop.statements();
        let left = shop.clear(&cart, cart.version, &bought).await.unwrap();
        assert!(shop.statements() - before <= STATEMENTS_MAX);
        assert!(left.lines.is_empty());
    }
}

#[tokio::test]
async fn codes_are_kept_once_and_in_capitals() {
    for shop in shops().await {
        let (_, key) = shop.open(&[]).await;
        let set = async |codes: &[&str]| {
            let request = pb::SetCartCodesRequest {
                key: Some(key.clone()),
                codes: codes.iter().map(ToString::to_string).collect(),
                etag: String::new(),
                request_id: request_id(),
            };
            Ok::<_, tonic::Status>(shop.guest().set_cart_codes(request).await?.into_inner().cart.unwrap())
        };

        assert_eq!(set(&["welcome10", "SHIP", "Welcome10"]).await.unwrap().codes, ["WELCOME10", "SHIP"]);
        assert_eq!(reason(&set(&["A"; 11]).await.unwrap_err()), "INVALID_FIELDS");
        assert_eq!(reason(&set(&["a\u{7}"]).await.unwrap_err()), "INVALID_FIELDS");
        assert_eq!(shop.get(&key).await.unwrap().codes, ["WELCOME10", "SHIP"]);
        assert!(set(&[]).await.unwrap().codes.is_empty());
    }
}

#[tokio::test]
async fn another_currency_reads_the_prices_again_and_drops_what_has_none() {
    for shop in shops().await {
        let (both, pounds) = (shop.sell(900, 50), shop.sell(450, 50));
        shop.price(&both, &[("GBP", 900), ("EUR", 1_050)]);
        let (_, key) = shop.open(&[(&pounds, 1), (&both, 2)]).await;

        let answer = shop.guest().set_cart_context(moving(&key, "GBP", "IE")).await.unwrap().into_inner();
        let cart = answer.cart.unwrap();
        assert_eq!((cart.country_code.as_str(), cart.lines.len(), answer.warnings.len()), ("IE", 2, 0));

        // What is not said stays as it is: the country here, both in the next.
        let answer = shop.guest().set_cart_context(moving(&key, "EUR", "")).await.unwrap().into_inner();
        assert_eq!(answer.warnings.len(), 1);
        assert_eq!(answer.warnings[0].kind(), pb::WarningKind::Dropped);
        assert_eq!(answer.warnings[0].variant_id, pounds);
        let read = shop.get(&key).await.unwrap();
        assert_eq!(answer.cart.as_ref(), Some(&read));
        assert_eq!((read.currency_code.as_str(), lines(&read)), ("EUR", vec![(both.as_str(), 2)]));
        let answer = shop.guest().set_cart_context(moving(&key, "", "")).await.unwrap().into_inner();
        let same = answer.cart.unwrap();
        assert_eq!((same.currency_code.as_str(), same.country_code.as_str()), ("EUR", "IE"));
        let seen = read.lines[0].seen_price.as_ref().unwrap();
        assert_eq!((seen.currency_code.as_str(), seen.minor_units, read.problems.len()), ("EUR", 1_050, 0));
    }
}

#[tokio::test]
async fn an_etag_holds_a_change_to_the_version_that_was_read() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (cart, key) = shop.open(&[(&mug, 1)]).await;
        let with = |etag: &str| pb::AddCartLinesRequest { etag: etag.into(), ..adding(&key, &[(&mug, 1)]) };

        shop.guest().add_cart_lines(with(&cart.etag)).await.unwrap();
        let stale = shop.guest().add_cart_lines(with(&cart.etag)).await.unwrap_err();

        assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let wrong = shop.guest().add_cart_lines(with("first")).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&wrong)[0].field, "etag");
        assert_eq!(lines(&shop.get(&key).await.unwrap()), [(mug.as_str(), 2)]);
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_before_and_asks_nobody() {
    for shop in shops().await {
        let mug = shop.sell(900, 5);
        let create = opening(&[(&mug, 9)]);
        let created = shop.guest().create_cart(create.clone()).await.unwrap().into_inner();
        let key =
            pb::CartKey { cart_id: created.cart.as_ref().unwrap().id.clone(), token: created.token.clone() };
        let update = setting(&key, &[(&created.cart.as_ref().unwrap().lines[0].id, 3)]);
        let updated = shop.guest().update_cart_lines(update.clone()).await.unwrap().into_inner();
        shop.price(&mug, &[("GBP", 1_000)]);
        let calls = (shop.catalogue.calls(), shop.inventory.calls());

        assert_eq!(shop.guest().create_cart(create.clone()).await.unwrap().into_inner(), created);
        assert_eq!(shop.guest().update_cart_lines(update.clone()).await.unwrap().into_inner(), updated);
        assert_eq!((shop.catalogue.calls(), shop.inventory.calls()), calls);

        let other = pb::CreateCartRequest { lines: new_lines(&[(&mug, 1)]), ..create };
        assert_eq!(reason(&shop.guest().create_cart(other).await.unwrap_err()), "REQUEST_ID_REUSED");
        let other = pb::UpdateCartLinesRequest { etag: "2".into(), ..update };
        assert_eq!(reason(&shop.guest().update_cart_lines(other).await.unwrap_err()), "REQUEST_ID_REUSED");
        assert_eq!(shop.get(&key).await.unwrap().version, 2);
    }
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_told_at_once() {
    let shop = shops().await.remove(0);
    let (_, key) = shop.open(&[]).await;

    let request = pb::AddCartLinesRequest {
        key: Some(pb::CartKey { cart_id: "mine".into(), token: "\u{1}".into() }),
        lines: new_lines(&[("no id", 0), (&id(), 10_001)]),
        etag: "x".into(),
        request_id: request_id(),
    };
    let refused = shop.guest().add_cart_lines(request).await.unwrap_err();
    let fields: Vec<_> =
        mesh::status::violations_of(&refused).into_iter().map(|violation| violation.field).collect();
    let expected =
        ["key.cart_id", "key.token", "lines[0].variant_id", "lines[0].quantity", "lines[1].quantity", "etag"];
    assert_eq!((refused.code(), fields), (Code::InvalidArgument, expected.map(String::from).to_vec()));

    let line = id();
    let many: Vec<String> = (0..251).map(|_| id()).collect();
    let many_lines: Vec<_> = many.iter().map(|id| (id.as_str(), 1)).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut guest = shop.guest();
    let refusals = [
        guest.add_cart_lines(adding(&key, &[])).await.map(drop),
        guest.add_cart_lines(adding(&key, &many_lines)).await.map(drop),
        guest.update_cart_lines(setting(&key, &many_lines)).await.map(drop),
        guest.update_cart_lines(setting(&key, &[(&line, 1), (&line, 2)])).await.map(drop),
        guest.update_cart_lines(setting(&key, &[(&line, -1)])).await.map(drop),
        guest.remove_cart_lines(removing(&key, &names)).await.map(drop),
        guest.set_cart_context(moving(&key, "pounds", "uk")).await.map(drop),
        guest.create_cart(pb::CreateCartRequest::default()).await.map(drop),
        guest.create_cart(pb::CreateCartRequest { request_id: "1".into(), ..opening(&[]) }).await.map(drop),
        guest.create_cart(opening(&many_lines)).await.map(drop),
        shop.orders().clear_cart(pb::ClearCartRequest::default()).await.map(drop),
    ];
    for (which, refused) in refusals.into_iter().enumerate() {
        assert_eq!(reason(&refused.unwrap_err()), "INVALID_FIELDS", "{which}");
    }
}
