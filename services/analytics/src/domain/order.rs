//! What is known of one order, and what it adds to the figures of its day.

use std::collections::BTreeMap;

use kit::Currency;

use super::day::Day;

/// More than any order is worth. A larger amount is a mistake of whoever told, and would spoil every sum it got into.
pub const AMOUNT_MAX: i64 = 10_000_000_000_000;
/// More of one line than anybody orders, likewise.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// What is known of one order. Facts only join it: the sale comes once, "cancelled" stays, and what was paid back grows; so it
/// does not matter in which order, or how often, they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFact {
    pub sale: Option<Sale>,
    pub cancelled: bool,
    /// In all so far, in the order's currency.
    pub refunded: i64,
}

/// What was agreed when the order was placed. Amounts are minor units of the currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub day: Day,
    pub currency: Currency,
    pub country: String,
    pub total: i64,
    pub shipping: i64,
    pub tax: i64,
    pub discounts: i64,
    /// By SKU.
    pub goods: BTreeMap<String, Goods>,
}

/// How much of one SKU, and for how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goods {
    pub units: i64,
    pub amount: i64,
}

/// What an event says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Learned {
    Placed(Sale),
    Cancelled,
    /// So much in all so far.
    Refunded(i64),
}

/// What orders add up to. Amounts are minor units of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub orders: i64,
    pub units: i64,
    pub revenue: i64,
    pub refunded: i64,
    pub cancelled_orders: i64,
    pub shipping: i64,
    pub tax: i64,
    pub discounts: i64,
}

impl OrderFact {
    /// Joins what an event says.
    pub fn learn(&mut self, learned: Learned) {
        match learned {
            Learned::Placed(sale) => {
                self.sale.get_or_insert(sale);
            }
            Learned::Cancelled => self.cancelled = true,
            Learned::Refunded(so_far) => self.refunded = self.refunded.max(so_far),
        }
    }

    /// What it adds to the figures of its day, currency and country; nothing until it is known when it was placed.
    pub fn figures(&self) -> Figures {
        match &self.sale {
            None => Figures::default(),
            Some(_) if self.cancelled => Figures { cancelled_orders: 1, ..Figures::default() },
            Some(sale) => Figures {
                orders: 1,
                units: sale.goods.values().fold(0, |units, goods| units.saturating_add(goods.units)),
                revenue: sale.total,
                refunded: self.refunded,
                cancelled_orders: 0,
                shipping: sale.shipping,
                tax: sale.tax,
                discounts: sale.discounts,
            },
        }
    }

    /// Whether its goods count as sold.
    pub fn sells(&self) -> bool {
        self.sale.is_some() && !self.cancelled
    }
}

impl Goods {
    pub fn plus(self, units: i64, amount: i64) -> Self {
        Self { units: self.units.saturating_add(units), amount: self.amount.saturating_add(amount) }
    }
}

impl Figures {
    /// What has to be added to `before` to make `self`.
    pub fn since(self, before: Figures) -> Figures {
        self.join(before, i64::saturating_sub)
    }

    pub fn plus(self, other: Figures) -> Figures {
        self.join(other, i64::saturating_add)
    }

    pub fn net_revenue(&self) -> i64 {
        self.revenue.saturating_sub(self.refunded)
    }

    /// To the nearest minor unit; nothing without orders.
    pub fn average_order_value(&self) -> Option<i64> {
        (self.orders > 0).then(|| (self.revenue.saturating_add(self.orders / 2)) / self.orders)
    }

    fn join(self, other: Figures, by: fn(i64, i64) -> i64) -> Figures {
        Figures {
            orders: by(self.orders, other.orders),
            units: by(self.units, other.units),
            revenue: by(self.revenue, other.revenue),
            refunded: by(self.refunded, other.refunded),
            cancelled_orders: by(self.cancelled_orders, other.cancelled_orders),
            shipping: by(self.shipping, other.shipping),
            tax: by(self.tax, other.tax),
            discounts: by(self.discounts, other.discounts),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sale(total: i64) -> Sale {
        Sale {
            day: "2011-01-31".parse().unwrap(),
            currency: "GBP".parse().unwrap(),
            country: "GB".into(),
            total,
            shipping: 500,
            tax: 200,
            discounts: 100,
            goods: BTreeMap::from([("A".to_owned(), Goods { units: 2, amount: total })]),
        }
    }

    #[test]
    fn an_order_counts_once_it_is_placed_until_it_is_cancelled() {
        let mut order = OrderFact::default();
        order.learn(Learned::Refunded(300));
        assert_eq!(order.figures(), Figures::default());

        order.learn(Learned::Placed(sale(1_000)));
        let figures = order.figures();
        assert_eq!(
            (figures.orders, figures.units, figures.revenue, figures.net_revenue()),
            (1, 2, 1_000, 700)
        );
        assert!(order.sells());

        order.learn(Learned::Cancelled);
        assert_eq!(order.figures(), Figures { cancelled_orders: 1, ..Figures::default() });
        assert!(!order.sells());
    }

    #[test]
    fn an_average_is_rounded_to_the_nearest_unit() {
        let of = |revenue, orders| Figures { revenue, orders, ..Figures::default() }.average_order_value();

        assert_eq!(of(10, 3), Some(3));
        assert_eq!(of(11, 3), Some(4));
        assert_eq!(of(0, 3), Some(0));
        assert_eq!(of(0, 0), None);
    }

    fn learned() -> impl Strategy<Value = Learned> {
        prop_oneof![
            Just(Learned::Placed(sale(1_000))),
            Just(Learned::Cancelled),
            (0..1_000_i64).prop_map(Learned::Refunded),
        ]
    }

    proptest! {
        #[test]
        fn an_order_is_the_same_however_often_and_in_whatever_order_its_news_arrives(
            news in proptest::collection::vec(learned(), 0..8),
            again in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
            seed in any::<u64>(),
        ) {
            let mut once = OrderFact::default();
            news.iter().cloned().for_each(|news| once.learn(news));

            let mut delivered = news.clone();
            if !news.is_empty() {
                delivered.extend(again.iter().map(|index| index.get(&news).clone()));
            }
            let mut moves = seed;
            for place in (1..delivered.len()).rev() {
                moves = moves.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                delivered.swap(place, usize::try_from(moves >> 33).unwrap() % (place + 1));
            }
            let mut twice = OrderFact::default();
            let mut sum = Figures::default();
            for news in delivered {
                let before = twice.figures();
                twice.learn(news);
                sum = sum.plus(twice.figures().since(before));
            }

            prop_assert_eq!(&twice, &once);
            prop_assert_eq!(sum, once.figures());
        }
    }
}
