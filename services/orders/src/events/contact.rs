//! What notifications alone may read of an order: whom to write to, and what to say.

use kit::Money;
use proto::common::Sealed;
use proto::orders as pb;
use sealing::Sealer;

use crate::app::token::Tokens;
use crate::domain::{LineCount, Order, Origin, Shipment, Totals};

/// What mails are made with.
#[derive(Clone)]
pub struct Mailing {
    pub sealer: Sealer,
    /// A guest has no account to see the order in: the mail carries the capability.
    pub tokens: Tokens,
}

/// Stands for the customer of an imported order, whose source may call him by an address.
pub fn stranger(order: &Order, mailing: &Mailing) -> Option<String> {
    let name = order.external.as_ref()?.customer.as_ref()?;
    Some(mailing.tokens.of_customer(name))
}

/// The buyer and the lines that a mail is about.
pub fn sealed(order: &Order, counts: &[LineCount], mailing: &Mailing) -> Option<Sealed> {
    // Sealing fails only for lack of memory; the event then goes without a contact rather than not at all.
    mailing.sealer.seal(&contact(order, counts, mailing)?).ok()
}

/// The same for a parcel, and how to follow it.
pub fn sealed_shipment(order: &Order, shipment: &Shipment, mailing: &Mailing) -> Option<Sealed> {
    let contact = contact(order, &shipment.lines, mailing)?;
    let contact = pb::OrderContact { tracking_number: shipment.tracking_number.clone(), ..contact };
    mailing.sealer.seal(&contact).ok()
}

/// Imported orders, and those of whoever is erased, have nobody to write to.
fn contact(order: &Order, counts: &[LineCount], mailing: &Mailing) -> Option<pb::OrderContact> {
    if order.origin == Origin::Imported || order.contact.email.is_empty() {
        return None;
    }
    let address =
        order.contact.shipping.clone().or_else(|| order.contact.billing.clone()).unwrap_or_default();
    let towns = [address.city, address.region, address.postal_code, address.country_code];
    let guest = order.holder.account.is_none();
    Some(pb::OrderContact {
        email: order.contact.email.clone(),
        given_name: address.given_name,
        family_name: address.family_name,
        address_lines: address.lines.into_iter().chain(towns).filter(|line| !line.is_empty()).collect(),
        lines: counts.iter().filter_map(|count| line(order, count)).collect(),
        totals: Some(totals(&order.totals)),
        order_token: order
            .checkout
            .filter(|_| guest)
            .map(|checkout| mailing.tokens.of(checkout))
            .unwrap_or_default(),
        tracking_number: String::new(),
    })
}

fn line(order: &Order, count: &LineCount) -> Option<pb::ContactLine> {
    let line = order.lines.iter().find(|line| line.id == count.line)?;
    Some(pb::ContactLine {
        product_title: line.product_title.clone(),
        variant_title: line.variant_title.clone(),
        quantity: count.quantity,
        total: line.unit_price.times(count.quantity).ok().map(Money::into),
    })
}

fn totals(totals: &Totals) -> pb::ContactTotals {
    pb::ContactTotals {
        subtotal: Some(totals.subtotal.into()),
        discount: Some(totals.discount.into()),
        shipping: Some(totals.shipping.into()),
        tax: Some(totals.tax.into()),
        total: Some(totals.total.into()),
        prices_include_tax: totals.prices_include_tax,
    }
}
