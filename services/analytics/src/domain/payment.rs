//! What is known of one attempt to pay.

use kit::Currency;

use super::day::Day;
use super::ppm;

/// What is known of one payment. As with orders, facts only join it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFact {
    /// Of its first news.
    pub day: Day,
    /// Some news does not tell.
    pub currency: Option<Currency>,
    pub authorized: bool,
    pub declined: bool,
    /// In all so far.
    pub captured: i64,
    /// In all so far.
    pub refunded: i64,
}

/// What an event says about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentNews {
    Authorized,
    Declined,
    ActionRequired,
    Captured(i64),
    Refunded(i64),
}

/// What payments come to. Amounts are minor units of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub payments: i64,
    pub authorized: i64,
    pub declined: i64,
    pub captured: i64,
    pub refunded: i64,
}

impl PaymentFact {
    pub fn first(day: Day) -> Self {
        Self { day, currency: None, authorized: false, declined: false, captured: 0, refunded: 0 }
    }

    /// Joins what an event of a day says.
    pub fn learn(&mut self, day: Day, currency: Option<Currency>, news: PaymentNews) {
        self.day = self.day.min(day);
        self.currency = self.currency.or(currency);
        match news {
            PaymentNews::ActionRequired => {}
            PaymentNews::Authorized => self.authorized = true,
            PaymentNews::Declined => self.declined = true,
            // Nothing is taken that was not authorised, even if that news is still on its way.
            PaymentNews::Captured(so_far) => {
                self.authorized = true;
                self.captured = self.captured.max(so_far);
            }
            PaymentNews::Refunded(so_far) => self.refunded = self.refunded.max(so_far),
        }
    }
}

impl Outcomes {
    /// Neither authorised nor declined so far.
    pub fn undecided(&self) -> i64 {
        self.payments.saturating_sub(self.authorized).saturating_sub(self.declined)
    }

    /// Authorised, of those that were decided.
    pub fn success_ppm(&self) -> Option<i64> {
        ppm(self.authorized, self.authorized.saturating_add(self.declined))
    }
}
