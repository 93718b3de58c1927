//! The lines of an order, and what they add up to.

use std::collections::BTreeMap;

use kit::{Currency, Id, Money, MoneyError};
use serde::{Deserialize, Serialize};

use super::order::{Order, OrderId};
use super::quote::{Quote, QuoteLine};
use super::returns::ReturnState;

pub type LineId = Id<Line>;

/// What was bought, at the price it was bought. The figures never change; the counts only grow,
/// and `returned <= delivered <= shipped <= quantity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub id: LineId,
    pub variant: String,
    pub product: String,
    pub sku: String,
    pub product_title: String,
    pub variant_title: String,
    pub quantity: i64,
    pub unit_price: Money,
    pub discount: Money,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    pub tax_rate_ppm: i64,
    pub shipped: i64,
    pub delivered: i64,
    /// In returns that are not rejected.
    pub returned: i64,
}

/// What the whole order costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub subtotal: Money,
    pub discount: Money,
    pub shipping: Money,
    pub tax: Money,
    pub total: Money,
    pub prices_include_tax: bool,
}

impl Line {
    /// Line ids follow from order and position, so a line needs no id of its own in the store.
    pub fn id_at(order: OrderId, position: usize) -> LineId {
        let position = u64::try_from(position).unwrap_or(u64::MAX).to_be_bytes();
        LineId::from_uuid(uuid::Uuid::new_v5(&order.as_uuid(), &position))
    }

    pub fn quoted(order: OrderId, position: usize, line: &QuoteLine) -> Line {
        Line {
            id: Line::id_at(order, position),
            variant: line.variant.clone(),
            product: line.product.clone(),
            sku: line.sku.clone(),
            product_title: line.product_title.clone(),
            variant_title: line.variant_title.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount,
            net: line.net,
            tax: line.tax,
            total: line.total,
            tax_rate_ppm: line.tax_rate_ppm,
            shipped: 0,
            delivered: 0,
            returned: 0,
        }
    }

    /// A line of another shop's history: nothing is known but what was paid for it, and it has long arrived.
    pub fn historic(
        order: OrderId,
        position: usize,
        sku: String,
        quantity: i64,
        unit_price: Money,
    ) -> Result<Line, MoneyError> {
        let zero = Money::zero(unit_price.currency());
        let total = unit_price.times(quantity)?;
        Ok(Line {
            id: Line::id_at(order, position),
            variant: String::new(),
            product: String::new(),
            sku,
            product_title: String::new(),
            variant_title: String::new(),
            quantity,
            unit_price,
            discount: zero,
            net: total,
            tax: zero,
            total,
            tax_rate_ppm: 0,
            shipped: quantity,
            delivered: quantity,
            returned: 0,
        })
    }

    pub fn to_ship(&self) -> i64 {
        self.quantity - self.shipped
    }

    pub fn returnable(&self) -> i64 {
        self.delivered - self.returned
    }
}

impl Order {
    /// Whether the total is what its parts add up to. Shipping is no line: its discount and its tax are what is left of
    /// the sums when those of the lines are taken away.
    pub fn adds_up(&self) -> bool {
        let units = |money: Money| i128::from(money.minor_units());
        let sum = |of: fn(&Line) -> Money| self.lines.iter().map(|line| units(of(line))).sum::<i128>();
        let undiscounted = |line: &Line| units(line.unit_price) * i128::from(line.quantity);
        let Totals { subtotal, discount, shipping, tax, total, prices_include_tax } = self.totals.clone();
        let shipping_discount = units(discount) - sum(|line| line.discount);
        let shipping_tax = units(tax) - sum(|line| line.tax);
        let added = |tax: i128| if prices_include_tax { 0 } else { tax };
        self.lines.iter().map(undiscounted).sum::<i128>() == units(subtotal)
            && (0..=units(shipping)).contains(&shipping_discount)
            && shipping_tax >= 0
            && units(subtotal) - units(discount) + units(shipping) + added(units(tax)) == units(total)
            && sum(|line| line.total) + units(shipping) - shipping_discount + added(shipping_tax)
                == units(total)
    }

    /// How many of each SKU went out and did not come back.
    pub fn kept(&self) -> BTreeMap<String, i64> {
        let mut kept = BTreeMap::new();
        for line in &self.lines {
            let back = self.returns.iter().filter(|returned| returned.state == ReturnState::Received);
            let back = back.flat_map(|returned| &returned.lines).filter(|count| count.line == line.id);
            let quantity = line.quantity - back.map(|count| count.quantity).sum::<i64>();
            *kept.entry(line.sku.clone()).or_default() += quantity;
        }
        kept
    }
}

impl Totals {
    pub fn quoted(quote: &Quote) -> Totals {
        Totals {
            subtotal: quote.subtotal,
            discount: quote.discount_total,
            shipping: quote.shipping_total,
            tax: quote.tax_total,
            total: quote.total,
            prices_include_tax: quote.prices_include_tax,
        }
    }

    /// The sum of historic lines, without tax and shipping.
    pub fn historic(currency: Currency, lines: &[Line]) -> Result<Totals, MoneyError> {
        let zero = Money::zero(currency);
        let total = Money::sum(currency, lines.iter().map(|line| line.total))?;
        Ok(Totals {
            subtotal: total,
            discount: zero,
            shipping: zero,
            tax: zero,
            total,
            prices_include_tax: true,
        })
    }
}
