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
