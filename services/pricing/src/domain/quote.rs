//! A quote: every figure of a purchase, computed once for cart and checkout alike.

mod reduction;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use kit::{Currency, Money, Timestamp};

use super::amount::{fits, sum, times};
use super::discount::{Candidate, Code, Outcome};
use super::shipping::{Choice, Parcel};
use super::tax::{Parted, Rate, STANDARD, Taxes};
use super::{MethodId, ProductId, Refusal, VariantId, digest};

use reduction::{Reduction, reduce};

/// What is for sale, as the catalogue says, with its price in the currency of the quote.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub variant: VariantId,
    pub product: ProductId,
    pub sku: String,
    pub product_title: String,
    pub variant_title: String,
    /// Minor units, not negative.
    pub unit_price: i64,
    pub compare_at_price: Option<i64>,
    /// Not negative.
    pub weight_grams: i64,
    pub tax_class: String,
    pub requires_shipping: bool,
}

/// Everything that a price hangs on.
#[derive(Clone, Debug)]
pub struct Enquiry<'a> {
    pub currency: Currency,
    /// With their quantities, which are positive.
    pub lines: &'a [(Item, i64)],
    pub country: &'a str,
    pub taxes: &'a Taxes,
    /// Nothing while it is not known where to send it or how.
    pub shipping: Option<&'a Choice>,
    pub codes: &'a [Candidate],
    pub now: Timestamp,
}

/// The answer. All amounts are minor units of its currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Digest of all the rest.
    pub id: String,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub shipping: Option<Shipping>,
    pub codes: Vec<AskedCode>,
    pub taxes: Vec<Tax>,
    pub subtotal: i64,
    pub discount_total: i64,
    pub tax_total: i64,
    pub shipping_total: i64,
    pub total: i64,
    pub prices_include_tax: bool,
    pub requires_shipping: bool,
    pub weight_grams: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub item: Item,
    pub quantity: i64,
    pub subtotal: i64,
    pub discount: i64,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
    pub tax_rate_ppm: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Shipping {
    pub method: MethodId,
    pub display_name: String,
    pub price: i64,
    pub discount: i64,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
    pub tax_rate_ppm: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AskedCode {
    pub code: Code,
    pub outcome: Outcome,
    /// What it takes off.
    pub amount: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tax {
    pub title: String,
    pub rate_ppm: i64,
    pub net: i64,
    pub tax: i64,
}

/// What the lines come to before anything is taken off or added.
#[derive(Clone, Debug, PartialEq)]
pub struct Goods {
    /// One per line.
    pub subtotals: Vec<i64>,
    pub subtotal: i64,
    /// Of what is sent.
    pub weight_grams: i64,
    pub requires_shipping: bool,
}

impl Goods {
    /// Adds up lines.
    pub fn of(lines: &[(Item, i64)]) -> Result<Goods, Refusal> {
        let subtotals = lines.iter().map(|(item, quantity)| times(item.unit_price, *quantity));
        let subtotals = subtotals.collect::<Result<Vec<_>, _>>()?;
        let sent = || lines.iter().filter(|(item, _)| item.requires_shipping);
        let weight: i128 =
            sent().map(|(item, quantity)| i128::from(item.weight_grams) * i128::from(*quantity)).sum();
        Ok(Goods {
            subtotal: sum(subtotals.iter().copied())?,
            subtotals,
            weight_grams: fits(weight)?,
            requires_shipping: sent().next().is_some(),
        })
    }
}

impl Quote {
    /// Computes every figure, or says why there is no price.
    pub fn compute(enquiry: &Enquiry<'_>) -> Result<Quote, Refusal> {
        let goods = Goods::of(enquiry.lines)?;
        let sent = sending(enquiry, &goods)?;
        let price = sent.as_ref().map(|(_, _, price)| *price);
        let reduction = reduce(enquiry, &goods, price)?;
        let mut taxes = TaxSums::default();
        let lines = lines(enquiry, &goods, &reduction, &mut taxes)?;
        let shipping = sent.map(|(method, display_name, price)| {
            let rate = enquiry.taxes.rate(STANDARD);
            let discount = reduction.shipping;
            let Parted { net, tax, total } = taxes.part(&rate, sum([price, -discount])?)?;
            let tax_rate_ppm = rate.ppm;
            Ok(Shipping { method, display_name, price, discount, net, tax, total, tax_rate_ppm })
        });
        let shipping = shipping.transpose()?;

        let shipping_total = price.unwrap_or(0);
        let parts = || lines.iter().map(|line| line.tax).chain(shipping.iter().map(|shipping| shipping.tax));
        let tax_total = sum(parts())?;
        let discounts = lines.iter().map(|line| line.discount);
        let discount_total = sum(discounts.chain([reduction.shipping]))?;
        let added = if enquiry.taxes.included() { 0 } else { tax_total };
        let total = sum([goods.subtotal, shipping_total, -discount_total, added])?;
        let mut quote = Quote {
            id: String::new(),
            currency: enquiry.currency,
            lines,
            shipping,
            codes: reduction.codes,
            taxes: taxes.listed()?,
            subtotal: goods.subtotal,
            discount_total,
            tax_total,
            shipping_total,
            total,
            prices_include_tax: enquiry.taxes.included(),
            requires_shipping: goods.requires_shipping,
            weight_grams: goods.weight_grams,
        };
        quote.id = digest::of(&quote);
        Ok(quote)
    }
}

/// The chosen method, its name and its price; nothing when nothing has to be sent.
fn sending(enquiry: &Enquiry<'_>, goods: &Goods) -> Result<Option<(MethodId, String, i64)>, Refusal> {
    let Some(choice) = enquiry.shipping.filter(|_| goods.requires_shipping) else {
        return Ok(None);
    };
    let parcel = Parcel {
        country: enquiry.country,
        weight_grams: goods.weight_grams,
        subtotal: Money::new(enquiry.currency, goods.subtotal),
    };
    let refused = Refusal::MethodNotAvailable(choice.id);
    let method = choice.method.as_ref().ok_or(refused.clone())?;
    let price = method.price(parcel).ok_or(refused)?;
    Ok(Some((choice.id, method.offer.display_name.clone(), price)))
}

fn lines(
    enquiry: &Enquiry<'_>,
    goods: &Goods,
    reduction: &Reduction,
    taxes: &mut TaxSums,
) -> Result<Vec<Line>, Refusal> {
    let figures = goods.subtotals.iter().zip(&reduction.lines);
    let lines = enquiry.lines.iter().zip(figures).map(|((item, quantity), (subtotal, discount))| {
        let rate = enquiry.taxes.rate(&item.tax_class);
        let Parted { net, tax, total } = taxes.part(&rate, sum([*subtotal, -*discount])?)?;
        Ok(Line {
            item: item.clone(),
            quantity: *quantity,
            subtotal: *subtotal,
            discount: *discount,
            net,
            tax,
            total,
            tax_rate_ppm: rate.ppm,
        })
    });
    lines.collect()
}

/// Nets and taxes by rate, the highest first.
#[derive(Default)]
struct TaxSums(BTreeMap<(Reverse<i64>, String), (i128, i128)>);

impl TaxSums {
    /// Parts a price and remembers the parts.
    fn part(&mut self, rate: &Rate, price: i64) -> Result<Parted, Refusal> {
        let parted = rate.parted(price)?;
        let (net, tax) = self.0.entry((Reverse(rate.ppm), rate.title.clone())).or_default();
        *net += i128::from(parted.net);
        *tax += i128::from(parted.tax);
        Ok(parted)
    }

    /// Rates under which there is nothing are left out.
    fn listed(self) -> Result<Vec<Tax>, Refusal> {
        let sums = self.0.into_iter().filter(|(_, sums)| *sums != (0, 0));
        let taxes = sums.map(|((Reverse(rate_ppm), title), (net, tax))| {
            Ok(Tax { title, rate_ppm, net: fits(net)?, tax: fits(tax)? })
        });
        taxes.collect()
    }
}
