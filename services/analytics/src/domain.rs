//! What figures are made of. Facts about one subject join in any order, and joining one twice changes nothing.

mod day;
mod order;
mod payment;

pub use day::{Day, Interval, Range, RangeError};
pub use order::{AMOUNT_MAX, Figures, Goods, Learned, OrderFact, Sale, UNITS_MAX};
pub use payment::{Outcomes, PaymentFact, PaymentNews};

use kit::Id;

/// A product, as this service knows it: an id of somebody else's thing.
pub enum Product {}

/// A cart, likewise.
pub enum Cart {}

pub type ProductId = Id<Product>;
pub type CartId = Id<Cart>;
pub type OrderId = Id<OrderFact>;
pub type PaymentId = Id<PaymentFact>;

/// How far a cart came, on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartStep {
    /// Something was added.
    Added,
    /// A checkout was started.
    Started,
    /// It became an order.
    Paid,
}

/// Views of one product from one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Views {
    pub product: ProductId,
    pub country: String,
    pub count: i64,
}

/// How far carts came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    pub product_views: i64,
    pub carts: i64,
    pub carts_with_checkout: i64,
    pub carts_paid: i64,
}

impl Funnel {
    /// Carts that did not become an order, of all.
    pub fn abandonment_ppm(&self) -> Option<i64> {
        ppm(self.carts.saturating_sub(self.carts_paid), self.carts)
    }
}

/// What was sold of one product; of one SKU, where no product has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductSales {
    pub product: Option<ProductId>,
    /// Empty where the product is known.
    pub sku: String,
    pub units: i64,
    pub revenue: i64,
    pub views: i64,
}

/// Which products stand first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductOrder {
    Revenue,
    Units,
}

/// A part of a whole in parts per million, to the nearest; nothing where there is no whole.
fn ppm(part: i64, whole: i64) -> Option<i64> {
    let (part, whole) = (i128::from(part), i128::from(whole));
    let rounded = (whole > 0).then(|| (part * 1_000_000 + whole / 2) / whole)?;
    i64::try_from(rounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_rounded_to_the_nearest_part() {
        assert_eq!(ppm(1, 3), Some(333_333));
        assert_eq!(ppm(2, 3), Some(666_667));
        assert_eq!(ppm(3, 3), Some(1_000_000));
        assert_eq!(ppm(0, 3), Some(0));
        assert_eq!(ppm(0, 0), None);
        assert_eq!(ppm(i64::MAX, i64::MAX), Some(1_000_000));
    }
}
