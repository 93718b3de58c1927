//! What an order must come to, computed apart from the shop.

use std::collections::BTreeMap;

use super::week::{Product, Wanted};
use crate::bench::buying::Order;

/// What is wrong with an order; nothing if it is as it must be.
pub(crate) fn objections(
    wanted: &Wanted,
    products: &BTreeMap<String, Product>,
    order: &Order,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differs = |what: &str, is: &dyn std::fmt::Display, must: &dyn std::fmt::Display| {
        let (is, must) = (is.to_string(), must.to_string());
        if is != must {
            wrong.push(format!("order {}: {what} is {is} instead of {must}", order.number));
        }
    };
    let price = |sku: &str| products.get(sku).map_or(0, |product| product.price);
    let subtotal: i64 = wanted.quantities.iter().map(|(sku, quantity)| price(sku) * quantity).sum();
    let lines =
        wanted.quantities.iter().map(|(sku, quantity)| tax_within(price(sku) * quantity, wanted.tax_percent));
    let tax = lines.sum::<i64>() + tax_within(order.quoted_shipping, wanted.tax_percent);
    differs("status", &order.status, &"OPEN");
    differs("number of lines", &order.lines.len(), &wanted.quantities.len());
    differs("subtotal", &order.subtotal, &subtotal);
    differs("shipping", &order.shipping, &order.quoted_shipping);
    differs("tax", &order.tax, &tax);
    differs("total", &order.total, &(subtotal + order.quoted_shipping));
    differs("quoted total", &order.quoted_total, &(subtotal + order.quoted_shipping));
    for line in &order.lines {
        let quantity = wanted.quantities.get(&line.sku).copied().unwrap_or(0);
        differs(&format!("quantity of {}", line.sku), &line.quantity, &quantity);
        differs(&format!("price of {}", line.sku), &line.unit_price, &price(&line.sku));
        differs(&format!("sum of {}", line.sku), &line.total, &(price(&line.sku) * quantity));
    }
    wrong
}

/// The tax that a price includes, rounded half up to whole pence; none where nothing is included.
fn tax_within(gross: i64, percent: Option<i64>) -> i64 {
    let Some(percent) = percent else { return 0 };
    let divisor = 100 + percent;
    (2 * gross * percent + divisor) / (2 * divisor)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::buying::Line;

    #[test]
    fn tax_is_rounded_half_up() {
        assert_eq!(tax_within(120, Some(20)), 20);
        assert_eq!(tax_within(3, Some(20)), 1);
        assert_eq!(tax_within(2, Some(20)), 0);
        assert_eq!(tax_within(999, None), 0);
    }

    #[test]
    fn an_order_that_is_a_penny_off_is_found() {
        let product = Product { sku: "A".to_owned(), name: "a thing".to_owned(), price: 120 };
        let products = BTreeMap::from([("A".to_owned(), product)]);
        let wanted = Wanted {
            quantities: BTreeMap::from([("A".to_owned(), 5)]),
            lines: 2,
            country: "GB",
            tax_percent: Some(20),
        };
        let line = Line { sku: "A".to_owned(), quantity: 5, unit_price: 120, total: 600 };
        let mut order = Order {
            number: "1".to_owned(),
            status: "OPEN".to_owned(),
            lines: vec![line],
            subtotal: 600,
            shipping: 60,
            tax: 110,
            total: 660,
            quoted_shipping: 60,
            quoted_total: 660,
            took: Duration::ZERO,
            completing: Duration::ZERO,
        };
        assert_eq!(objections(&wanted, &products, &order), Vec::<String>::new());

        order.tax = 109;
        order.lines[0].quantity = 4;

        assert_eq!(
            objections(&wanted, &products, &order),
            ["order 1: tax is 109 instead of 110", "order 1: quantity of A is 4 instead of 5"]
        );
    }
}
