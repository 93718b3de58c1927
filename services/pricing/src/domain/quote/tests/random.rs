//! Random purchases, small and absurd: every sum re-adds, or the amount is refused as too large.

use proptest::prelude::*;

use super::*;

const CLASSES: [&str; 4] = [STANDARD, "reduced", "zero", "unheard-of"];

#[derive(Clone, Debug)]
struct Purchase {
    lines: Vec<(Item, i64)>,
    taxes: Taxes,
    shipping: Option<Choice>,
    codes: Vec<Candidate>,
}

/// Prices of a shop, and prices at the edge of what fits.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![60 => 0..100_000_i64, 1 => 0..=i64::MAX / 20_000, 1 => (i64::MAX - 1_000)..=i64::MAX, 1 => Just(0)]
}

fn quantity() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1..10_i64, 1 => 1..=10_000_i64]
}

fn line() -> impl Strategy<Value = (Item, i64)> {
    (price(), quantity(), 0..CLASSES.len(), any::<bool>(), prop_oneof![60 => 0..40_i64, 1 => 0..=i64::MAX])
        .prop_map(|(unit_price, quantity, class, requires_shipping, weight_grams)| {
            (Item { requires_shipping, weight_grams, ..item(unit_price, CLASSES[class]) }, quantity)
        })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (1..=1_000_000_i64).prop_map(Value::Percent),
        3 => prop_oneof![1..20_000_i64, 1..=i64::MAX].prop_map(|minor_units| Value::Amount(gbp(minor_units))),
        1 => Just(Value::FreeShipping),
    ]
}

fn purchase() -> impl Strategy<Value = Purchase> {
    let rates = (0..=1_000_000_i64, 0..=300_000_i64, any::<bool>(), any::<bool>());
    let lines =
        prop_oneof![4 => prop::collection::vec(line(), 1..8), 1 => prop::collection::vec(line(), 1..120)];
    let codes = prop::collection::vec((value(), prop::bool::weighted(0.8)), 0..5);
    (lines, rates, prop::option::of(price()), codes).prop_map(|(lines, rates, shipping, codes)| {
        let (standard, reduced, included, any_rules) = rates;
        let rules = [(STANDARD, standard), ("reduced", reduced), ("zero", 0)];
        let named = codes.into_iter().enumerate();
        Purchase {
            lines,
            taxes: taxes(included, if any_rules { &rules } else { &[] }),
            shipping: shipping.map(|price| {
                let mut choice = delivery(price, None);
                choice.method.as_mut().unwrap().offer.tiers[0].weight_grams_max = i64::MAX;
                choice
            }),
            codes: named
                .map(|(number, (value, combinable))| code(&format!("CODE-{number}"), value, combinable))
                .collect(),
        }
    })
}

fn wide(numbers: impl Iterator<Item = i64>) -> i128 {
    numbers.map(i128::from).sum()
}

/// Every promise of the contract, computed by another way than the quote itself.
fn check(purchase: &Purchase, quote: &Quote) -> Result<(), TestCaseError> {
    let included = purchase.taxes.included();
    for (line, (item, quantity)) in quote.lines.iter().zip(&purchase.lines) {
        prop_assert_eq!(i128::from(line.subtotal), i128::from(item.unit_price) * i128::from(*quantity));
        prop_assert!((0..=line.subtotal).contains(&line.discount));
        prop_assert_eq!(line.net + line.tax, line.total);
        let price = line.subtotal - line.discount;
        prop_assert_eq!(if included { line.total } else { line.net }, price);
        // Half up: the doubled error lies within (-whole, whole].
        let whole = 1_000_000 + if included { i128::from(line.tax_rate_ppm) } else { 0 };
        let error = i128::from(line.tax) * whole - i128::from(price) * i128::from(line.tax_rate_ppm);
        prop_assert!(-whole < 2 * error && 2 * error <= whole);
        prop_assert!(line.tax >= 0 && line.net >= 0);
    }
    let shipping = quote.shipping.as_ref();
    prop_assert_eq!(shipping.is_some(), purchase.shipping.is_some() && quote.requires_shipping);
    if let Some(sent) = shipping {
        prop_assert!((0..=sent.price).contains(&sent.discount));
        prop_assert_eq!(sent.net + sent.tax, sent.total);
        prop_assert_eq!(if included { sent.total } else { sent.net }, sent.price - sent.discount);
    }
    let (lines, sent) = (|| quote.lines.iter(), || shipping.into_iter());
    let discounts = wide(lines().map(|line| line.discount)) + wide(sent().map(|sent| sent.discount));
    let tax = wide(lines().map(|line| line.tax)) + wide(sent().map(|sent| sent.tax));
    let net = wide(lines().map(|line| line.net)) + wide(sent().map(|sent| sent.net));
    prop_assert_eq!(i128::from(quote.subtotal), wide(lines().map(|line| line.subtotal)));
    prop_assert_eq!(i128::from(quote.shipping_total), wide(sent().map(|sent| sent.price)));
    prop_assert_eq!(i128::from(quote.discount_total), discounts);
    prop_assert_eq!(wide(quote.codes.iter().map(|asked| asked.amount)), discounts);
    prop_assert_eq!(i128::from(quote.tax_total), tax);
    prop_assert_eq!(wide(quote.taxes.iter().map(|row| row.tax)), tax);
    prop_assert_eq!(wide(quote.taxes.iter().map(|row| row.net)), net);
    prop_assert_eq!(i128::from(quote.total), net + tax);
    let added = if included { 0 } else { tax };
    let stated = i128::from(quote.subtotal) + i128::from(quote.shipping_total) - discounts + added;
    prop_assert_eq!(i128::from(quote.total), stated);
    prop_assert!(quote.total >= 0);
    Ok(())
}

/// Does every figure of the purchase fit? Told apart from the quote's own arithmetic.
fn too_large(purchase: &Purchase) -> bool {
    let lines = || purchase.lines.iter();
    let goods: i128 =
        lines().map(|(item, quantity)| i128::from(item.unit_price) * i128::from(*quantity)).sum();
    let weight: i128 = lines()
        .filter(|(item, _)| item.requires_shipping)
        .map(|(item, quantity)| i128::from(item.weight_grams) * i128::from(*quantity))
        .sum();
    // Added tax at most doubles what things cost; below this nothing can be too large.
    let shipping = purchase.shipping.as_ref().and_then(|choice| choice.method.as_ref());
    let shipping = shipping.map_or(0, |method| i128::from(method.offer.tiers[0].price.minor_units()));
    2 * (goods + shipping) > i128::from(i64::MAX) || weight > i128::from(i64::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn every_quote_re_adds_from_its_lines_or_is_refused_as_too_large(purchase in purchase()) {
        let quoted = quote(&purchase.lines, &purchase.taxes, purchase.shipping.as_ref(), &purchase.codes);

        match quoted {
            Ok(quote) => check(&purchase, &quote)?,
            Err(Refusal::AmountTooLarge) => prop_assert!(too_large(&purchase), "{purchase:?}"),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_single_line_at_the_edge_fits_exactly_when_its_figures_do(
        unit_price in (i64::MAX - 3)..=i64::MAX,
        quantity in 1..3_i64,
        rate in 0..3_i64,
        included in any::<bool>(),
    ) {
        let taxes = taxes(included, &[(STANDARD, rate)]);

        let quoted = quote(&[(item(unit_price, STANDARD), quantity)], &taxes, None, &[]);

        let fits = quantity == 1 && (included || rate == 0);
        prop_assert_eq!(quoted.is_ok(), fits);
        if let Err(refusal) = quoted {
            prop_assert_eq!(refusal, Refusal::AmountTooLarge);
        }
    }
}
