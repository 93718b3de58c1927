//! Whole numbers that neither wrap nor lose a unit: sums, roundings, and shares that add up.

use std::cmp::Reverse;

use super::Refusal;

/// Parts per million: 200,000 is 20 %.
pub const WHOLE_PPM: i64 = 1_000_000;

/// The number, if it fits what travels and is stored.
pub fn fits(number: i128) -> Result<i64, Refusal> {
    i64::try_from(number).map_err(|_| Refusal::AmountTooLarge)
}

/// The sum of all, zero when there are none.
pub fn sum(numbers: impl IntoIterator<Item = i64>) -> Result<i64, Refusal> {
    // 2^64 numbers of 64 bits are needed to fill 128 of them.
    fits(numbers.into_iter().map(i128::from).sum())
}

/// The product, if it fits.
pub fn times(one: i64, other: i64) -> Result<i64, Refusal> {
    fits(i128::from(one) * i128::from(other))
}

/// `amount` x `part` / `whole`, half a unit rounded up. Nothing may be negative; a part of no whole is nothing.
pub fn part(amount: i64, part: i64, whole: i64) -> Result<i64, Refusal> {
    let whole = i128::from(whole);
    if whole <= 0 {
        return Ok(0);
    }
    let doubled = 2 * i128::from(amount) * i128::from(part) + whole;
    fits(doubled / (2 * whole))
}

/// Cuts an amount into shares by weight that add up to exactly it: everyone gets his share rounded down, and the
/// units that are left go to those who lost most by it, the earlier one first (largest remainder).
///
/// No share is above its weight as long as the amount is not above all weights together.
pub fn allot(amount: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i128 = weights.iter().copied().map(i128::from).sum();
    if whole <= 0 {
        return vec![0; weights.len()];
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut losses = Vec::with_capacity(weights.len());
    let mut left = amount;
    for (place, weight) in weights.iter().enumerate() {
        let exact = i128::from(amount) * i128::from(*weight);
        // A share of an amount is not larger than the amount.
        let share = i64::try_from(exact / whole).unwrap_or(amount);
        left = left.saturating_sub(share);
        shares.push(share);
        losses.push((Reverse(exact % whole), place));
    }
    losses.sort_unstable();
    // Fewer units are left than shares were rounded, so one each is enough.
    let lucky = losses.into_iter().take(usize::try_from(left).unwrap_or(0));
    for (_, place) in lucky {
        if let Some(share) = shares.get_mut(place) {
            *share = share.saturating_add(1);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_unit_is_rounded_up() {
        let cases = [
            // amount, part, whole, rounded
            (5, 1, 10, 1),
            (4, 1, 10, 0),
            (15, 1, 10, 2),
            (999, 200_000, 1_200_000, 167),
            (0, 200_000, 1_200_000, 0),
            (7, 0, 1_000_000, 0),
            (i64::MAX, 1_000_000, 1_000_000, i64::MAX),
        ];
        for (amount, of, whole, rounded) in cases {
            assert_eq!(part(amount, of, whole), Ok(rounded), "{amount} x {of} / {whole}");
        }
        assert_eq!(part(i64::MAX, 1_000_001, 1_000_000), Err(Refusal::AmountTooLarge));
    }

    #[test]
    fn units_that_are_left_go_to_the_largest_remainders_and_then_to_the_first() {
        assert_eq!(allot(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(allot(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(allot(10, &[1, 5, 3]), [1, 6, 3]);
        assert_eq!(allot(0, &[3, 4]), [0, 0]);
        assert_eq!(allot(5, &[0, 5, 0]), [0, 5, 0]);
        assert_eq!(allot(0, &[0, 0]), [0, 0]);
        assert_eq!(allot(7, &[]), [0; 0]);
    }

    #[test]
    fn sums_and_products_that_do_not_fit_are_refused() {
        assert_eq!(sum([i64::MAX, 1]), Err(Refusal::AmountTooLarge));
        assert_eq!(sum([i64::MAX, 1, -1]), Ok(i64::MAX));
        assert_eq!(times(i64::MAX, 2), Err(Refusal::AmountTooLarge));
        assert_eq!(sum([]), Ok(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn shares_add_up_and_none_is_above_its_weight(
            weights in prop::collection::vec(prop_oneof![0..1_000_i64, 0..=i64::MAX / 64], 1..60),
            permille in 0..=1_000_i64,
        ) {
            let whole: i64 = weights.iter().sum();
            let amount = part(whole, permille, 1_000).unwrap();

            let shares = allot(amount, &weights);

            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(share));
                let exact = i128::from(amount) * i128::from(*weight);
                let floor = exact.checked_div(i128::from(whole)).unwrap_or(0);
                prop_assert!((floor..=floor + 1).contains(&i128::from(*share)));
            }
        }
    }
}
