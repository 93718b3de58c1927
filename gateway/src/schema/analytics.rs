//! What was sold, and how far visitors came: for staff who see figures. Each field below is one call.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::Days;
use proto::analytics as pb;

use crate::context;
use crate::error::{Fault, listed, soften};
use crate::schema::Part;
use crate::schema::choice::{ProductSalesSortKey, SalesInterval, wire_name};
use crate::schema::connection::{Connection, Window};
use crate::schema::date::Date;
use crate::schema::look::Look;
use crate::schema::money::{CurrencyCode, Decimal, Money, optional, promised, rate};
use crate::schema::product::{Product, page_cost};
use crate::schema::wants;

const SERVICE: &str = "analytics";
/// A range of thirty days, when nobody says more.
const DAYS_BEFORE_END: Days = Days::new(29);
/// What a report by interval is taken to cost: a year of days.
const INTERVALS_COST: usize = 366;

/// Figures of a range of days of UTC, in one currency.
pub(crate) struct Analytics {
    range: pb::DateRange,
    currency: String,
}

impl Analytics {
    /// Without an end the range goes to today, without a start it has thirty days.
    pub(crate) fn of(start: Option<Date>, end: Option<Date>, currency: String) -> Self {
        let end = end.unwrap_or_else(Date::today);
        let start = start.unwrap_or_else(|| end.before(DAYS_BEFORE_END));
        Self { range: pb::DateRange { start_date: start.to_string(), end_date: end.to_string() }, currency }
    }
}

/// Figures of a range of days of UTC, in one currency. Amounts of several currencies are never added together.
#[Object]
impl Analytics {
    /// The currency of all its amounts.
    fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.currency.clone())
    }

    /// What was sold, in all and by interval.
    #[graphql(complexity = "INTERVALS_COST.saturating_mul(child_complexity).saturating_add(1)")]
    async fn sales(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How days are put together.", default_with = "SalesInterval::Day")]
        interval: SalesInterval,
    ) -> Part<SalesReport> {
        let interval = pb::SalesInterval::from_str_name(&wire_name("SALES_INTERVAL_", interval));
        let request = pb::GetSalesRequest {
            range: Some(self.range.clone()),
            currency_code: self.currency.clone(),
            interval: interval.unwrap_or_default().into(),
        };
        Some(listed(SERVICE, context::analytics(ctx).get_sales(request).await).map(SalesReport))
    }

    /// What was sold by country, the one with the highest revenue first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn countries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<CountrySales>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = pb::ListCountrySalesRequest {
                range: Some(self.range.clone()),
                currency_code: self.currency.clone(),
                page_size: window.page_size(),
                page_token: window.page_token(),
            };
            let page = listed(SERVICE, context::analytics(ctx).list_country_sales(request).await)?;
            let items = page.countries.into_iter().map(CountrySales).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// What was sold of each product, the most first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which stand first.", default_with = "ProductSalesSortKey::Revenue")]
        sort_key: ProductSalesSortKey,
    ) -> Part<Connection<ProductSales>> {
        Some(self.list_products(ctx, (first, after), sort_key).await)
    }

    /// How far carts came.
    async fn funnel(&self, ctx: &Context<'_>) -> Part<ConversionFunnel> {
        let request = pb::GetFunnelRequest { range: Some(self.range.clone()) };
        Some(listed(SERVICE, context::analytics(ctx).get_funnel(request).await).map(ConversionFunnel))
    }

    /// How many attempts to pay succeeded.
    async fn payments(&self, ctx: &Context<'_>) -> Part<PaymentOutcomes> {
        let request = pb::GetPaymentOutcomesRequest {
            range: Some(self.range.clone()),
            currency_code: self.currency.clone(),
        };
        let answer = context::analytics(ctx).get_payment_outcomes(request).await;
        Some(listed(SERVICE, answer).map(PaymentOutcomes))
    }
}

impl Analytics {
    async fn list_products(
        &self,
        ctx: &Context<'_>,
        (first, after): (i32, Option<String>),
        sort_key: ProductSalesSortKey,
    ) -> Result<Connection<ProductSales>, Fault> {
        let window = Window::of(Some(first), after.as_deref())?;
        let sort = pb::ProductSalesSort::from_str_name(&wire_name("PRODUCT_SALES_SORT_", sort_key));
        let request = pb::ListProductSalesRequest {
            range: Some(self.range.clone()),
            currency_code: self.currency.clone(),
            sort: sort.unwrap_or_default().into(),
            page_size: window.page_size(),
            page_token: window.page_token(),
        };
        let page = listed(SERVICE, context::analytics(ctx).list_product_sales(request).await)?;
        let look = Look::here(ctx).items().below("product");
        let mut products: HashMap<String, Arc<Product>> = HashMap::new();
        if look.exists() {
            let ids = page.products.iter().map(|sales| sales.product_id.clone());
            let ids: Vec<String> = ids.filter(|id| !id.is_empty()).collect();
            let found = wants::products_by_id(ctx, ids, &look).await.map(tonic::Response::new);
            let found = soften(ctx, "catalogue", found).unwrap_or_default();
            products.extend(found.into_iter().map(|product| (product.wire.id.clone(), Arc::new(product))));
        }
        let items = page.products.into_iter().map(|wire| {
            let product = products.get(&wire.product_id).cloned();
            ProductSales { wire, product }
        });
        Ok(window.connect(items.collect(), page.next_page_token))
    }
}

/// What was sold, in all and by interval.
pub(crate) struct SalesReport(pb::GetSalesResponse);

/// What was sold, in all and by interval.
#[Object]
impl SalesReport {
    /// Of the whole range.
    fn totals(&self) -> SalesFigures<'_> {
        SalesFigures::of(self.0.totals.as_ref())
    }

    /// All intervals of the range in their order, those without sales too. They add up to the totals.
    fn intervals(&self) -> Vec<SalesPoint<'_>> {
        self.0.points.iter().map(SalesPoint).collect()
    }

    /// In which other currencies there were orders; none of these is in the figures.
    fn other_currency_codes(&self) -> Vec<CurrencyCode> {
        self.0.other_currency_codes.iter().cloned().map(CurrencyCode).collect()
    }
}

/// The sales of one interval.
pub(crate) struct SalesPoint<'a>(&'a pb::SalesPoint);

/// The sales of one interval.
#[Object]
impl SalesPoint<'_> {
    /// Its first day, as far as it lies within the range.
    fn start_date(&self) -> Result<Date, Fault> {
        Date::promised(SERVICE, &self.0.start_date)
    }

    /// Its last day, as far as it lies within the range.
    fn end_date(&self) -> Result<Date, Fault> {
        Date::promised(SERVICE, &self.0.end_date)
    }

    /// What orders of these days add up to.
    fn figures(&self) -> SalesFigures<'_> {
        SalesFigures::of(self.0.figures.as_ref())
    }
}

/// What orders add up to.
pub(crate) struct SalesFigures<'a>(Option<&'a pb::SalesFigures>);

impl<'a> SalesFigures<'a> {
    fn of(wire: Option<&'a pb::SalesFigures>) -> Self {
        Self(wire)
    }

    fn wire(&self) -> Result<&'a pb::SalesFigures, Fault> {
        self.0.ok_or_else(|| Fault::incomplete(SERVICE))
    }
}

/// What orders add up to. An order counts on the day it was placed, and so does what happens to it later. Imported orders count on
/// the day they were placed where they come from.
#[Object]
impl SalesFigures<'_> {
    /// Orders placed, without those that were cancelled since.
    fn order_count(&self) -> Result<i64, Fault> {
        Ok(self.wire()?.orders)
    }

    /// Items in these orders. What was sent back is still counted.
    fn unit_count(&self) -> Result<i64, Fault> {
        Ok(self.wire()?.units)
    }

    /// What buyers agreed to pay: after discounts, with tax and shipping.
    fn revenue(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.revenue.as_ref())
    }

    /// What was paid back of these orders so far.
    fn refunded(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.refunded.as_ref())
    }

    /// Revenue less what was paid back.
    fn net_revenue(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.net_revenue.as_ref())
    }

    /// The average basket: revenue by order. Null without orders.
    fn average_order_value(&self) -> Result<Option<Money>, Fault> {
        Ok(optional(self.wire()?.average_order_value.as_ref()))
    }

    /// Orders placed and cancelled since. They are in no other figure.
    fn cancelled_order_count(&self) -> Result<i64, Fault> {
        Ok(self.wire()?.cancelled_orders)
    }

    /// Carriage before discounts. Zero for imported orders, whose source does not tell.
    fn shipping(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.shipping.as_ref())
    }

    /// The tax within the revenue. Zero for imported orders, whose source does not tell.
    fn tax(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.tax.as_ref())
    }

    /// What was taken off before the revenue. Zero for imported orders, whose source does not tell.
    fn discounts(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire()?.discounts.as_ref())
    }
}

/// What was sold to one country.
pub(crate) struct CountrySales(pb::CountrySales);

/// What was sold to one country.
#[Object]
impl CountrySales {
    /// Where the orders went: ISO 3166-1 alpha-2, or whatever an import wrote; empty if it wrote nothing.
    fn country(&self) -> &str {
        &self.0.country
    }

    /// What its orders add up to.
    fn figures(&self) -> SalesFigures<'_> {
        SalesFigures::of(self.0.figures.as_ref())
    }
}

/// What was sold of one product, in all its variants.
pub(crate) struct ProductSales {
    wire: pb::ProductSales,
    product: Option<Arc<Product>>,
}

/// What was sold of one product, in all its variants. Cancelled orders do not count; refunds are not taken off.
#[Object]
impl ProductSales {
    /// The product. Null where no product ever had the SKU, as with old goods of an import.
    fn product(&self) -> Option<&Product> {
        self.product.as_deref()
    }

    /// The SKU, where no product ever had it.
    fn sku(&self) -> Option<&str> {
        Some(self.wire.sku.as_str()).filter(|sku| !sku.is_empty())
    }

    /// Items sold.
    fn unit_count(&self) -> i64 {
        self.wire.units
    }

    /// The lines at their unit prices: before discounts, without shipping, with tax where prices include it.
    fn revenue(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire.revenue.as_ref())
    }

    /// How often its page was looked at within the range.
    fn view_count(&self) -> i64 {
        self.wire.views
    }
}

/// How far carts came.
pub(crate) struct ConversionFunnel(pb::GetFunnelResponse);

/// How far carts came. Views are views; every other step counts carts, each once. Nobody is counted, and no currency asked for.
#[Object]
impl ConversionFunnel {
    /// Views of products within the range.
    fn product_view_count(&self) -> i64 {
        self.0.product_views
    }

    /// Carts to which something was added within the range.
    fn cart_count(&self) -> i64 {
        self.0.carts
    }

    /// Those of them with which a checkout was started, then or later.
    fn checkout_count(&self) -> i64 {
        self.0.carts_with_checkout
    }

    /// Those of them that became an order, then or later.
    fn paid_count(&self) -> i64 {
        self.0.carts_paid
    }

    /// The share of the carts that did not become an order: "0.7" is 70 %. Null without carts.
    fn abandonment_rate(&self) -> Option<Decimal> {
        self.0.abandonment_ppm.map(rate)
    }
}

/// How many attempts to pay succeeded.
pub(crate) struct PaymentOutcomes(pb::GetPaymentOutcomesResponse);

/// How many attempts to pay succeeded. An attempt counts on the day of its first news.
#[Object]
impl PaymentOutcomes {
    /// Attempts. A buyer who is declined and tries another card makes two.
    fn payment_count(&self) -> i64 {
        self.0.payments
    }

    /// Those that the provider authorised, whatever became of them later.
    fn authorized_count(&self) -> i64 {
        self.0.authorized
    }

    /// Those that it declined.
    fn declined_count(&self) -> i64 {
        self.0.declined
    }

    /// Neither so far: the buyer has yet to confirm, or never will.
    fn undecided_count(&self) -> i64 {
        self.0.undecided
    }

    /// The share that was authorised of those that were decided: "0.95" is 95 %. Null without any.
    fn success_rate(&self) -> Option<Decimal> {
        self.0.success_ppm.map(rate)
    }

    /// What was taken of these payments so far.
    fn captured(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.captured.as_ref())
    }

    /// What was given back of these payments so far.
    fn refunded(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.refunded.as_ref())
    }
}
