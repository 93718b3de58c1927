//! What several services say of the same things, laid side by side.

use std::collections::{BTreeMap, BTreeSet};

use audit::Check;
use orders::{Sale, Sales};
use payments::Known;
use payments::simulated::Booked;

/// Everybody's own word.
pub struct Books {
    /// Inventory: how many of each SKU are sold.
    pub sold: BTreeMap<String, i64>,
    /// Orders: what was sold, order by order and SKU by SKU.
    pub sales: Sales,
    /// Payments: what was taken and given back.
    pub known: Vec<Known>,
    /// The provider: the same, and what it still holds.
    pub booked: Vec<Booked>,
}

impl Books {
    /// Compares them.
    pub fn compare(&self) -> Vec<Check> {
        vec![self.stock(), self.orders_are_paid(), self.money_has_an_order(), self.sums()]
    }

    fn stock(&self) -> Check {
        let skus: BTreeSet<&String> = self.sold.keys().chain(self.sales.sold.keys()).collect();
        let differs = |sku: &&&String| self.sold.get(**sku) != self.sales.sold.get(**sku);
        check("INV-2", "what inventory has sold of a SKU is what orders have kept", skus.len(), {
            skus.iter().filter(differs).map(|sku| (*sku).clone()).collect()
        })
    }

    fn orders_are_paid(&self) -> Check {
        let sales = || self.sales.sales.iter().filter(|sale| sale.total.minor_units() > 0);
        let unpaid = |sale: &&Sale| !self.is_paid(sale);
        check(
            "INV-3",
            "an order has one live payment of its amount at the provider, a cancelled one none",
            sales().count(),
            sales().filter(unpaid).map(|sale| sale.order.clone()).collect(),
        )
    }

    fn is_paid(&self, sale: &Sale) -> bool {
        let mut live = self.of(&sale.checkout).filter(|booked| booked.live);
        if sale.cancelled {
            return live.all(is_given_back);
        }
        let (Some(booked), None) = (live.next(), live.next()) else { return false };
        booked.amount == sale.total.minor_units() && booked.currency == sale.total.currency().as_str()
    }

    fn money_has_an_order(&self) -> Check {
        let ordered: BTreeSet<&str> = self.sales.sales.iter().map(|sale| sale.checkout.as_str()).collect();
        let stray = |booked: &&Booked| {
            booked.live && !is_given_back(booked) && !ordered.contains(checkout(&booked.key))
        };
        check(
            "INV-3",
            "what the provider holds or has kept belongs to an order",
            self.booked.len(),
            self.booked.iter().filter(stray).map(|booked| booked.key.clone()).collect(),
        )
    }

    fn sums(&self) -> Check {
        let differs = |sale: &&Sale| {
            let said = [sale.paid.minor_units(), sale.refunded.minor_units()];
            let known = self.known.iter().filter(|known| checkout(&known.key) == sale.checkout);
            let known = known.fold([0; 2], |[paid, refunded], known| {
                [paid + known.captured.minor_units(), refunded + known.refunded.minor_units()]
            });
            let booked = self.of(&sale.checkout).fold([0; 2], |[paid, refunded], booked| {
                [paid + booked.captured, refunded + booked.refunded]
            });
            known != said || booked != said
        };
        check(
            "INV-5",
            "orders, payments and the provider agree on what was paid and given back",
            self.sales.sales.len(),
            self.sales.sales.iter().filter(differs).map(|sale| sale.order.clone()).collect(),
        )
    }

    /// The provider's payments of a checkout, one for each attempt.
    fn of<'a>(&'a self, sold: &'a str) -> impl Iterator<Item = &'a Booked> {
        self.booked.iter().filter(move |booked| checkout(&booked.key) == sold)
    }
}

/// The checkout of a provider's key: `checkout:attempt`.
fn checkout(key: &str) -> &str {
    key.split_once(':').map_or(key, |(checkout, _)| checkout)
}

fn is_given_back(booked: &Booked) -> bool {
    booked.captured > 0 && booked.captured == booked.refunded
}

fn check(invariant: &'static str, promise: &'static str, checked: usize, broken: Vec<String>) -> Check {
    Check { invariant, promise, checked: i64::try_from(checked).unwrap_or(i64::MAX), broken }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use kit::Money;

    use super::*;

    fn pence(units: i64) -> Money {
        Money::new("GBP".parse().unwrap(), units)
    }

    /// One order of two bells, paid; and one that was cancelled and paid back.
    fn books() -> Books {
        let sale = |order: &str, cancelled: bool, refunded: i64| Sale {
            order: format!("order-{order}"),
            checkout: format!("checkout-{order}"),
            cancelled,
            total: pence(700),
            paid: pence(700),
            refunded: pence(refunded),
        };
        let known = |key: &str, refunded: i64| Known {
            key: key.to_owned(),
            captured: pence(700),
            refunded: pence(refunded),
        };
        let booked = |key: &str, refunded: i64| Booked {
            key: key.to_owned(),
            live: true,
            currency: "GBP".to_owned(),
            amount: 700,
            captured: 700,
            refunded,
        };
        let sold = BTreeMap::from([("BELL".to_owned(), 2)]);
        let declined = Booked { live: false, captured: 0, ..booked("checkout-1:1", 0) };
        Books {
            sold: sold.clone(),
            sales: Sales { sales: vec![sale("1", false, 0), sale("2", true, 700)], sold },
            known: vec![known("checkout-1:2", 0), known("checkout-2:1", 700)],
            booked: vec![declined, booked("checkout-1:2", 0), booked("checkout-2:1", 700)],
        }
    }

    fn broken(change: impl FnOnce(&mut Books)) -> Vec<(&'static str, Vec<String>)> {
        let mut books = books();
        change(&mut books);
        let checks = books.compare().into_iter().filter(|check| !check.broken.is_empty());
        checks.map(|check| (check.invariant, check.broken)).collect()
    }

    fn named(invariant: &'static str, name: &str) -> (&'static str, Vec<String>) {
        (invariant, vec![name.to_owned()])
    }

    #[test]
    fn books_that_agree_break_nothing() {
        assert_eq!(broken(|_| {}), []);
    }

    #[test]
    fn stock_that_was_sold_to_nobody_is_named() {
        let lost = |books: &mut Books| {
            books.sold.insert("MUG".to_owned(), 1);
        };
        assert_eq!(broken(lost), [named("INV-2", "MUG")]);
        let given = |books: &mut Books| {
            books.sold.remove("BELL");
        };
        assert_eq!(broken(given), [named("INV-2", "BELL")]);
    }

    #[test]
    fn an_order_without_its_payment_or_with_two_is_named() {
        let unpaid = [named("INV-3", "order-1"), named("INV-5", "order-1")];
        assert_eq!(broken(|books| drop(books.booked.remove(1))), unpaid);
        let twice = |books: &mut Books| {
            books.booked.push(Booked {
                key: "checkout-1:3".to_owned(),
                captured: 0,
                ..books.booked[1].clone()
            });
        };
        assert_eq!(broken(twice), [named("INV-3", "order-1")]);
        assert_eq!(broken(|books| books.booked[1].amount = 699), [named("INV-3", "order-1")]);
        assert_eq!(broken(|books| books.booked[1].currency = "EUR".to_owned()), [named("INV-3", "order-1")]);
    }

    #[test]
    fn money_of_a_cancelled_order_or_of_none_is_named() {
        let kept = |books: &mut Books| books.booked[2].refunded = 0;
        assert_eq!(broken(kept), [named("INV-3", "order-2"), named("INV-5", "order-2")]);
        let stray = |books: &mut Books| {
            books.booked.push(Booked { key: "checkout-9:1".to_owned(), ..books.booked[1].clone() });
        };
        assert_eq!(broken(stray), [named("INV-3", "checkout-9:1")]);
    }

    #[test]
    fn a_sum_on_which_they_disagree_is_named_by_its_order() {
        assert_eq!(broken(|books| books.known[0].captured = pence(1)), [named("INV-5", "order-1")]);
        assert_eq!(broken(|books| books.sales.sales[0].refunded = pence(1)), [named("INV-5", "order-1")]);
    }
}
