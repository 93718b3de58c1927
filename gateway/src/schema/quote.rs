//! What things cost: the figures of a quote as carts and checkouts show them.

use async_graphql::{ID, Object, SimpleObject};
use proto::pricing as pb;

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice::{self, DiscountCodeOutcome};
use crate::schema::money::{Decimal, Money, TaxedMoney, optional, promised, rate};

const SERVICE: &str = "pricing";

/// What a cart or checkout costs. Every sum re-adds from the lines.
pub(crate) struct Cost<'a> {
    pub(crate) quote: &'a pb::Quote,
    /// Nothing has been agreed yet: the figures may change with address and shipping.
    pub(crate) estimated: bool,
}

/// What a cart or checkout costs. Every sum re-adds from the lines.
#[Object]
impl Cost<'_> {
    /// Names these very figures; `checkoutComplete` buys at the price of one of them.
    fn quote_id(&self) -> &str {
        &self.quote.id
    }

    /// All lines at list prices.
    fn subtotal_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.quote.subtotal.as_ref())
    }

    /// What discounts take off, shipping's included; positive.
    fn discount_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.quote.discount_total.as_ref())
    }

    /// Shipping before its discount. Null until a method is chosen.
    fn shipping_amount(&self) -> Option<Money> {
        self.quote.shipping.as_ref()?;
        optional(self.quote.shipping_total.as_ref())
    }

    /// All taxes.
    fn tax_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.quote.tax_total.as_ref())
    }

    /// What is paid.
    fn total_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.quote.total.as_ref())
    }

    /// May the total still change, because address or shipping method are not known?
    fn total_amount_estimated(&self) -> bool {
        self.estimated
    }

    /// May the taxes still change?
    fn tax_amount_estimated(&self) -> bool {
        self.estimated
    }

    /// Do list prices contain the tax?
    fn prices_include_tax(&self) -> bool {
        self.quote.prices_include_tax
    }

    /// Does anything have to be sent?
    fn requires_shipping(&self) -> bool {
        self.quote.requires_shipping
    }

    /// Taxes by rate.
    fn taxes(&self) -> Vec<TaxLine<'_>> {
        self.quote.taxes.iter().map(TaxLine).collect()
    }
}

/// The tax of one rate.
pub(crate) struct TaxLine<'a>(&'a pb::QuoteTax);

/// The tax of one rate.
#[Object]
impl TaxLine<'_> {
    /// What it is called: "GB standard".
    fn title(&self) -> &str {
        &self.0.display_name
    }

    /// The rate as a fraction: "0.2" is 20 %.
    fn rate(&self) -> Decimal {
        rate(self.0.rate_ppm)
    }

    /// What is taxed.
    fn net(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.net.as_ref())
    }

    /// The tax.
    fn tax(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.tax.as_ref())
    }
}

/// What one line costs.
pub(crate) struct LineCost<'a>(pub(crate) &'a pb::QuoteLine);

/// What one line costs.
#[Object]
impl LineCost<'_> {
    /// What one costs.
    fn amount_per_quantity(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.unit_price.as_ref())
    }

    /// What one cost before; null when it is not reduced.
    fn compare_at_amount_per_quantity(&self) -> Option<Money> {
        optional(self.0.compare_at_price.as_ref())
    }

    /// All of it at list prices.
    fn subtotal_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.subtotal.as_ref())
    }

    /// The line's share of the discounts; positive.
    fn discount_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.discount.as_ref())
    }

    /// What is paid for it, with and without tax.
    fn total_amount(&self) -> Result<TaxedMoney, Fault> {
        let line = self.0;
        let parts = [line.net.as_ref(), line.tax.as_ref(), line.total.as_ref()];
        TaxedMoney::of(SERVICE, parts, line.tax_rate_ppm)
    }
}

/// A discount code and whether it holds.
pub(crate) struct DiscountCode {
    pub(crate) code: String,
    /// Nothing when pricing was not asked or did not answer.
    pub(crate) quoted: Option<pb::QuoteCode>,
}

/// The codes of a cart, each with what the quote says of it.
pub(crate) fn discount_codes(codes: &[String], quote: Option<&pb::Quote>) -> Vec<DiscountCode> {
    let convert = |code: &String| {
        let mut quoted = quote.into_iter().flat_map(|quote| &quote.codes);
        let quoted = quoted.find(|quoted| quoted.code.eq_ignore_ascii_case(code)).cloned();
        DiscountCode { code: code.clone(), quoted }
    };
    codes.iter().map(convert).collect()
}

/// A discount code and whether it holds.
#[Object]
impl DiscountCode {
    /// The code.
    fn code(&self) -> &str {
        &self.code
    }

    /// Does it take something off? Null when prices are not known at the moment.
    fn applicable(&self) -> Option<bool> {
        let quoted = self.quoted.as_ref()?;
        Some(quoted.outcome() == pb::CodeOutcome::Applied)
    }

    /// Whether it holds, and if not, why. Null when prices are not known at the moment.
    fn outcome(&self) -> Option<DiscountCodeOutcome> {
        choice::named("CODE_OUTCOME_", self.quoted.as_ref()?.outcome().as_str_name())
    }

    /// What it takes off.
    fn amount(&self) -> Option<Money> {
        optional(self.quoted.as_ref()?.amount.as_ref())
    }
}

/// The shipping method that was chosen, and what it costs.
#[derive(SimpleObject)]
pub(crate) struct ChosenShipping {
    /// The method's opaque id.
    method_id: ID,
    /// What it is called.
    title: String,
    /// What it costs, before discount.
    price: Money,
}

impl ChosenShipping {
    pub(crate) fn of(quote: &pb::Quote) -> Option<Self> {
        let shipping = quote.shipping.as_ref()?;
        Some(Self {
            method_id: ids::encode(Kind::ShippingMethod, &shipping.method_id),
            title: shipping.display_name.clone(),
            price: optional(shipping.price.as_ref())?,
        })
    }
}

/// A way to have things sent.
pub(crate) struct ShippingOption(pub(crate) pb::ShippingOption);

/// A way to have things sent, with its price.
#[Object]
impl ShippingOption {
    /// Opaque id; `checkoutUpdate` takes it.
    fn method_id(&self) -> ID {
        ids::encode(Kind::ShippingMethod, &self.0.method_id)
    }

    /// What it is called.
    fn title(&self) -> &str {
        &self.0.display_name
    }

    /// More about it.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// What it costs.
    fn price(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.price.as_ref())
    }

    /// Days until it arrives, at least.
    fn days_min(&self) -> i32 {
        self.0.days_min
    }

    /// Days until it arrives, at most.
    fn days_max(&self) -> i32 {
        self.0.days_max
    }
}
