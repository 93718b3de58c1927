//! What a cart does, without anything around it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use kit::Clock;
use proptest::prelude::*;

use super::*;

#[test]
fn a_variant_that_is_added_again_grows_its_line() {
    let (mut cart, variant) = (cart(), VariantId::new());
    let offers = offered(variant, 100, 5);

    cart.add(&[(variant, 2), (variant, 3)], &offers).unwrap();

    assert_eq!(cart.lines.len(), 1);
    assert_eq!(cart.lines[0].quantity, 5);
}

#[test]
fn what_cannot_be_had_is_capped_or_left_out_with_a_warning() {
    let cases = [
        // available, asked, in the cart, warning
        (10, 3, 3, None),
        (2, 3, 2, Some(WarningKind::CappedByStock)),
        (0, 3, 0, Some(WarningKind::Dropped)),
        (50_000, 20_000, 10_000, Some(WarningKind::CappedByLimit)),
        (10_000, 10_001, 10_000, Some(WarningKind::CappedByLimit)),
        (9_999, 10_001, 9_999, Some(WarningKind::CappedByStock)),
    ];
    for (available, asked, expected, warning) in cases {
        let (mut cart, variant) = (cart(), VariantId::new());
        let warnings = cart.add(&[(variant, asked)], &offered(variant, 100, available)).unwrap();
        assert_eq!(cart.lines.first().map_or(0, |line| line.quantity), expected);
        assert_eq!(warnings.first().map(|warning| warning.kind), warning, "{available} of {asked}");
    }
}

#[test]
fn an_unknown_variant_or_one_without_a_price_refuses_the_whole_set() {
    let (mut cart, variant, unknown) = (cart(), VariantId::new(), VariantId::new());
    let offers = offered(variant, 100, 5);
    let before = cart.clone();
    let refused = cart.clone().add(&[(variant, 1), (unknown, 1)], &offers);
    assert_eq!(refused, Err(Refusal::VariantNotFound(unknown)));

    let unpriced = Offers::from([(variant, Offer { price: None, ..offers[&variant].clone() })]);
    assert_eq!(cart.add(&[(variant, 1)], &unpriced), Err(Refusal::NotForSale(variant)));
    assert_eq!(cart, before);
}

#[test]
fn the_thousand_two_hundred_and_first_line_is_refused() {
    let mut cart = cart();
    let variants: Vec<_> = (0..=LINES_MAX).map(|_| VariantId::new()).collect();
    let offers: Offers = variants.iter().flat_map(|variant| offered(*variant, 1, 9)).collect();
    let wanted: Vec<_> = variants.iter().map(|variant| (*variant, 1)).collect();

    assert_eq!(cart.clone().add(&wanted, &offers), Err(Refusal::LineLimit));
    assert!(cart.add(&wanted[..LINES_MAX], &offers).is_ok());
}

#[test]
fn a_changed_cart_loses_only_what_was_bought() {
    let (mut cart, kept, bought) = (cart(), VariantId::new(), VariantId::new());
    let offers: Offers = offered(kept, 1, 9).into_iter().chain(offered(bought, 1, 9)).collect();
    cart.add(&[(bought, 3)], &offers).unwrap();
    let version = cart.version;
    let mut unchanged = cart.clone();
    cart.add(&[(kept, 1), (bought, 1)], &offers).unwrap();
    cart.touch(cart.updated);

    cart.clear(version, &[(bought, 3)]);
    unchanged.clear(version, &[(bought, 3)]);

    let left: Vec<_> = cart.lines.iter().map(|line| (line.variant, line.quantity)).collect();
    assert_eq!(left, [(bought, 1), (kept, 1)]);
    assert!(unchanged.lines.is_empty());
}

#[test]
fn of_what_is_no_longer_offered_there_may_be_less_but_not_more() {
    let (mut cart, variant) = (cart(), VariantId::new());
    let offers = offered(variant, 100, 50);
    cart.add(&[(variant, 5)], &offers).unwrap();
    let line = cart.lines[0].id;
    let unpriced = Offers::from([(variant, Offer { price: None, ..offers[&variant].clone() })]);

    for offers in [Offers::new(), unpriced] {
        let warnings = cart.clone().set(&[(line, 6)], &offers).unwrap();
        let expected = Warning { kind: WarningKind::Dropped, variant, requested: 6, actual: 5 };
        assert_eq!(warnings, [expected]);
        let mut less = cart.clone();
        assert!(less.set(&[(line, 4)], &offers).unwrap().is_empty());
        assert_eq!(less.lines[0].quantity, 4);
    }
}

#[test]
fn codes_join_once_each_as_far_as_there_is_room() {
    let mut cart = cart();
    let codes: Vec<String> = (0..CODES_MAX + 2).map(|number| format!("CODE{number}")).collect();

    cart.join_codes(&codes[..3]);
    cart.join_codes(&codes);

    assert_eq!(cart.codes, codes[..CODES_MAX]);
}

#[test]
fn every_problem_is_seen() {
    let mut cart = cart();
    let variants: Vec<_> = (0..5).map(|_| VariantId::new()).collect();
    let all: Offers = variants.iter().flat_map(|variant| offered(*variant, 100, 9)).collect();
    cart.add(&variants.iter().map(|variant| (*variant, 3)).collect::<Vec<_>>(), &all).unwrap();

    let mut now = all.clone();
    now.remove(&variants[0]);
    now.get_mut(&variants[1]).unwrap().available = 0;
    now.get_mut(&variants[2]).unwrap().available = 2;
    let dearer = Money::new("GBP".parse().unwrap(), 120);
    now.get_mut(&variants[3]).unwrap().price = Some(dearer);

    let kinds: Vec<_> = cart.problems(&now).into_iter().map(|problem| problem.kind).collect();
    let expected = [
        ProblemKind::Gone,
        ProblemKind::OutOfStock,
        ProblemKind::Short { available: 2 },
        ProblemKind::PriceChanged { present: dearer },
    ];
    assert_eq!(kinds, expected);
    assert!(cart.problems(&all).is_empty());
}

#[test]
fn a_merge_tells_what_became_of_every_line() {
    let (mut account, mut guest) = (cart(), cart());
    let variants: Vec<_> = (0..4).map(|_| VariantId::new()).collect();
    let mut offers: Offers = variants.iter().flat_map(|variant| offered(*variant, 100, 5)).collect();
    account.add(&[(variants[0], 1), (variants[1], 4)], &offers).unwrap();
    let wanted: Vec<_> = variants.iter().map(|variant| (*variant, 2)).collect();
    guest.add(&wanted, &offers).unwrap();
    offers.remove(&variants[3]);

    let outcomes = account.merge(&guest, &offers);

    let seen: Vec<_> = outcomes.iter().map(|merged| (merged.outcome, merged.total)).collect();
    let expected = [(Outcome::Merged, 3), (Outcome::Capped, 5), (Outcome::Merged, 2), (Outcome::Dropped, 0)];
    assert_eq!(seen, expected);
}

proptest! {
    #[test]
    fn no_command_breaks_a_cart(
        commands in prop::collection::vec((0..4_u8, 0..6_usize, 0..12_000_i64, 0..15_000_i64), 0..60)
    ) {
        let variants: Vec<_> = (0..6).map(|_| VariantId::new()).collect();
        let mut cart = cart();
        for (command, which, quantity, available) in commands {
            let offers: Offers = variants.iter().flat_map(|variant| offered(*variant, 100, available)).collect();
            let line = cart.lines.get(which).map(|line| line.id);
            match (command, line) {
                (0, _) => drop(cart.add(&[(variants[which], quantity.max(1))], &offers)),
                (1, Some(line)) => drop(cart.set(&[(line, quantity)], &offers)),
                (2, Some(line)) => cart.remove(&[line]),
                (3, _) => cart.clear(0, &[(variants[which], quantity)]),
                _ => {}
            }
            prop_assert!(cart.lines.iter().all(|line| (1..=QUANTITY_MAX).contains(&line.quantity)));
            let distinct: std::collections::HashSet<_> = cart.variants().into_iter().collect();
            prop_assert_eq!(distinct.len(), cart.lines.len());
        }
    }
}

fn cart() -> Cart {
    Cart::open(None, "GBP".parse().unwrap(), "GB".into(), Clock::system().now())
}

fn offered(variant: VariantId, price: i64, available: i64) -> Offers {
    let price = Money::new("GBP".parse().unwrap(), price);
    let offer = Offer { sku: variant.to_string(), product: ProductId::new(), price: Some(price), available };
    Offers::from([(variant, offer)])
}
