//! What codes take off, line by line.

use kit::Money;

use super::{AskedCode, Enquiry, Goods};
use crate::domain::Refusal;
use crate::domain::amount::{WHOLE_PPM, allot, part, sum};
use crate::domain::discount::{Candidate, Discount, Outcome, Terms, Value};

/// What is taken off where.
pub struct Reduction {
    /// One per line; never more than the line costs.
    pub lines: Vec<i64>,
    pub shipping: i64,
    pub codes: Vec<AskedCode>,
}

/// Applies the codes in the order asked. The first that holds has the say: another one joins it only if both may be
/// combined. A percentage is of the whole subtotal, but all codes together take off no more than there is.
///
/// Each code's amount is cut to the lines in proportion to what is left of them, by largest remainder.
pub fn reduce(enquiry: &Enquiry<'_>, goods: &Goods, shipping: Option<i64>) -> Result<Reduction, Refusal> {
    let mut left = Left { lines: goods.subtotals.clone(), shipping: shipping.unwrap_or(0) };
    let mut applied: Vec<&Terms> = Vec::new();
    let mut codes = Vec::with_capacity(enquiry.codes.len());
    for candidate in enquiry.codes {
        let asked = match judge(enquiry, goods, candidate, &applied) {
            Err(outcome) => AskedCode { code: candidate.code.clone(), outcome, amount: 0 },
            Ok(discount) => {
                applied.push(&discount.terms);
                let amount = left.take(discount.terms.value, goods.subtotal)?;
                AskedCode { code: candidate.code.clone(), outcome: Outcome::Applied, amount }
            }
        };
        codes.push(asked);
    }
    let taken =
        goods.subtotals.iter().zip(&left.lines).map(|(subtotal, left)| subtotal.saturating_sub(*left));
    Ok(Reduction {
        lines: taken.collect(),
        shipping: shipping.unwrap_or(0).saturating_sub(left.shipping),
        codes,
    })
}

fn judge<'a>(
    enquiry: &Enquiry<'_>,
    goods: &Goods,
    candidate: &'a Candidate,
    applied: &[&Terms],
) -> Result<&'a Discount, Outcome> {
    let discount = candidate.holds(enquiry.now, Money::new(enquiry.currency, goods.subtotal))?;
    match applied.iter().all(|other| discount.terms.combines_with(other)) {
        true => Ok(discount),
        false => Err(Outcome::NotCombinable),
    }
}

/// What has not been taken off yet.
struct Left {
    lines: Vec<i64>,
    shipping: i64,
}

impl Left {
    /// Takes off what one code is worth, and says how much that was.
    fn take(&mut self, value: Value, subtotal: i64) -> Result<i64, Refusal> {
        let worth = match value {
            Value::FreeShipping => return Ok(std::mem::take(&mut self.shipping)),
            Value::Percent(ppm) => part(subtotal, ppm, WHOLE_PPM)?,
            Value::Amount(amount) => amount.minor_units(),
        };
        let amount = worth.min(sum(self.lines.iter().copied())?);
        let shares = allot(amount, &self.lines);
        for (line, share) in self.lines.iter_mut().zip(shares) {
            *line = line.saturating_sub(share);
        }
        Ok(amount)
    }
}
