//! What stays when a buyer is erased: what bookkeeping needs, and nothing that names a person.

use kit::Timestamp;

use super::checkout::{Checkout, CheckoutEvent, CheckoutState, Holder};
use super::contact::{Address, Contact};
use super::order::{Order, OrderEvent};

const ERASED: &str = "The account was erased.";

impl Checkout {
    /// Ends what is not bought yet, and forgets what its buyer told.
    pub fn forget_buyer(&mut self, now: Timestamp) -> Vec<CheckoutEvent> {
        // One that has become an order is not ended: the order itself is.
        let events = self.cancel(now).unwrap_or_default();
        self.details.email = None;
        self.details.shipping = self.details.shipping.take().map(Address::anonymous);
        self.details.billing = self.details.billing.take().map(Address::anonymous);
        if matches!(self.state(), CheckoutState::Completed | CheckoutState::Failed) {
            self.holder = nobody();
        }
        events
    }
}

impl Order {
    /// Forgets the buyer for ever. What nothing has been sent of is cancelled, since there is nowhere to send it to.
    pub fn forget_buyer(&mut self, now: Timestamp) -> Vec<OrderEvent> {
        let Contact { shipping, billing, .. } = std::mem::take(&mut self.contact);
        self.contact.shipping = shipping.map(Address::anonymous);
        self.contact.billing = billing.map(Address::anonymous);
        self.holder = nobody();
        // The words of a person may name a person.
        self.returns.iter_mut().for_each(|wanted| wanted.reason.clear());
        self.cancelled = self.cancelled.take().map(|_| ERASED.to_owned());
        self.cancel(ERASED.to_owned(), now).unwrap_or_default()
    }
}

impl Address {
    /// The country alone: taxes were computed by it.
    fn anonymous(self) -> Address {
        Address { country_code: self.country_code, ..Address::default() }
    }
}

fn nobody() -> Holder {
    Holder { account: None, token_hash: None }
}
