//! What it costs, as pricing said it and the buyer saw it. Nothing here computes a price.

use kit::{Currency, Money};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// A digest of every figure: equal ids mean equal prices.
    pub id: String,
    pub currency: Currency,
    pub lines: Vec<QuoteLine>,
    pub shipping: Option<QuoteShipping>,
    pub codes: Vec<QuoteCode>,
    pub taxes: Vec<QuoteTax>,
    pub subtotal: Money,
    pub discount_total: Money,
    pub tax_total: Money,
    pub shipping_total: Money,
    pub total: Money,
    pub prices_include_tax: bool,
    pub requires_shipping: bool,
    pub weight_grams: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteLine {
    pub variant: String,
    pub product: String,
    pub sku: String,
    pub product_title: String,
    pub variant_title: String,
    pub quantity: i64,
    pub unit_price: Money,
    pub compare_at_price: Option<Money>,
    pub subtotal: Money,
    pub discount: Money,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    pub tax_rate_ppm: i64,
    pub tax_class: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteShipping {
    pub method: String,
    pub display_name: String,
    pub price: Money,
    pub discount: Money,
    pub net: Money,
    pub tax: Money,
    pub total: Money,
    pub tax_rate_ppm: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteCode {
    pub code: String,
    /// Pricing's own number for it; only whether it applied means anything here.
    pub outcome: i32,
    pub applied: bool,
    pub amount: Money,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteTax {
    pub display_name: String,
    pub rate_ppm: i64,
    pub net: Money,
    pub tax: Money,
}

impl Quote {
    /// The codes of which a use must be held.
    pub fn applied_codes(&self) -> Vec<String> {
        self.codes.iter().filter(|code| code.applied).map(|code| code.code.clone()).collect()
    }

    /// Whether money has to change hands.
    pub fn is_free(&self) -> bool {
        self.total.minor_units() == 0
    }

    /// Whether the figures add up to the total, as the contract of pricing promises. An order is never written
    /// from figures that do not.
    pub fn adds_up(&self) -> bool {
        self.computed_total().is_some_and(|total| total == self.total)
            && self.total.minor_units() >= 0
            && self.lines.iter().all(|line| line.quantity > 0)
    }

    fn computed_total(&self) -> Option<Money> {
        let parts = self.lines.iter().map(|line| line.total);
        let shipping = self.shipping.iter().map(|shipping| shipping.total);
        Money::sum(self.currency, parts.chain(shipping)).ok()
    }
}
